// SPDX-License-Identifier: GPL-3.0-or-later
import Testing
import TorControl

@testable import Clock

/// What tor 0.4.9 really said with a wrong clock in a private network.
@Suite("Tor's words on the time are understood")
struct EvidenceTests {
    private func evidence(_ line: String) throws -> Evidence? {
        var parser = ReplyParser(limits: ReplyParser.Limits())
        let replies = try parser.append(Array("650 \(line)\r\n".utf8))
        return Evidence(Event(try #require(replies.first)))
    }

    @Test("skews of relays and directories")
    func skew() throws {
        #expect(
            try evidence("STATUS_GENERAL WARN CLOCK_SKEW SKEW=-86400 SOURCE=OR:198.51.100.12:9001")
                == .skew(ahead: -86_400, source: "198.51.100.12:9001"))
        #expect(
            try evidence("STATUS_GENERAL WARN CLOCK_SKEW SKEW=3600 SOURCE=DIRSERV:198.51.100.12:9001")
                == .skew(ahead: 3600, source: "198.51.100.12:9001"))
    }

    @Test("the age of a consensus is not the time of its directory")
    func consensusAge() throws {
        #expect(try evidence("STATUS_GENERAL WARN CLOCK_SKEW SKEW=-5183982 SOURCE=CONSENSUS") == nil)
    }

    @Test(
        "hostile numbers",
        arguments: [
            "9223372036854775807", "-9223372036854775808", "99999999999999999999", "", "x", "1e9", "3155760000",
        ])
    func hostile(number: String) throws {
        #expect(try evidence("STATUS_GENERAL WARN CLOCK_SKEW SKEW=\(number) SOURCE=OR:192.0.2.1:1") == nil)
    }

    @Test("certificates that are not valid yet, or not any more")
    func certificates() throws {
        let line =
            "WARN (certificate lifetime runs from Dec 10 00:00:00 2025 GMT through Dec 10 00:00:00 2026 GMT. "
            + "Your time is Nov 20 23:43:13 2016 UTC.)"
        let from = try #require(Moment(torDate: "2025-12-10 00:00:00"))
        let through = try #require(Moment(torDate: "2026-12-10 00:00:00"))
        #expect(try evidence(line) == .certificateNotYetValid(from: from, through: through))
        #expect(try evidence(line.replacing("2016 UTC", with: "2036 UTC")) == .certificateExpired)
        #expect(
            try evidence("WARN Received a bad CERTS cell: At least one certificate expired.") == .certificateExpired)
    }

    @Test(
        "other lines are nothing",
        arguments: [
            "WARN Received a bad CERTS cell: The legacy RSA ID certificate was not valid",
            "WARN (certificate lifetime runs from Dec 40 00:00:00 2025 GMT through Dec 10 00:00:00 2026 GMT. Your time is x)",
            "WARN (certificate lifetime runs from Dec 10 00:00:00 2026 GMT through Dec 10 00:00:00 2025 GMT. Your time is Nov 20 23:43:13 2016 UTC.)",
            "WARN (certificate lifetime runs from ", "WARN ", "NOTICE Received a bad CERTS cell: expired",
            "STATUS_CLIENT NOTICE CIRCUIT_ESTABLISHED",
        ])
    func nothing(line: String) throws { #expect(try evidence(line) == nil) }

    @Test("what was said before anybody listened")
    func phase() throws {
        let phase = try #require(
            Bootstrap(
                phase:
                    "WARN BOOTSTRAP PROGRESS=14 TAG=handshake SUMMARY=\"Handshaking with a relay\" WARNING=\"Clock skew -86400 in NETINFO cell from OR\" REASON=CLOCK_SKEW COUNT=1 RECOMMENDATION=warn HOSTID=\"F9BF7FB0CC0675CE10ACD1A7A33DFC03AE15FB53\" HOSTADDR=\"198.51.100.12:9001\""
            ))
        #expect(Evidence(phase) == .skew(ahead: -86_400, source: "198.51.100.12:9001"))
        let other = try #require(
            Bootstrap(
                phase:
                    "WARN BOOTSTRAP PROGRESS=40 TAG=loading_keys SUMMARY=\"x\" WARNING=\"Clock skew -5183982 in microdesc flavor consensus from CONSENSUS\" REASON=CLOCK_SKEW COUNT=1 RECOMMENDATION=warn HOSTID=\"?\" HOSTADDR=\"?\""
            ))
        #expect(Evidence(other) == nil)
    }
}
