// SPDX-License-Identifier: GPL-3.0-or-later
import Linux
import Walls

/// The two things that the program `transports` does; each is a command of its unit.
public enum TransportsProgram {
    /// Runs it.
    ///
    /// - Parameter arguments: without the program's name.
    /// - Returns: an exit status; 2 for words that it does not know.
    public static func run(_ arguments: [String]) -> Int32 {
        switch arguments {
        case ["serve"]: return serve()
        case ["shut"]:
            // Whatever has become of the service: nothing stays open.
            var opening = Opening(.init())
            return opening.close() == .closed ? 0 : 1
        default: return 2
        }
    }

    /// Answers one connection after the other, until there is none for ten seconds.
    private static func serve() -> Int32 {
        Descriptor.ignoreBrokenPipes()
        let sockets = UnixSocket.passed()
        guard let listener = sockets.first?.descriptor, sockets.count == 1 else {
            StandardError.line("There is no socket: systemd starts this service when somebody asks for it.")
            return 2
        }
        guard let asker = Accounts.current(TransportGate.asker) else {
            StandardError.line("There is no account \(TransportGate.asker), so nobody may ask.")
            return 1
        }
        do {
            var gate = Gate(.init(), asker: asker, changes: try NetworkState.openChanges())
            // What was open before is nobody's now.
            guard gate.shut() else { return 1 }
            while Polling.wait(reading: [listener], seconds: 10).reading.contains(listener) {
                guard let connection = try UnixSocket.accept(listener) else { continue }
                defer { UnixSocket.close(connection) }
                // The unit's last step tries to close once more.
                guard gate.serve(connection) else { return 1 }
            }
            return 0
        } catch {
            StandardError.line("\(error)")
            return 1
        }
    }
}
