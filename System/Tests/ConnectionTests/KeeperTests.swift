// SPDX-License-Identifier: GPL-3.0-or-later
import Linux
import Synchronization
import Testing

@testable import Connection

@Suite("Telling Tor how to connect", .timeLimit(.minutes(1)))
struct KeeperTests {
    static let bridges =
        BridgeText.bridges(in: "192.0.2.7:443\n\(BridgeTests.obfs4.replacing("2.7:", with: "2.8:"))") ?? []
    static let hide = "UseBridges=\"1\" " + bridges.map { "Bridge=\"\($0.line)\"" }.joined(separator: " ")
    static let direct = "UseBridges=\"0\" Bridge"

    final class Network: Sendable {
        let isThere = Mutex(true)
        let addresses = Mutex<[UInt32]>([1])
        var state: NetworkState {
            guard isThere.withLock({ $0 }) else {
                return NetworkState(interfaces: [EvidenceTests.card(address: false)])
            }
            let cards = addresses.withLock { $0 }.map { address in
                NetworkState.Interface(
                    name: "eth\(address)", isUp: true, hasCarrier: true, addresses: [address], metric: 100 + address)
            }
            return NetworkState(interfaces: cards)
        }
    }

    /// Runs a keeper beside a Tor.
    func with(
        _ name: String, tor state: FakeTor.State = .init(), network: Network = Network(),
        initial: ConnectionChoice? = nil,
        saved: String? = nil, _ body: @Sendable (Keeper, FakeTor) async throws -> Void
    ) async throws {
        let tor = try FakeTor(name, state: state)
        defer { tor.stop() }
        var places = Keeper.Places()
        places.controlSocket = "\(tor.folder)/control"
        places.controlCookie = "\(tor.folder)/cookie"
        places.choiceFile = "\(tor.folder)/choice"
        // The opener's own are not this test's.
        places.transports = .init(socket: "\(tor.folder)/opener", resolverFile: "\(tor.folder)/names", patience: 5)
        try? FileTree.remove(places.choiceFile)
        if let saved { try File(places.choiceFile, .create(mode: 0o600)).write(Array(saved.utf8)) }
        let keeper = Keeper(places: places, log: { _ in }, network: { network.state })
        try await withThrowingTaskGroup { group in
            group.addTask { await keeper.run(initial: initial) }
            try await body(keeper, tor)
            group.cancelAll()
        }
    }

    /// The changes, when there are so many, or after a while.
    func changes(_ tor: FakeTor, _ count: Int) async throws -> [String] {
        for _ in 0..<1000 where tor.state.withLock({ $0.changes.count }) < count {
            try await Task.sleep(for: .milliseconds(10))
        }
        // What comes too much comes soon.
        try await Task.sleep(for: .milliseconds(50))
        return tor.state.withLock { $0.changes }
    }

    @Test("without a choice Tor is told nothing")
    func nothing() async throws {
        try await with("nothing") { keeper, tor in
            try await tor.untilVisited()
            try await Task.sleep(for: .milliseconds(200))
            #expect(tor.state.withLock { $0.changes } == [])
            #expect(await keeper.state == .notChosen)
        }
    }

    @Test("the boot menu's choice connects directly")
    func direct() async throws {
        try await with("direct", initial: .direct) { _, tor in
            let changes = try await changes(tor, 1)
            #expect(changes == ["DisableNetwork=\"0\""])
        }
    }

    @Test("hiding sets every bridge in one command, before the network goes on")
    func hide() async throws {
        try await with("hide") { keeper, tor in
            try await tor.untilVisited()
            await keeper.choose(.hide(Self.bridges))
            #expect(try await changes(tor, 2) == [Self.hide, "DisableNetwork=\"0\""])
        }
    }

