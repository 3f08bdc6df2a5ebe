// SPDX-License-Identifier: GPL-3.0-or-later
import ControlFilter
import Linux
import Testing
import TorControl

/// The files that are installed.
enum Shipped {
    static let names = ["status", "session", "clock"]

    /// The folder in the source tree.
    static var folder: String {
        let parts = #filePath.split(separator: "/", omittingEmptySubsequences: false)
        return parts.dropLast(4).joined(separator: "/") + "/image/files/core/usr/lib/needletail/control"
    }

    static func policy(_ name: String) throws -> Policy { try Policy(client: name, folder: folder) }
}

@Suite("Rules of the control filter")
struct PolicyTests {
    private func policy(_ fields: String) throws -> Policy {
        let base = #""purpose": "test", "users": [1000], "connections": 4, "idleSeconds": 60"#
        return try Policy(Array("{\(base)\(fields.isEmpty ? "" : ", \(fields)")}".utf8), name: "test.json")
    }

    @Test("every file that is installed can be read", arguments: Shipped.names)
    func shipped(name: String) throws {
        #expect(try !Shipped.policy(name).getInfo.isEmpty)
    }

    @Test(
        "a file that wants more than the ceiling, or has a field that nobody knows, is an error that names the field",
        arguments: [
            (#""getInfo": ["address"]"#, "getInfo[0]"), (#""getInfo": ["version", "config-text"]"#, "getInfo[1]"),
            (#""getInfo": ["{fingerprint}"]"#, "getInfo[0]"), (#""getInfo": ["ns/{fingerprint}"]"#, "getInfo[0]"),
            (#""getInfo": ["desc/id/{fingerprint}"]"#, "getInfo[0]"),
            (#""getInfo": [{"key": "address", "answer": "x"}]"#, "key"),
            (#""getInfo": [{"key": "net/listeners/socks"}]"#, "answer"), (#""signals": ["HALT"]"#, "signals"),
            (#""signals": ["newnym"]"#, "signals"), (#""events": [{"kind": "ORCONN"}]"#, "events[0].kind"),
            (#""events": [{"kind": "BW"}, {"kind": "STREAM"}]"#, "events[1].kind"),
            (#""events": [{"kind": "CIRC", "fields": ["SOCKS_USERNAME"]}]"#, "events[0].fields"),
            (#""events": [{"kind": "STATUS_CLIENT", "actions": ["EXTERNAL_ADDRESS"]}]"#, "events[0].actions"),
            (#""events": [{"kind": "CIRC", "feilds": []}]"#, "events[0].feilds"),
            (#""circuitFields": ["REND_QUERY"]"#, "circuitFields"),
            (#""setConf": ["DisableNetwork"]"#, "setConf"),
            (#""silentEvents": ["A\r\nSETCONF"]"#, "silentEvents"), (#""closesCircuits": "yes""#, "closesCircuits"),
        ])
    func refused(fields: String, place: String) throws {
        let failure = #expect(throws: PolicyFailure.self) { _ = try policy(fields) }
        #expect(failure?.field.contains(place) == true, "\(String(describing: failure))")
        #expect(failure?.description.hasPrefix("test.json: ") == true)
    }

    @Test("an empty file, one that is no JSON, and one that does not exist are errors, and a name cannot be a path")
    func unreadable() {
        #expect(throws: PolicyFailure.self) { _ = try Policy([], name: "x") }
        #expect(throws: PolicyFailure.self) { _ = try Policy(Array("{]".utf8), name: "x") }
        let many = #""purpose": "", "users": [1000], "connections": 65, "idleSeconds": 60"#
        #expect(throws: PolicyFailure.self) { _ = try Policy(Array("{\(many)}".utf8), name: "x") }
        #expect(throws: PolicyFailure.self) { _ = try Policy(client: "nobody") }
        #expect(throws: PolicyFailure.self) { _ = try Policy(client: "../control/status") }
    }

    @Test("a pattern stands for what it names and nothing else")
    func patterns() throws {
        let relay = try #require(KeyPattern("ns/id/{fingerprint}"))
        let print = String(repeating: "AB", count: 20)
        #expect(relay.matches("ns/id/\(print)") && relay.matches("ns/id/$\(print.lowercased())"))
        for wrong in [
            "ns/id/", "ns/id/\(print)~name", "ns/id/\(print)0", "ns/id/\(print.dropLast())g", "NS/id/\(print)",
            "ns/id/$$\(print)",
        ] {
            #expect(!relay.matches(wrong), "\(wrong)")
        }
        let country = try #require(KeyPattern("ip-to-country/{address}"))
        #expect(country.matches("ip-to-country/192.0.2.255"))
        for wrong in [
            "192.0.2.256", "192.0.2", "192.0.2.1.", "1.2.3.4\r\n", "::1", "+1.2.3.4", "ipv4-available", "٣.2.3.4",
        ] {
            #expect(!country.matches("ip-to-country/\(wrong)"), "\(wrong)")
        }
        for wrong in ["", "a b", "A", "{address}", "x/{address}/y", "x{address}", "x/{port}", "a*"] {
            #expect(KeyPattern(wrong) == nil, "\(wrong)")
        }
    }
}
