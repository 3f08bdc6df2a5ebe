// SPDX-License-Identifier: GPL-3.0-or-later
import Linux
import Sockets
import Varlink

/// The program `/usr/lib/needletail/suspend`; each of its words is the command of a unit.
public enum SuspendProgram {
    /// Runs it.
    ///
    /// - Parameter arguments: `serve`, `lock`, or `lid DEVICE`.
    /// - Returns: an exit status; 2 for words that it does not know.
    public static func run(_ arguments: [String]) async -> Int32 {
        switch arguments.first {
        case "serve" where arguments.count == 1: return await serve()
        case "lock" where arguments.count == 1: return await LockScreen.run()
        case "lid" where arguments.count == 2: return LidWatch.run(arguments[1])
        default: return 2
        }
    }

    private static func serve() async -> Int32 {
        do {
            let listeners = Listener.passed()
            guard !listeners.isEmpty else {
                StandardError.line("There is no socket: systemd starts this service when somebody asks for it.")
                return 1
            }
            await VarlinkServer(try SuspendInterface.service()).run(listeners, idle: .seconds(10))
            return 0
        } catch {
            StandardError.line("\(error)")
            return 1
        }
    }
}