    @Test("from direct to hidden and back every connection is ended first")
    func change() async throws {
        try await with("change", initial: .direct) { keeper, tor in
            _ = try await changes(tor, 1)
            await keeper.choose(.hide(Self.bridges))
            await keeper.choose(.direct)
            await keeper.choose(.off)
            #expect(
                try await changes(tor, 8) == [
                    "DisableNetwork=\"0\"", "DisableNetwork=\"1\"", Self.hide, "DisableNetwork=\"0\"",
                    "DisableNetwork=\"1\"", Self.direct, "DisableNetwork=\"0\"", "DisableNetwork=\"1\"",
                ])
            #expect(await keeper.state == .disconnected)
        }
    }

    @Test("after a failure the next choice gets a Tor that holds no grudge, and the failure does not count against it")
    func grudge() async throws {
        var state = FakeTor.State()
        state.lastWords = (0..<100).map {
            "650 ORCONN 192.0.2.\($0 % 2 + 7):443 FAILED REASON=MISC NCIRCS=1\r\n"
        }.joined()
        try await with("grudge", tor: state, initial: .direct) { keeper, tor in
            _ = try await changes(tor, 1)
            await keeper.choose(.hide(Self.bridges))
            #expect(await keeper.state.code == "connecting")
            let on = "DisableNetwork=\"0\""
            #expect(
                try await changes(tor, 6) == [on, "DisableNetwork=\"1\"", Self.hide, "crash", Self.hide, on])
            #expect(await keeper.state.code == "connecting")
        }
    }

    @Test("bridges that Tor does not take over, or refuses, leave the network off")
    func notTaken() async throws {
        var states = [FakeTor.State(), FakeTor.State()]
        states[0].forgetsBridges = true
        states[1].refuses = true
        for (number, state) in states.enumerated() {
            try await with("not-taken-\(number)", tor: state) { keeper, tor in
                try await tor.untilVisited()
                await keeper.choose(.hide(Self.bridges))
                for _ in 0..<1000 where await keeper.state.code != "torFailed" {
                    try await Task.sleep(for: .milliseconds(10))
                }
                #expect(await keeper.state.code == "torFailed")
                try await Task.sleep(for: .milliseconds(300))
                #expect(!tor.state.withLock { $0.changes }.contains("DisableNetwork=\"0\""))
            }
        }
    }

    @Test("when the address is gone, connections that began from it are ended; another card besides changes nothing")
    func moved() async throws {
        let network = Network()
        try await with("moved", network: network, initial: .direct) { keeper, tor in
            _ = try await changes(tor, 1)
            network.addresses.withLock { $0 = [1, 2] }
            try await Task.sleep(for: .seconds(6))
            #expect(tor.state.withLock { $0.changes } == ["DisableNetwork=\"0\""])
            network.addresses.withLock { $0 = [2] }
            #expect(
                try await changes(tor, 3) == [
                    "DisableNetwork=\"0\"", "DisableNetwork=\"1\"", "DisableNetwork=\"0\"",
                ])
        }
    }

    @Test("a Tor that crashed gets the same choice again, before its network goes on")
    func crash() async throws {
        try await with("crash") { keeper, tor in
            try await tor.untilVisited()
            await keeper.choose(.hide(Self.bridges))
            _ = try await changes(tor, 2)
            tor.crash()
            let hidden = [Self.hide, "DisableNetwork=\"0\""]
            #expect(try await changes(tor, 5) == hidden + ["crash"] + hidden)
        }
    }

    @Test("nothing is tried before there is an address")
    func waiting() async throws {
        let network = Network()
        network.isThere.withLock { $0 = false }
        try await with("waiting", network: network, initial: .direct) { keeper, tor in
            try await tor.untilVisited()
            try await Task.sleep(for: .milliseconds(200))
            #expect(tor.state.withLock { $0.changes } == [])
            #expect(await keeper.state == .noAddress)
            network.isThere.withLock { $0 = true }
            // Reading the state again every 5 s finds what no news told.
            for _ in 0..<60 where tor.state.withLock({ $0.changes.isEmpty }) {
                try await Task.sleep(for: .milliseconds(100))
            }
            #expect(tor.state.withLock { $0.changes } == ["DisableNetwork=\"0\""])
        }
    }

    @Test("a service that starts again goes on where it was, and never from hidden to direct")
    func restart() async throws {
        var hidden = FakeTor.State()
        hidden.useBridges = "1"
        hidden.bridges = Self.bridges.map(\.line)
        hidden.disableNetwork = "0"
        // With and without the file; the boot menu said "direct".
        for saved in ["hide\n" + Self.bridges.map(\.line).joined(separator: "\n"), nil] {
            try await with("restart-\(saved == nil)", tor: hidden, initial: .direct, saved: saved) { keeper, tor in
                for _ in 0..<1000 where await keeper.choice != .hide(Self.bridges) {
                    try await Task.sleep(for: .milliseconds(10))
                }
                try await tor.untilVisited()
                try await Task.sleep(for: .milliseconds(100))
                #expect(tor.state.withLock { $0.changes } == [])
                #expect(await keeper.choice == .hide(Self.bridges))
            }
        }
        for saved in ["", "hide\nnonsense", "hide", "x"] {
            try await with("restart-\(saved.count)", tor: hidden, initial: .direct, saved: saved) { keeper, tor in
                let changes = try await changes(tor, 1)
                #expect(changes == ["DisableNetwork=\"1\""])
                #expect(await keeper.choice == .off)
            }
        }
    }
}
