// SPDX-License-Identifier: GPL-3.0-or-later
import Testing

@testable import Testbed

@Suite("The judge, while snowflake may look for its volunteers")
struct SnowflakeJudgeTests {
    static let broker: [UInt8] = [203, 0, 113, 85]

    /// A question as Go's resolver asks it.
    static func question(
        _ name: String, type: UInt8 = 1, flags: [UInt8] = [1, 0], counts: [UInt8] = [0, 1, 0, 0, 0, 0, 0, 1],
        record: [UInt8] = [0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 0]
    ) -> [UInt8] {
        let labels = name.split(separator: ".", omittingEmptySubsequences: false).flatMap {
            [UInt8($0.utf8.count)] + Array($0.utf8)
        }
        return [0x12, 0x34] + flags + counts + labels + [0, 0, type, 0, 1] + record
    }

    static func frame(_ payload: [UInt8], to server: [UInt8] = Craft.gateway, port: Int = 53) -> [UInt8] {
        Craft.ip(Craft.ipv4(17, Craft.udp(port, payload), destination: server))
    }

    func judge() -> Judge {
        var list = Craft.network()
        list.exceptions += SnowflakeBroker.exceptions
        return Judge(allowList: list)
    }

    @Test("the two names, of the LAN's server, and the question for its own address pass")
    func allowed() {
        let none: [UInt8] = [0, 1, 0, 0, 0, 0, 0, 0]
        let frames = [
            Self.frame(Self.question(Address.brokerNames.front)),
            Self.frame(Self.question(Address.brokerNames.stun, type: 28)),
            Self.frame(Self.question(Address.brokerNames.front, counts: none, record: [])),
            Self.frame(
                [0, 1, 0, 0, 0x21, 0x12, 0xA4, 0x42] + [UInt8](repeating: 7, count: 12), to: Self.broker, port: 3478),
        ]
        let verdict = judge().verdict(on: Craft.capture(frames))
        #expect(verdict.isClean, "\(verdict)")
        #expect(verdict.allowed == ["Snowflake's names": 3, "Snowflake's own address": 1])
        // The anti-test: at any other time all of it is found.
        #expect(Judge(allowList: Craft.network()).verdict(on: Craft.capture(frames)).findings.count == 4)
    }

    static let leaks: [(String, [UInt8])] = [
        ("another name", frame(question("broker.example"))),
        ("a longer name", frame(question("x.front.example"))),
        ("a shorter name", frame(question("front"))),
        ("another server", frame(question(Address.brokerNames.front), to: Craft.web)),
        ("the broker as a name server", frame(question(Address.brokerNames.front), to: broker)),
        ("another type", frame(question(Address.brokerNames.front, type: 16))),
        ("an answer", frame(question(Address.brokerNames.front, flags: [0x81, 0]))),
        ("two questions", frame(question(Address.brokerNames.front, counts: [0, 2, 0, 0, 0, 0, 0, 1]))),
        ("something behind it", frame(question(Address.brokerNames.front) + [1])),
        (
            "something in the last record",
            frame(
                question(Address.brokerNames.front, record: [0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 2, 7, 7]))
        ),
        ("no question", frame(Array("hello, world, are you there?".utf8))),
        ("a cut one", frame(Array(question(Address.brokerNames.front).dropLast(14)))),
        ("another port of the broker", frame([1, 2, 3, 4], to: broker, port: 443)),
        ("another STUN server", frame([1, 2, 3, 4], to: Craft.web, port: 3478)),
    ]

    @Test("every other name, server, and anything hidden in a question is found", arguments: leaks.indices)
    func found(_ index: Int) {
        let (name, frame) = Self.leaks[index]
        #expect(!judge().verdict(on: Craft.capture([frame])).isClean, "\(name)")
    }

    @Test("any bytes are a question or not, never a crash")
    func anything() {
        let question = Self.question(Address.brokerNames.front)
        for place in question.indices {
            #expect(NameQuestion(question.prefix(place)) == nil)
            for value: UInt8 in [0, 1, 63, 64, 192, 255] {
                var bytes = question
                bytes[place] = value
                _ = NameQuestion(bytes)
            }
        }
    }
}
