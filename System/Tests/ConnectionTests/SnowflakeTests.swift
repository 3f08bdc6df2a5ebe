// SPDX-License-Identifier: GPL-3.0-or-later
import Linux
import Testing
import TorControl

@testable import Connection

@Suite("The firewall is open for snowflake, and for nothing else", .timeLimit(.minutes(1)))
struct SnowflakeTests {
    static let bridges = BridgeText.bridges(in: BridgeTests.snowflake) ?? []
    static let hide = "UseBridges=\"1\" " + bridges.map { "Bridge=\"\($0.line)\"" }.joined(separator: " ")

    func with(
        _ name: String, tor state: FakeTor.State = .init(), saved: String? = nil, hasOpener: Bool = true,
        _ body: @Sendable (Keeper, FakeTor, FakeOpener) async throws -> Void
    ) async throws {
        try await KeeperTests().with("snow-\(name)", tor: state, saved: saved) { keeper, tor in
            let opener = try FakeOpener(in: tor.folder)
            if !hasOpener { try FileTree.remove("\(tor.folder)/opener") }
            defer { opener.stop() }
            try await tor.untilVisited()
            try await body(keeper, tor, opener)
        }
    }

    /// Waits for something, for three seconds at most.
    func until(_ isSo: () async -> Bool) async throws {
        for _ in 0..<300 where await !isSo() { try await Task.sleep(for: .milliseconds(10)) }
        #expect(await isSo())
    }

    @Test("it is opened before the bridges are set, and closed before another way is taken")
    func order() async throws {
        try await with("order") { keeper, tor, opener in
            await keeper.choose(.hide(Self.bridges))
            #expect(opener.events == ["open"])
            #expect(
                tor.state.withLock { $0.changes }.filter { $0 != "DROPGUARDS" } == [Self.hide, "DisableNetwork=\"0\""])
            await keeper.choose(.direct)
            try await until { opener.events == ["open", "close", "end"] }
            #expect(tor.state.withLock { $0.disableNetwork } == "0")
            await keeper.choose(.hide(Self.bridges))
            await keeper.choose(.off)
            try await until { opener.events.suffix(3) == ["open", "close", "end"] }
            #expect(await keeper.state == .disconnected)
        }
    }

    @Test("other choices do not ask for anything")
    func others() async throws {
        try await with("others") { keeper, _, opener in
            await keeper.choose(.direct)
            await keeper.choose(.hide(KeeperTests.bridges))
            await keeper.choose(.off)
            #expect(opener.events.isEmpty)
        }
    }

    @Test("without an opener, or when it fails, Tor's network stays off and the user is told")
    func notOpened() async throws {
        for hasOpener in [false, true] {
            try await with("not-opened-\(hasOpener)", hasOpener: hasOpener) { keeper, tor, opener in
                opener.state.withLock { $0.answer = "failed" }
                await keeper.choose(.hide(Self.bridges))
                #expect(await keeper.state == .torFailed(reason: Words.firewallNotOpened))
                #expect(tor.state.withLock { !$0.changes.contains("DisableNetwork=\"0\"") })
                // Another choice is free.
                await keeper.choose(.direct)
                #expect(tor.state.withLock { $0.disableNetwork } == "0")
                #expect(await keeper.state.code == "connecting")
            }
        }
    }

    @Test("when it cannot be closed, Tor's network stays off and the user is told, until it is closed")
    func notClosed() async throws {
        try await with("not-closed") { keeper, tor, opener in
            await keeper.choose(.hide(Self.bridges))
            opener.state.withLock { $0.failsToClose = true }
            for choice in [ConnectionChoice.direct, .hide(KeeperTests.bridges), .off] {
                await keeper.choose(choice)
                #expect(await keeper.state == .torFailed(reason: Words.firewallNotClosed))
                #expect(tor.state.withLock { $0.disableNetwork } == "1")
            }
            opener.state.withLock { $0.failsToClose = false }
            await keeper.choose(.direct)
            #expect(tor.state.withLock { $0.disableNetwork } == "0")
            #expect(await keeper.state.code == "connecting")
        }
    }

    @Test("what a service that crashed has left open is closed before the choice is followed")
    func leftOpen() async throws {
        try await with("left-open", saved: "direct") { keeper, tor, opener in
            opener.mark(true)
            await keeper.choose(.direct)
            #expect(opener.events.first == "close")
            #expect(tor.state.withLock { $0.disableNetwork } == "0")
        }
    }

    @Test("a network without a name server is waited for, and then told")
    func names() async throws {
        try await with("names") { keeper, tor, opener in
            opener.state.withLock { $0.answer = "waiting" }
            await keeper.choose(.hide(Self.bridges))
            #expect(tor.state.withLock { $0.changes }.filter { $0 != "DROPGUARDS" } == [Self.hide])
            #expect(await keeper.state == .connecting(progress: 0, what: Words.lookingForNames))
            await opener.say("open")
            try await until { tor.state.withLock { $0.disableNetwork } == "0" }
        }
    }

    @Test("an opener that ends is asked again, and without it the network goes off")
    func lost() async throws {
        try await with("lost") { keeper, tor, opener in
            await keeper.choose(.hide(Self.bridges))
            opener.hangUp()
            try await until { opener.events == ["open", "end", "open"] }
            opener.state.withLock { $0.answer = "failed" }
            opener.hangUp()
            try await until { tor.state.withLock { $0.disableNetwork } == "1" }
            try await until { await keeper.state == .torFailed(reason: Words.firewallNotOpened) }
        }
    }

    @Test("an answer that is none, or none at all, opens nothing")
    func hostile() async throws {
        for word in ["yes", "closed", "", String(repeating: "a", count: 500)] {
            try await with("hostile-\(word.count)") { keeper, tor, opener in
                opener.state.withLock { $0.answer = word }
                await keeper.choose(.hide(Self.bridges))
                #expect(await keeper.state == .torFailed(reason: Words.firewallNotOpened))
                #expect(tor.state.withLock { !$0.changes.contains("DisableNetwork=\"0\"") })
            }
        }
    }
}
