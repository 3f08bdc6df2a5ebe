// SPDX-License-Identifier: GPL-3.0-or-later
import Linux
import Sockets
import Varlink

/// What the question and the browser have in common: a program on a console of its own that answers one caller, the service.
enum ConsoleService {
    /// How long it stays when nobody is connected: the time in which the other console comes up.
    static let idle = Duration.seconds(4)

    static func run(
        product: String, interface: String,
        _ build: (VirtualConsole, inout VarlinkService.Methods) -> Void
    ) async -> Int32 {
        do {
            let console = try VirtualConsole()
            TerminalProgram.ignoreKeys()
            clear(console)
            var service = try VarlinkService(product: product, version: "1")
            try service.add(VarlinkInterface(interface)) { build(console, &$0) }
            let listeners = Listener.passed()
            guard !listeners.isEmpty else {
                throw PortalFailure.console("there is no socket; systemd starts this program for a caller")
            }
            await VarlinkServer(service).run(listeners, idle: idle)
            return 0
        } catch {
            StandardError.line("\(error)")
            return 1
        }
    }

    /// Puts the console back whoever was on it is gone: the last step of its unit, whatever has happened before.
    static func leave() -> Int32 {
        guard let console = try? VirtualConsole(), let active = try? console.active else { return 0 }
        clear(console)
        if active == console.number { try? console.show(1) }
        return 0
    }

    /// Back to the kernel's own colours, and nothing on the screen, nor in what can be scrolled back to.
    static func clear(_ console: VirtualConsole) { console.write("\u{1b}c\u{1b}]R\u{1b}[H\u{1b}[2J\u{1b}[3J") }

    /// Shows the console and waits until it is on the screen.
    ///
    /// - Returns: whether it is.
    static func bringUp(_ console: VirtualConsole) async throws -> Bool {
        try console.show(console.number)
        for _ in 0..<60 {
            if try console.active == console.number { return true }
            try await Task.sleep(for: .milliseconds(50))
        }
        return false
    }
}
