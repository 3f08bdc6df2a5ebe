// SPDX-License-Identifier: GPL-3.0-or-later
import Linux
import Testing

@testable import BootStage

@Suite("The firewall is compared with what the builder counted")
struct FirewallTests {
    static let file = """
        # a comment
        needletail input filter 1 0 drop 3
        needletail leave filter 4 110 drop 2
        needletail refuse - - - - 2
        end

        """
    static let kernel = FilterListing(chains: [
        .init(table: "needletail", name: "input", type: "filter", hook: 1, priority: 0, isDropping: true, rules: 3),
        .init(table: "needletail", name: "leave", type: "filter", hook: 4, priority: 110, isDropping: true, rules: 2),
        .init(table: "needletail", name: "refuse", type: "", hook: nil, priority: 0, isDropping: false, rules: 2),
    ])

    @Test("the same chains are no difference")
    func same() throws { #expect(try Expectation(parsing: Self.file).differences(from: Self.kernel).isEmpty) }

    @Test("a lost rule, a lost chain, an open policy, another hook and a stranger are each found")
    func differences() throws {
        let expected = try Expectation(parsing: Self.file)
        func words(_ change: (inout FilterListing) -> Void) -> [String] {
            var listing = Self.kernel
            change(&listing)
            return expected.differences(from: listing)
        }
        #expect(words { $0.chains[0].rules = 2 } == ["input has 2 rules and not 3"])
        #expect(words { $0.chains[1].isDropping = false } == ["leave does not drop by default"])
        #expect(words { $0.chains[1].hook = 3 } == ["leave is at another hook"])
        #expect(words { $0.chains[0].priority = -1 } == ["input is at another hook"])
        #expect(words { $0.chains.removeLast() } == ["refuse is missing"])
        #expect(words { $0.chains[2].table = "other" } == ["refuse is missing", "refuse is unknown"])
        #expect(words { $0.chains.removeAll() }.count == 3)
    }

    @Test(
        "a list that was cut short is no list",
        arguments: ["", "end\n", "needletail input filter 1 0 drop 3\n", "needletail input filter 1 0\nend\n", "x"])
    func cutShort(text: String) {
        #expect(throws: BootFailure.self) { try Expectation(parsing: text) }
    }

    @Test("however the list is cut, it is noticed")
    func everyCut() throws {
        let whole = try Expectation(parsing: Self.file)
        for length in 0..<Self.file.count - 1 {
            guard let part = try? Expectation(parsing: String(Self.file.prefix(length))) else { continue }
            #expect(part == whole, "The first \(length) characters were taken for the list.")
        }
    }
}
