// SPDX-License-Identifier: GPL-3.0-or-later
import Testing
import Varlink

@testable import Portal

@Suite("The question")
struct ConsentTests {
    private func type(_ text: String, code: String = "4729") -> ConsentEntry.Event {
        var entry = ConsentEntry(code: code)
        var last = ConsentEntry.Event.going(show: "")
        for byte in text.utf8 {
            last = entry.take(byte)
            if case .going = last { continue }
            return last
        }
        return last
    }

    @Test("only the number that it shows is a yes")
    func yes() {
        #expect(type("4729\n") == .agreed)
        #expect(type("472\u{7f}29\n") == .agreed)
        #expect(type("x4y7-2 9\r") == .agreed)
    }

    @Test(
        "Enter alone, Escape, n, q and Ctrl-C are a no", arguments: ["\n", "\u{1b}", "n", "q", "Q", "47\u{3}", "\u{4}"])
    func no(keys: String) { #expect(type(keys) == .refused) }

    @Test(
        "another number is not a yes", arguments: ["4728\n", "47290\n", "04729\n", "47294729\n", "123456789012345\n"])
    func wrong(keys: String) { #expect(type(keys) == .wrong) }

    @Test("words are not a yes", arguments: ["yes\n", "YES\n", "ja\n", "ok\n"])
    func words(keys: String) { #expect(type(keys) == .refused) }

    @Test("nothing is decided before Enter")
    func open() { #expect(type("4729") == .going(show: "9")) }

    @Test("the numbers differ, and have four digits")
    func codes() {
        let codes = (0..<200).map { _ in ConsentEntry.newCode() }
        #expect(codes.allSatisfy { $0.utf8.count == 4 && Int($0) != nil })
        #expect(Set(codes).count > 100)
    }

    @Test("it fits on the smallest console, in ASCII")
    func fits() {
        let text = Words.question(network: "a-long-name-123", code: "4729", seconds: 60, limit: 600)
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines.count <= 25)
        #expect(lines.allSatisfy { $0.utf8.count < 80 })
        #expect(text.utf8.allSatisfy { $0 < 128 })
        #expect(text.contains("not anonymous") && text.contains("WITHOUT Tor"))
    }

    @Test("the interfaces can be read")
    func interfaces() throws {
        for text in [PortalInterface.text, PortalInterface.consentText, PortalInterface.browserText] {
            #expect(try !VarlinkInterface(text).methodNames.isEmpty)
        }
    }

    @Test("every end and every refusal has its sentence")
    func sentences() {
        for end in PortalState.End.allCases { #expect(Words.end(end).hasSuffix(".")) }
        for refusal in PortalRefusal.allCases { #expect(Words.refusal(refusal).count > 20) }
    }
}
