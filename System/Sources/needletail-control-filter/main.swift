// SPDX-License-Identifier: GPL-3.0-or-later
import ControlFilter
import Linux
import Sockets

let listeners = Listener.passed()
guard !listeners.isEmpty else {
    StandardError.line(
        "needletail-control-filter serves the sockets that systemd passes to it: needletail-control@.socket units. It does "
            + "nothing without.")
    Program.exit(2)
}
let doors = listeners.map { listener in
    do {
        return FilterService.Door(listener: listener, policy: try Policy(client: listener.name))
    } catch {
        // A wrong file lets nobody in; the other clients are served.
        StandardError.line("<3>\(error)")
        return FilterService.Door(listener: listener, policy: nil)
    }
}
await FilterService(doors: doors, restAfter: .seconds(60)) { StandardError.line("<4>\($0)") }.run()
