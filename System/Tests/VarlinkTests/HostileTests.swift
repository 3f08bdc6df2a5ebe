// SPDX-License-Identifier: GPL-3.0-or-later
import Testing

@testable import Varlink

@Suite("Hostile messages")
struct HostileTests {
    static let seeds = [
        #"{"method":"org.example.test.Add","parameters":{"a":1,"b":-2.5e3},"more":true}"#,
        #"{"method":"org.example.test.Visit","parameters":{"places":[{"name":"\u00e4\ud83c\udfd4\\\"","height":null},[],{}]}}"#,
        #"{"parameters":{"x":[[[[true,false,null]]]]},"oneway":false,"method":"a.b"}"#,
    ].map { Array($0.utf8) }

    @Test("any bytes are read or refused, never a crash, and what is read can be written and read again")
    func anything() throws {
        var generator = SystemRandomNumberGenerator()
        let words = [
            "{", "}", "[", "]", "\"", "\\", "\\u", "\\ud83c", "1e999", "-", "null", "99999999999999999999", "\u{0}",
            "é",
        ]
        for round in 0..<6000 {
            var bytes = Self.seeds[round % Self.seeds.count]
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                let place = Int.random(in: bytes.indices, using: &generator)
                switch Int.random(in: 0..<3, using: &generator) {
                case 0: bytes[place] = UInt8.random(in: 0...255, using: &generator)
                case 1:
                    bytes.insert(contentsOf: words[Int.random(in: words.indices, using: &generator)].utf8, at: place)
                default: bytes.removeSubrange(place..<min(bytes.count, place + 5))
                }
                if bytes.isEmpty { bytes = [0x20] }
            }
            _ = try? VarlinkConnection.call(in: bytes)
            guard let value = try? JSONParser.value(in: bytes) else { continue }
            #expect(try JSONParser.value(in: value.bytes) == value)
        }
    }

    @Test("depth and length cost no more than a pass", .timeLimit(.minutes(1)))
    func cost() {
        let levels = JSONParser.depthLimit
        let good = String(repeating: "[", count: levels) + String(repeating: "]", count: levels)
        #expect((try? JSONParser.value(in: Array(good.utf8))) != nil)
        #expect((try? JSONParser.value(in: Array("[\(good)]".utf8))) == nil)
        let long = "[" + String(repeating: "{\"a\":[1,\"\\n\"]},", count: 60_000) + "0]"
        #expect((try? JSONParser.value(in: Array(long.utf8))) != nil)
    }

    @Test("a type that contains itself ends with the value")
    func recursion() throws {
        let interface = try VarlinkInterface(
            "interface a.b\ntype T (t: ?T)\ntype L (l: ?L2)\ntype L2 (l: ?L)\nmethod M(t: T, l: L) -> ()")
        let method = try #require(interface.methods["M"])
        func nested(_ name: String, _ depth: Int) -> JSONValue {
            (0..<depth).reduce(JSONValue.object([:])) { inner, _ in .object([name: inner]) }
        }
        try interface.check(["t": nested("t", 20), "l": nested("l", 20)], against: method.parameters)
        #expect(throws: VarlinkError.invalidParameter("t")) {
            try interface.check(["t": nested("t", 200), "l": nested("l", 1)], against: method.parameters)
        }
    }

    @Test(
        "an interface of types within types, or of many names, is refused or read in one pass", .timeLimit(.minutes(1)))
    func declarations() throws {
        for (start, end) in [("(a: ", ")"), ("(a: []", ")"), ("(a: ?", ")"), ("(a: [string]", ")")] {
            let deep = String(repeating: start, count: 100_000) + "int" + String(repeating: end, count: 100_000)
            #expect(throws: InterfaceFailure.self) { try VarlinkInterface("interface a.b\ntype T \(deep)") }
        }
        let level = String(repeating: "(a: ", count: 30) + "int" + String(repeating: ")", count: 30)
        #expect(throws: Never.self) { try VarlinkInterface("interface a.b\ntype T \(level)") }
        let names = (0..<50_000).map { "a\($0)" }.joined(separator: ", ")
        #expect(throws: Never.self) { try VarlinkInterface("interface a.b\ntype T (\(names))") }
    }
}
