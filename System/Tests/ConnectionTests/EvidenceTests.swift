// SPDX-License-Identifier: GPL-3.0-or-later
import Linux
import Testing
import TorControl

@testable import Connection

@Suite("Connection states")
struct EvidenceTests {
    static func card(up: Bool = true, carrier: Bool = true, address: Bool = true) -> NetworkState.Interface {
        .init(name: "eth0", isUp: up, hasCarrier: carrier, addresses: address ? [1] : [], metric: address ? 100 : nil)
    }

    static let bridges =
        BridgeText.bridges(in: "192.0.2.7:443\nobfs4 192.0.2.8:1 cert=\(BridgeTests.certificate) iat-mode=0") ?? []

    static func evidence(_ choice: ConnectionChoice? = .direct, _ cards: [NetworkState.Interface] = [card()])
        -> Evidence
    {
        var evidence = Evidence()
        evidence.choice = choice
        evidence.network = NetworkState(interfaces: cards)
        evidence.tor = .running
        evidence.beginTry(now: 0)
        return evidence
    }

    /// An event as Tor sends it.
    static func event(_ line: String) -> Event { Event(Reply(last: .init(status: 650, text: line))) }

    static func state(_ choice: ConnectionChoice, _ lines: [String], now: Double = 1) -> ConnectionState {
        var evidence = evidence(choice)
        for line in lines { evidence.take(event(line), now: 0) }
        return evidence.state(now: now)
    }

