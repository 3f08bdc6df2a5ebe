// SPDX-License-Identifier: GPL-3.0-or-later
import ControlFilter
import Testing
import TorControl

@Suite("What the control filter lets through")
struct GateTests {
    private func requests(_ text: String) -> [RequestParser.Element] {
        var parser = RequestParser()
        return parser.append(Array(text.utf8))
    }

    private func decide(_ line: String, _ name: String) throws -> [Decision] {
        let gate = Gate(try Shipped.policy(name))
        return requests(line + "\r\n").map { element in
            if case .request(let request) = element { gate.decide(request) } else { .refuse }
        }
    }

    @Test("what is forbidden is refused for every client, however it is written", arguments: Forbidden.lines)
    func forbidden(line: String) throws {
        for name in Shipped.names {
            let decisions = try decide(line, name)
            #expect(!decisions.isEmpty)
            #expect(decisions.allSatisfy { $0 == .refuse }, "\(name): \(decisions)")
        }
    }

    @Test("only the clock may make Tor plan its tries anew", arguments: ["SIGNAL RELOAD", "SIGNAL HUP"])
    func reload(line: String) throws {
        for name in Shipped.names where name != "clock" || line != "SIGNAL RELOAD" {
            #expect(try decide(line, name).allSatisfy { $0 == .refuse }, "\(name)")
        }
    }

    @Test("each client is allowed what it needs")
    func allowed() throws {
        let print = String(repeating: "AB", count: 20)
        for (name, line) in [
            ("status", "GETINFO circuit-status"), ("status", "GETINFO ns/id/\(print) ns/id/$\(print)"),
            ("status", "getinfo version status/bootstrap-phase"), ("status", "SETEVENTS CIRC STATUS_CLIENT EXTENDED"),
            ("session", "SIGNAL NEWNYM"), ("session", "signal newnym"), ("session", "SETEVENTS CONF_CHANGED"),
            ("session", "GETINFO net/listeners/socks status/bootstrap-phase"), ("session", "PROTOCOLINFO 1"),
            ("session", "AUTHENTICATE"), ("session", "AUTHENTICATE \"password\""), ("session", "QUIT"),
            ("clock", "SETEVENTS STATUS_GENERAL STATUS_CLIENT"), ("clock", "GETINFO consensus/valid-after"),
        ] {
            let decisions = try decide(line, name)
            #expect(decisions.count == 1 && decisions[0] != .refuse, "\(name): \(line)")
        }
        // And not what another needs.
        #expect(try decide("GETINFO circuit-status", "session") == [.refuse])
        #expect(try decide("SIGNAL NEWNYM", "clock") == [.refuse])
        #expect(try decide("SIGNAL NEWNYM", "status") == [.refuse])
    }

