// SPDX-License-Identifier: GPL-3.0-or-later
import Linux
import Varlink

/// `needletail-login-page`: asks for the login page of the network, and says what becomes of it.
public enum LoginPageCommand {
    /// Runs the command.
    ///
    /// - Parameter arguments: without the program's name.
    /// - Returns: its exit status: 0 when the page was open and was closed, 1 when not, 2 for wrong words.
    public static func run(_ arguments: [String]) async -> Int32 {
        let client = VarlinkClient(path: PortalInterface.socket)
        do {
            switch arguments {
            case []: return try await open(client)
            case ["--state"]:
                print(
                    Words.state(
                        try await client.call("org.needletail.Portal.GetState", returning: StateReply.self).state))
                return 0
            case ["--close"]:
                print(
                    Words.state(try await client.call("org.needletail.Portal.Close", returning: StateReply.self).state))
                return 0
            case ["--help"], ["-h"]:
                print(Words.help, terminator: "")
                return 0
            default:
                print(Words.help, terminator: "")
                return 2
            }
        } catch let error as VarlinkError {
            let reason = error.parameters["reason"]?.text.flatMap(PortalRefusal.init(rawValue:))
            print(reason.map(Words.refusal) ?? (error == .permissionDenied ? Words.notAllowed : Words.serviceGone))
            return 1
        } catch {
            print(Words.serviceGone)
            return 1
        }
    }

    private static func open(_ client: VarlinkClient) async throws -> Int32 {
        _ = try await client.call("org.needletail.Portal.Open", returning: StateReply.self)
        print(Words.asked)
        var phase = PortalState.Phase.asking
        var last = PortalState()
        for try await reply in client.observe("org.needletail.Portal.Monitor", returning: StateReply.self) {
            last = reply.state
            if last.phase == .open, phase != .open { print(Words.opened(last.secondsLeft ?? 0)) }
            phase = last.phase
        }
        guard let end = last.end else { return 1 }
        print(Words.end(end))
        return [.quit, .timeLimit, .connected].contains(end) ? 0 : 1
    }
}