    @Test("the network comes before Tor, and the choice before both")
    func network() {
        #expect(Self.evidence(nil).state(now: 1) == .notChosen)
        #expect(Self.evidence(nil, []).state(now: 1) == .notChosen)
        #expect(Self.evidence(.off).state(now: 1) == .disconnected)
        #expect(Self.evidence(.direct, []).state(now: 1) == .noInterface)
        #expect(Self.evidence(.direct, [Self.card(carrier: false, address: false)]).state(now: 1) == .noCable)
        #expect(Self.evidence(.direct, [Self.card(carrier: false)]).state(now: 1) == .noCable)
        #expect(Self.evidence(.direct, [Self.card(address: false)]).state(now: 1) == .noAddress)
        // Nobody has switched it on yet.
        #expect(
            Self.evidence(.direct, [Self.card(up: false, carrier: false, address: false)]).state(now: 1) == .noAddress)
        var off = Self.evidence(.direct, [Self.card(up: false, carrier: false, address: false)])
        off.interfacesOff = ["eth0": "Its address could not be made random."]
        #expect(off.state(now: 1) == .networkOff(reason: "Its address could not be made random."))
    }

    @Test("snowflake has more time, waits for a name server, and says what it lacks")
    func snowflake() {
        let bridges = BridgeText.bridges(in: BridgeTests.snowflake) ?? []
        var evidence = Self.evidence(.hide(bridges))
        evidence.take(
            Self.event("STATUS_CLIENT NOTICE BOOTSTRAP PROGRESS=10 TAG=conn_done SUMMARY=\"Connected to a relay\""),
            now: 0)
        #expect(evidence.state(now: 60).code == "connecting")
        #expect(evidence.state(now: 91) == .snowflakeUnreachable(which: ["192.0.2.3:80"]))
        #expect(evidence.state(now: 91).code == "bridgeUnreachable" && evidence.state(now: 91).isProblem)
        evidence.namesMissingSince = 91
        #expect(evidence.state(now: 92).code == "connecting")
        #expect(evidence.state(now: 102) == .noNames)
        // The firewall counts for every choice, also when the user has switched all off.
        evidence.firewallProblem = "x"
        evidence.choice = .off
        #expect(evidence.state(now: 102) == .torFailed(reason: "x"))
    }

    @Test("progress, success, and a Tor that does not start")
    func progress() {
        let steps = [
            "STATUS_CLIENT NOTICE BOOTSTRAP PROGRESS=5 TAG=conn SUMMARY=\"Connecting to a relay\"",
            "STATUS_CLIENT NOTICE BOOTSTRAP PROGRESS=45 TAG=requesting_descriptors SUMMARY=\"Asking\"",
        ]
        #expect(Self.state(.direct, steps) == .connecting(progress: 45, what: "Learning about the relays"))
        #expect(Self.state(.direct, steps, now: 1000) == .connecting(progress: 45, what: "Learning about the relays"))
        let done = steps + ["STATUS_CLIENT NOTICE BOOTSTRAP PROGRESS=100 TAG=done SUMMARY=\"Done\""]
        let relays = ["A", "B", "C"].map { "$" + String(repeating: $0, count: 40) }
        #expect(Self.state(.direct, done).code == "connecting")
        #expect(Self.state(.direct, done + ["CIRC 1 BUILT \(relays[0])"]).code == "connecting")
        #expect(Self.state(.direct, done + ["CIRC 1 BUILT \(relays.joined(separator: ","))"]) == .connected)
        var evidence = Self.evidence()
        evidence.tor = .absent(since: 0)
        #expect(evidence.state(now: 1) == .connecting(progress: 0, what: "Starting Tor"))
        #expect(evidence.state(now: 30) == .torFailed(reason: "Tor does not start."))
        evidence.tor = .refusing("Why.")
        #expect(evidence.state(now: 1) == .torFailed(reason: "Why."))
    }

    @Test(
        "one relay that fails means nothing, several say why",
        arguments: [
            ("TIMEOUT", ConnectionState.censored), ("NOROUTE", .censored), ("CONNECTREFUSED", .captivePortalSuspected),
            ("TLS_ERROR", .captivePortalSuspected), ("IDENTITY", .captivePortalSuspected),
            ("CONNECTRESET", .captivePortalSuspected), ("DONE", .captivePortalSuspected),
        ])
    func relays(reason: String, state: ConnectionState) {
        let failed = (1...6).map { "ORCONN 198.51.100.\($0):9001 FAILED REASON=\(reason) NCIRCS=1 ID=\($0)" }
        let connecting = ConnectionState.connecting(progress: 0, what: "Starting Tor")
        #expect(Self.state(.direct, Array(failed.prefix(1))) == connecting)
        // The same one again and again is still one.
        #expect(Self.state(.direct, Array(repeating: failed[0], count: 20)) == connecting)
        #expect(Self.state(.direct, failed) == state)
        // One that answers settles it.
        #expect(Self.state(.direct, failed + ["ORCONN $\(BridgeTests.fingerprint)~a CONNECTED ID=9"]) == connecting)
    }

    @Test("nobody answering for long is a problem too")
    func silence() {
        let start = "STATUS_CLIENT NOTICE BOOTSTRAP PROGRESS=5 TAG=conn SUMMARY=\"Connecting to a relay\""
        #expect(Self.state(.direct, [start], now: 100) == .censored)
        #expect(
            Self.state(.hide(Self.bridges), [start], now: 100)
                == .bridgeUnreachable(which: ["192.0.2.7:443", "192.0.2.8:1"]))
    }

    @Test("bridges are a problem when none of them answers")
    func bridges() {
        let failed = Self.bridges.enumerated().map { "ORCONN \($1.endpoint) FAILED REASON=TIMEOUT NCIRCS=1 ID=\($0)" }
        let which = Self.bridges.map(\.endpoint)
        #expect(Self.state(.hide(Self.bridges), [failed[0]]) == .connecting(progress: 0, what: "Starting Tor"))
        #expect(Self.state(.hide(Self.bridges), failed) == .bridgeUnreachable(which: which))
        #expect(
            Self.state(.hide(Self.bridges), failed + ["ORCONN 192.0.2.7:443 FAILED REASON=IDENTITY ID=4"])
                == .bridgeRefused(which: which))
        #expect(
            Self.state(.hide(Self.bridges), ["ORCONN 192.0.2.8:1 FAILED REASON=PT_MISSING ID=4"]).code == "torFailed")
    }

    @Test(
        "a wrong clock is told with its direction",
        arguments: [(7200, 2), (-86400, -24), (1800, 1), (-1801, -1), (315_360_000, 87_600), (-600, nil), (1700, nil)])
    func clock(seconds: Int, hours: Int?) {
        let line = "STATUS_GENERAL WARN CLOCK_SKEW SKEW=\(seconds) SOURCE=OR:198.51.100.1:9001"
        let state = Self.state(.direct, [line])
        if let hours { #expect(state == .clockWrong(hours: hours)) } else { #expect(state.code == "connecting") }
    }

    @Test("hours that make no sense are no crash")
    func hostileClock() {
        for text in ["9223372036854775807", "-9223372036854775808", "99999999999999999999", "x", ""] {
            _ = Self.state(.direct, ["STATUS_GENERAL WARN CLOCK_SKEW SKEW=\(text) SOURCE=CONSENSUS"])
        }
    }

    @Test("every state has words for people, and a code that the interface knows")
    func words() {
        let states: [ConnectionState] = [
            .notChosen, .noInterface, .networkOff(reason: "Why."), .noCable, .noAddress,
            .connecting(progress: 3, what: "X"),
            .connected, .captivePortalSuspected, .clockWrong(hours: -1), .bridgeUnreachable(which: ["a"]),
            .bridgeRefused(which: ["a", "b"]), .censored, .torFailed(reason: "Why."), .disconnected,
        ]
        for state in states {
            let wire = ConnectionInterface.State(state, mode: nil)
            #expect(ConnectionInterface.text.contains(state.code))
            #expect(!wire.sentence.isEmpty && !wire.explanation.isEmpty)
            #expect(wire.advice.isEmpty == ["connecting", "connected"].contains(state.code))
        }
        #expect(Set(states.map(\.code)).count == states.count)
    }

    @Test(
        "only the boot menu's word connects without being asked",
        arguments: [
            ("a needletail.connect=direct b", ConnectionChoice.direct), ("needletail.connect=ask", nil), ("", nil),
            ("needletail.connect=direct needletail.connect=ask", nil), ("xneedletail.connect=direct", nil),
            ("needletail.connect=directly", nil), ("needletail.connect=ask needletail.connect=direct", nil),
        ] as [(String, ConnectionChoice?)])
    func commandLine(text: String, choice: ConnectionChoice?) {
        #expect(ConnectionService.initialChoice(commandLine: text) == choice)
    }
}
