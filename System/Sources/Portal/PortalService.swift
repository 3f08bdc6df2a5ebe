// SPDX-License-Identifier: GPL-3.0-or-later
import Linux
import Sockets
import Uplink
import Varlink
import Walls

/// The service: org.needletail.Portal on the sockets that systemd passes.
public enum PortalService {
    /// Who may ask: the user of the session. Root needs no service for this.
    static let users: Set<UInt32> = [1000]
    /// The longest time limit: the browser's unit has one of its own.
    static let longest = 600
    /// How long it stays when nobody is connected and nothing is open.
    private static let idle = Duration.seconds(10)

    /// Answers until nobody is connected and nothing is open.
    ///
    /// - Parameter seconds: for how long the page may be open; 5 to 600.
    /// - Returns: an exit status.
    public static func run(seconds: Int) async -> Int32 {
        // Whatever was before: this service opens nothing that is open already.
        for problem in Door().close(nil) { StandardError.line("login page: closing: \(problem)") }
        let portal = Portal(.system, limit: min(max(5, seconds), longest))
        do {
            let service = try service(portal)
            let listeners = Listener.passed()
            guard !listeners.isEmpty else {
                StandardError.line("There is no socket: systemd starts this service when somebody asks for it.")
                return 1
            }
            let server = VarlinkServer(service)
            repeat { await server.run(listeners, idle: idle) } while await portal.state.phase != .closed
            return 0
        } catch {
            StandardError.line("\(error)")
            return 1
        }
    }

    /// Closes the way, whatever has become of the service: the last step of its unit.
    ///
    /// - Returns: an exit status.
    public static func shut() -> Int32 {
        let problems = Door().close(Uplink.current())
        for problem in problems { StandardError.line("login page: closing: \(problem)") }
        return problems.isEmpty ? 0 : 1
    }

    static func service(_ portal: Portal) throws -> VarlinkService {
        var service = try VarlinkService(product: "Needletail login page", version: "1")
        try service.add(VarlinkInterface(PortalInterface.text)) { methods in
            methods.answer("Open") { (_: Nothing, caller) in
                try caller.require(users: users)
                do {
                    return StateReply(state: try await portal.open())
                } catch let refusal as PortalRefusal {
                    throw VarlinkError(
                        "org.needletail.Portal.NotAllowed", ["reason": .string(refusal.rawValue)])
                }
            }
            methods.answer("Close") { (_: Nothing, caller) in
                try caller.require(users: users.union([0]))
                return StateReply(state: await portal.close())
            }
            methods.answer("GetState") { (_: Nothing, caller) in
                try caller.require(users: users.union([0]))
                return StateReply(state: await portal.state)
            }
            methods.observe("Monitor") { (_: Nothing, caller, updates: VarlinkUpdates<StateReply>) in
                try caller.require(users: users.union([0]))
                for await state in await portal.states() { try await updates.send(StateReply(state: state)) }
                return StateReply(state: await portal.state)
            }
        }
        return service
    }
}