    @Test("what goes to Tor is made anew, without the client's capitals and spaces")
    func madeAnew() throws {
        #expect(try decide("signal   newnym", "session") == [.tell(try Command("SIGNAL", ["NEWNYM"]))])
        #expect(
            try decide("getinfo   version   status/bootstrap-phase ", "session") == [
                .getInfo(
                    keys: ["version", "status/bootstrap-phase"],
                    asked: try Command.getInfo(["version", "status/bootstrap-phase"]))
            ])
        #expect(try decide("setevents warn", "session") == [.setEvents(try Command.setEvents([]), count: 0)])
    }

    @Test("a fixed answer never asks Tor")
    func fixed() throws {
        let gate = Gate(try Shipped.policy("session"))
        #expect(
            try decide("GETINFO net/listeners/socks", "session") == [
                .getInfo(keys: ["net/listeners/socks"], asked: nil)
            ])
        let reply = gate.answer(to: ["net/listeners/socks"], from: nil)
        #expect(reply.values.first?.value?.hasPrefix("\"10.77.0.1:9050\"") == true)
    }

    @Test("circuits are shown without SOCKS names, onion addresses and whatever else is not listed")
    func circuits() throws {
        let path = "$\(String(repeating: "A1", count: 20))~one,$\(String(repeating: "B2", count: 20))~two"
        let line =
            "7 BUILT \(path) BUILD_FLAGS=NEED_CAPACITY PURPOSE=HS_CLIENT_REND HS_STATE=HSCR_JOINED REND_QUERY=abcdefghijklmnop "
            + "TIME_CREATED=2026-11-21T11:40:10.000000 SOCKS_USERNAME=\"site\" SOCKS_PASSWORD=\"x y\" CONFLUX_ID=123"
        let reply = Reply(
            [.init(status: 250, text: "circuit-status=", data: Array("\(line)\nno circuit\n".utf8))],
            last: .init(status: 250, text: "OK"))
        let answer = Gate(try Shipped.policy("status")).answer(to: ["circuit-status"], from: reply)
        let text = String(decoding: answer.encoded, as: UTF8.self)
        #expect(
            text == "250+circuit-status=\r\n7 BUILT \(path) BUILD_FLAGS=NEED_CAPACITY PURPOSE=HS_CLIENT_REND "
                + "HS_STATE=HSCR_JOINED TIME_CREATED=2026-11-21T11:40:10.000000\r\n.\r\n250 OK\r\n")
    }

    @Test("how far Tor is, is told without the bridge's address")
    func bootstrap() throws {
        let gate = Gate(try Shipped.policy("session"))
        let phase =
            "WARN BOOTSTRAP PROGRESS=10 TAG=conn SUMMARY=\"Connecting to a relay\" WARNING=\"No route to host\" "
            + "REASON=NOROUTE COUNT=3 RECOMMENDATION=warn HOSTID=\"ABAB\" HOSTADDR=\"192.0.2.7:443\""
        let answer = gate.answer(
            to: ["status/bootstrap-phase"],
            from: Reply(
                [.init(status: 250, text: "status/bootstrap-phase=\(phase)")], last: .init(status: 250, text: "OK")))
        let text = String(decoding: answer.encoded, as: UTF8.self)
        #expect(text.contains("WARNING=\"No route to host\"") && !text.contains("192.0.2.7") && !text.contains("HOST"))
        let event = gate.event(Event(Reply(last: .init(status: 650, text: "STATUS_CLIENT \(phase)"))))
        #expect(event?.text.contains("PROGRESS=10") == true && event?.text.contains("HOST") == false)
    }

    @Test("the clock hears of skew and not from whom; nobody hears of addresses")
    func skew() throws {
        let clock = Gate(try Shipped.policy("clock"))
        let skew = Event(
            Reply(last: .init(status: 650, text: "STATUS_GENERAL WARN CLOCK_SKEW SKEW=-3600 SOURCE=OR:192.0.2.7:443")))
        let kept = try #require(clock.event(skew)?.text)
        #expect(kept.hasPrefix("STATUS_GENERAL WARN CLOCK_SKEW SKEW=-3600 SOURCE=OR:") && !kept.contains("192"))
        func warning(_ line: String) -> String? {
            clock.event(Event(Reply(last: .init(status: 650, text: "WARN \(line)"))))?.text
        }
        #expect(warning("Received a bad CERTS cell: At least one certificate expired.") != nil)
        #expect(warning("Received NETINFO cell with skewed time (OR:192.0.2.7:443)") == nil)
        #expect(Gate(try Shipped.policy("session")).event(skew) == nil)
        for text in [
            "STATUS_SERVER NOTICE EXTERNAL_ADDRESS ADDRESS=192.0.2.1 METHOD=DIRSERV",
            "STATUS_GENERAL NOTICE EXTERNAL_ADDRESS ADDRESS=192.0.2.1",
            "STATUS_CLIENT WARN DANGEROUS_SOCKS ADDRESS=192.0.2.1:80",
            "ORCONN 192.0.2.7:443 LAUNCHED ID=1", "STREAM 1 NEW 0 example.org:80 SOURCE_ADDR=10.77.0.2:4",
            "NOTICE My address is 192.0.2.1",
            "ADDRMAP example.org 192.0.2.9 NEVER", "GUARD ENTRY $\(String(repeating: "A1", count: 20))~one NEW",
            "FOO bar",
            "CIRC 1 LAUNCHED extra \"unclosed", "",
        ] {
            let event = Event(Reply(last: .init(status: 650, text: text)))
            for name in Shipped.names {
                #expect(Gate(try Shipped.policy(name)).event(event) == nil, "\(name): \(text)")
            }
        }
    }

    @Test("what Tor says when it refuses is not passed on")
    func refusals() throws {
        let gate = Gate(try Shipped.policy("status"))
        let refusal = Reply(last: .init(status: 552, text: "secret 192.0.2.1"))
        #expect(gate.answer(to: ["version"], from: refusal).text == "Unrecognized key \"version\"")
        #expect(gate.answer(toOrder: refusal).text == "Refused by Tor")
        #expect(gate.answer(to: ["version"], from: Reply(last: .init(status: 250, text: "OK"))).status == 551)
        #expect(gate.answer(toOrder: Reply(last: .init(status: 300, text: "x"))).status == 551)
    }

    @Test("lines and data beyond the limits end the conversation, and nothing after them is read")
    func limits() {
        #expect(requests(String(repeating: "A", count: 4097)) == [.tooLong])
        #expect(requests(String(repeating: "A", count: 4097) + "\r\nQUIT\r\n") == [.tooLong])
        #expect(requests("+LOADCONF\r\n" + String(repeating: "A\r\n", count: 600_000)) == [.tooLong])
        #expect(requests("+LOADCONF\r\nQUIT\r\n").isEmpty)
        #expect(requests("\r\n") == [.malformed])
        var parser = RequestParser()
        var elements: [RequestParser.Element] = []
        for byte in Array("getinfo version\r\nQUIT\n".utf8) { elements += parser.append([byte]) }
        #expect(
            elements == [
                .request(Request(keyword: "GETINFO", words: ["version"], hasData: false)),
                .request(Request(keyword: "QUIT", words: [], hasData: false)),
            ])
    }
}
