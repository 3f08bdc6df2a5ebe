// SPDX-License-Identifier: GPL-3.0-or-later
import Disks
import Linux
import Sockets
import Varlink

/// The program of the service, `/usr/lib/needletail/disks`.
public enum DisksProgram {
    /// Runs it.
    ///
    /// - Parameter arguments: `serve`, or `lock`, which takes back all that was given: the last step of the unit.
    /// - Returns: an exit status; 2 for words that it does not know.
    public static func run(_ arguments: [String]) async -> Int32 {
        switch arguments {
        case ["serve"]: return await serve()
        case ["lock"]:
            let problems = DiskAccess().closeAll()
            for (name, problem) in problems { StandardError.line("\(name) could not be locked: \(problem)") }
            return problems.isEmpty ? 0 : 1
        default: return 2
        }
    }

    private static func serve() async -> Int32 {
        let keeper = DiskKeeper(log: { StandardError.line($0) })
        do {
            let listeners = Listener.passed()
            guard !listeners.isEmpty else {
                StandardError.line("There is no socket: systemd starts this service when somebody asks for it.")
                return 1
            }
            let server = VarlinkServer(try DisksInterface.service(for: keeper))
            // Its end takes everything back, so it lasts as long as something is given.
            repeat { await server.run(listeners, idle: .seconds(60)) } while await keeper.isInUse
            return 0
        } catch {
            StandardError.line("\(error)")
            return 1
        }
    }
}
