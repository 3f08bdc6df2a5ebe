// SPDX-License-Identifier: GPL-3.0-or-later
import Foundation
import Testing

@testable import Bench

@Suite("The end's figures")
struct EndPartTests {
    @Test("a phase has begun when the console shows its words, also among escape sequences")
    func phases() {
        let text = "target\r\n\u{1b}c\r\u{1b}[KNeedletail is ending this session and\r\n\r\u{1b}[KEnding pro"
        #expect(End.begun(in: text) == ["back in the boot stage"])
        #expect(End.begun(in: text + "grams ...") == ["back in the boot stage", "processes"])
        #expect(End.begun(in: "").isEmpty)
    }

    @Test("the words are those that the boot stage says, and no phase is another's beginning")
    func words() throws {
        let tree = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../System/Sources/Amnesia")
        let source = try String(contentsOf: tree.appending(path: "Words.swift"), encoding: .utf8)
        for phase in End.phases {
            #expect(source.contains("\"\(phase.words)"), "\(phase.words)")
            #expect(End.begun(in: phase.words) == [phase.name])
        }
        #expect(Set(End.phases.map(\.name)).count == End.phases.count)
    }

    @Test("growth is the slope of the best line, and one odd size does not hide it")
    func slope() throws {
        #expect(Bench.slope([(1, 5), (2, 7), (4, 11), (8, 19)]) == 2)
        #expect(Bench.slope([(1, 5), (8, 5)]) == 0)
        let bent = try #require(Bench.slope([(1, 5), (2, 8), (4, 11), (8, 19)]))
        #expect(abs(bent - 1.96) < 0.05)
    }

    @Test("without two sizes there is no growth")
    func noSlope() {
        #expect(Bench.slope([]) == nil)
        #expect(Bench.slope([(1, 5)]) == nil)
        #expect(Bench.slope([(1, 5), (1, 6)]) == nil)
    }

    @Test("growth is told for each round by itself")
    func slopes() {
        let seconds = [Series([5, 5]), Series([7, 5]), Series([11, 5])]
        #expect(Bench.slopes([1024, 2048, 4096], seconds) == Series([2, 0]))
        #expect(Bench.slopes([], []) == Series([]))
        #expect(Bench.slopes([1024, 2048], [Series([5]), Series([])]) == Series([]))
    }

    @Test("a growth has no ratio: the reference's may be none")
    func growthRatio() {
        let figure = Figure("Growth", .secondsPerGibibyte, ours: Series([2]), reference: Series([0.01]))
        #expect(figure.ratio == nil)
        #expect(Document.table(of: [figure]).contains("| 2.0 s/GiB | 0.0 s/GiB | – |"))
    }

    @Test("the table of phases says from when it counts")
    func phaseTable() {
        let phases = [("mounts", 1.5), ("off", 4)].map { PhaseFigures(name: $0.0, seconds: Series([$0.1])) }
        let end = Document.table(of: phases, of: .end)
        #expect(end.hasPrefix("Our end by phase"))
        #expect(end.contains("| off | 4.00 | +2.50 |"))
        #expect(end.contains("after the command"))
        #expect(Document.table(of: phases, of: .boot).contains("s after the kernel's start"))
    }

    @Test("stock Debian starts with the words of its own menu")
    func wordsOfTheMenu() {
        let menu = """
            label live-amd64
            \tmenu label ^Live system (amd64)
            \tappend boot=live  components quiet splash
            label live-amd64-failsafe
            \tappend boot=live memtest
            """
        #expect(Bench.firstCommandLine(inMenu: menu) == "boot=live components quiet splash")
        #expect(Bench.firstCommandLine(inMenu: "label live-amd64\n\tappend\n") == nil)
    }
}
