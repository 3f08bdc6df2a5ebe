// SPDX-License-Identifier: GPL-3.0-or-later
import Linux
import Sockets
import Varlink

/// The program `needletail-connection`.
public enum ConnectionService {
    /// The session's user, and root: who may say how to connect.
    static let choosers: Set<UInt32> = [0, 1000]

    /// Runs until it is stopped.
    ///
    /// - Returns: the exit status.
    public static func run() async -> Int32 {
        let listeners = Listener.passed()
        guard !listeners.isEmpty else {
            StandardError.line("needletail-connection is started by systemd, for its socket.")
            return 2
        }
        let keeper = Keeper()
        do {
            let server = VarlinkServer(try service(for: keeper))
            let initial = initialChoice(commandLine: (try? File.text("/proc/cmdline")) ?? "")
            await withDiscardingTaskGroup { group in
                group.addTask { await keeper.run(initial: initial) }
                group.addTask { await server.run(listeners) }
            }
            return 0
        } catch {
            StandardError.line("needletail-connection cannot start: \(error)")
            return 1
        }
    }

    /// The choice that the boot menu's entry has made: the kernel option `needletail.connect=direct`. Anything else waits for the
    /// user.
    static func initialChoice(commandLine: String) -> ConnectionChoice? {
        let values = commandLine.split(whereSeparator: \.isWhitespace).filter { $0.hasPrefix("needletail.connect=") }
        return values.last == "needletail.connect=direct" && Set(values).count == 1 ? .direct : nil
    }

    static func service(for keeper: Keeper) throws -> VarlinkService {
        var service = try VarlinkService(product: "Needletail connection", version: "1")
        try service.add(try VarlinkInterface(ConnectionInterface.text)) { methods in
            methods.answer("GetState") { (_: Nothing, _) in
                ConnectionInterface.StateReply(state: await keeper.wireState)
            }
            methods.observe("Monitor") { (_: Nothing, _, updates) in
                for await _ in await keeper.states() {
                    try await updates.send(ConnectionInterface.StateReply(state: await keeper.wireState))
                }
                return ConnectionInterface.StateReply(state: await keeper.wireState)
            }
            methods.answer("Connect") { (parameters: ConnectionInterface.ConnectParameters, caller) in
                try caller.require(users: choosers)
                await keeper.choose(try choice(parameters))
                return Nothing()
            }
            methods.answer("Disconnect") { (_: Nothing, caller) in
                try caller.require(users: choosers)
                await keeper.choose(.off)
                return Nothing()
            }
            methods.answer("CheckBridges") { (parameters: ConnectionInterface.CheckParameters, _) in
                ConnectionInterface.VerdictsReply(
                    verdicts: BridgeText.check(parameters.text).map(ConnectionInterface.Verdict.init))
            }
        }
        return service
    }

    static func choice(_ parameters: ConnectionInterface.ConnectParameters) throws -> ConnectionChoice {
        let lines = parameters.bridges ?? []
        guard parameters.mode == "hide" else {
            guard lines.isEmpty else { throw VarlinkError.invalidParameter("bridges") }
            return .direct
        }
        let verdicts = BridgeText.check(lines.joined(separator: "\n"))
        let bridges = verdicts.compactMap { try? $0.result.get() }
        guard bridges.count == verdicts.count else {
            throw try VarlinkError(
                "\(ConnectionInterface.name).BadBridges",
                encoding: ConnectionInterface.VerdictsReply(verdicts: verdicts.map(ConnectionInterface.Verdict.init)))
        }
        guard !bridges.isEmpty else { throw VarlinkError("\(ConnectionInterface.name).NoBridges") }
        return .hide(bridges)
    }
}

extension Keeper {
    /// The state now, for callers.
    var wireState: ConnectionInterface.State { ConnectionInterface.State(state, mode: choice?.mode) }
}
