// SPDX-License-Identifier: GPL-3.0-or-later
import Commands
import Foundation
import Testing

@testable import Testbed

@Suite("Talking to a machine")
struct MachineTalkTests {
    @Test("lines come out whole, however the bytes arrive")
    func splitting() {
        let bytes = Array("{\"a\":1}\r\n\n{\"b\":2}\nrest".utf8)
        for size in 1...bytes.count {
            var splitter = LineSplitter()
            var lines: [[UInt8]] = []
            for start in stride(from: 0, to: bytes.count, by: size) {
                lines += splitter.append(Array(bytes[start..<min(start + size, bytes.count)])) ?? []
            }
            #expect(lines.map { String(decoding: $0, as: UTF8.self) } == ["{\"a\":1}", "", "{\"b\":2}"])
        }
        var short = LineSplitter(limit: 4)
        #expect(short.append([1, 2, 3, 4]) == [])
        #expect(short.append([5]) == nil)
    }

    @Test("QEMU's messages are told apart")
    func messages() {
        func message(_ text: String) -> QMPMessage? { QMPMessage(Array(text.utf8)) }
        #expect(message(#"{"QMP": {"version": {}, "capabilities": ["oob"]}}"#) == .greeting)
        #expect(message(#"{"return": {"status": "running"}, "id": 7}"#) == .reply(id: 7, ["status": "running"]))
        #expect(
            message(#"{"id": 8, "error": {"class": "GenericError", "desc": "no such thing"}}"#)
                == .failure(id: 8, kind: "GenericError", words: "no such thing"))
        let event = message(
            #"{"timestamp": {"seconds": 5, "microseconds": 500000}, "event": "SHUTDOWN", "data": {"guest": true}}"#)
        #expect(event == .event(MachineEvent(name: "SHUTDOWN", data: ["guest": true], time: 5.5)))
    }

    @Test("bytes that are no message are nothing, whatever they are")
    func hostileMessages() {
        for text in ["", "null", "[]", "{", "{}", "\"QMP\"", "{\"id\":1}", "\u{0}\u{0}", "{\"event\":5}", "é\u{FF}"] {
            #expect(QMPMessage(Array(text.utf8)) == nil)
        }
        let strange = #"{"id": "x", "error": 5, "event": {}}"#
        #expect(QMPMessage(Array(strange.utf8)) == .failure(id: nil, kind: "", words: "no reason given"))
        var numbers = FixedNumbers(state: 7)
        let good = Array(#"{"return": {"a": [1, 2.5, null, true, "x"]}, "id": 3}"#.utf8)
        for _ in 0..<500 {
            var copy = good
            copy[Int.random(in: 0..<copy.count, using: &numbers)] = UInt8.random(in: 0...255, using: &numbers)
            _ = QMPMessage(Array(copy.prefix(Int.random(in: 0...copy.count, using: &numbers))))
        }
    }

    @Test("a value of JSON comes back as it was, whole numbers to the last digit")
    func json() throws {
        let value: JSONValue = ["big": 9_007_199_254_740_993, "path": "/a/b", "list": [true, .null, .number(1.5)]]
        #expect(value.line == #"{"big":9007199254740993,"list":[true,null,1.5],"path":"/a/b"}"#)
        #expect(try JSONDecoder().decode(JSONValue.self, from: Data(value.line.utf8)) == value)
    }

    @Test("a real shell answers with status and output, whatever bytes it writes")
    func framing() async throws {
        let cases: [(script: String, status: Int, output: String)] = [
            ("echo one; echo two >&2; exit 3", 3, "one\ntwo\n"), ("true", 0, ""), ("printf x", 0, "x"),
            ("printf '%s' \"it's \\\"quoted\\\" $((6 * 7)) `echo back`\"", 0, "it's \"quoted\" 42 back"),
            ("cat; echo ended", 0, "ended\n"), ("kill -9 $$", 137, "*"),
            ("echo needletail-fake-end 0", 0, "needletail-fake-end 0\n"), ("exec 2>/dev/null; syntax (", 2, "*"),
        ]
        for (script, status, output) in cases {
            let framing = ShellFraming(script: script, seconds: 10)
            let text = try await Command("sh").output(input: String(decoding: framing.request, as: UTF8.self))
            let answer = try #require(try framing.answer(in: Array(text.utf8)), "\(text)")
            #expect(answer.status == status, "\(script)")
            if output != "*" { #expect(String(decoding: answer.bytes, as: UTF8.self) == output) }
            // No part of the answer is taken for the whole.
            for length in 0..<text.utf8.count - 1 {
                #expect(try framing.answer(in: Array(text.utf8.prefix(length))) == nil)
            }
            let other = ShellFraming(script: script, seconds: 10)
            #expect(try other.answer(in: Array(text.utf8)) == nil, "an earlier answer is not taken for this one")
        }
        let binary = ShellFraming(script: "printf '\\000\\377\\n\\r\\033'", seconds: 10)
        let text = try await Command("sh").output(input: String(decoding: binary.request, as: UTF8.self))
        #expect(try binary.answer(in: Array(text.utf8))?.bytes == [0, 255, 10, 13, 27])
    }

    @Test("a script that takes too long is killed and says so")
    func framingTimeout() async throws {
        let framing = ShellFraming(script: "echo before; sleep 60", seconds: 1)
        let start = ContinuousClock.now
        let text = try await Command("sh").output(input: String(decoding: framing.request, as: UTF8.self))
        #expect(ContinuousClock.now - start < .seconds(20))
        let answer = try #require(try framing.answer(in: Array(text.utf8)))
        #expect(answer.status == ShellFraming.timedOut)
        #expect(answer.output == "before")
    }

    @Test("an answer with something between its marks is refused")
    func framingNonsense() {
        let framing = ShellFraming(script: "x", seconds: 1, mark: "M")
        for text in ["\nM-begin\n!!!!\n\nM-end 0\n", "\nM-begin\nQQ==\n\nM-end zero\n"] {
            #expect(throws: ShellFailure.self) { try framing.answer(in: Array(text.utf8)) }
        }
    }

    @Test("the console is plain text, without colours and control bytes")
    func console() {
        let bytes = Array("\u{1B}[0;32m  OK  \u{1B}[0m] done\r\n\u{1B}]0;title\u{7}\u{1B}(Bx\u{0}y\u{1B}[?25lü\n".utf8)
        #expect(SerialConsole.plain(bytes) == "  OK  ] done\nxyü\n")
        #expect(SerialConsole.plain(Array("a\u{1B}[".utf8)) == "a")
    }

    @Test("a line is found when it is complete, and while it grows")
    func lineSearch() throws {
        var search = try LineSearch("phase (start|root)$")
        #expect(search.first(in: [""]) == nil)
        #expect(search.first(in: ["boot", "needletail: phase sta"]) == nil)
        #expect(search.first(in: ["boot", "needletail: phase start", ""]) == "needletail: phase start")
        #expect(throws: MachineFailure.self) { try LineSearch("(") }
    }

    @Test("boot times come from the kernel's log, of a console or of the journal")
    func bootTimes() {
        let log = """
            [    0.000000] Linux version 6.12
            [    2.512345] needletail: phase start
            [    2.9] something needletail: phase fake
            [    3.000001] needletail: phase medium
            [    3.000001] needletail: phase medium
            [   13.250000] host kernel: needletail: phase verity
            """
        let times = BootTimes(kernelLog: log)
        #expect(times.phases.map(\.name) == ["start", "medium", "verity"])
        #expect(times["medium"] == 3.000001)
        #expect(times["firewall"] == nil)
        #expect(times.failure == nil)
        #expect("\(times)".contains("13.250 s  (+10.250 s)"))
        let failed = BootTimes(kernelLog: "[  4.1] needletail: failed: medium-missing: no partition: x\r\n")
        #expect(failed.failure?.code == "medium-missing")
        #expect(failed.failure?.detail == "no partition: x")
        #expect(BootTimes(kernelLog: "").phases.isEmpty)
    }

    @Test("bytes are counted across the pieces in which a file is read")
    func occurrences() throws {
        let path = NSTemporaryDirectory() + "count-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: path) }
        var data = Data(repeating: 0, count: (8 << 20) - 3)
        data += Data("needle".utf8) + Data(repeating: 0, count: 100) + Data("needleneedle needl".utf8)
        try data.write(to: URL(fileURLWithPath: path))
        #expect(try Machine.occurrences(of: Array("needle".utf8), in: .init(path)) == 3)
        #expect(try Machine.occurrences(of: Array("noodle".utf8), in: .init(path)) == 0)
    }
}
