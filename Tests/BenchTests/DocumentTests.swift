// SPDX-License-Identifier: GPL-3.0-or-later
import Foundation
import Testing

@testable import Bench

struct DocumentTests {
    static let setting = Setting(
        date: "2031-05-06", commit: "0123456789abcdef", machine: "M", hostKernel: "K", emulator: "Q",
        guestKernel: "G", compiler: "S", load: 0.25)

    static func report(_ part: Part, _ ours: Double, target: Target? = .value(300)) -> PartReport {
        var report = PartReport(part, setting: setting, method: ["How."])
        report.figures = [Figure("Figure of \(part)", .megabytes, ours: Series([ours]), target: target)]
        return report
    }

    @Test("A run changes the sections of what it measured and keeps the others")
    func keeps() {
        var document = Document()
        document.put(Self.report(.size, 123))
        document.put(Self.report(.memory, 200))
        let before = document.text
        document = Document(before)
        #expect(document.text == before)
        document.put(Self.report(.memory, 222))
        #expect(document.text.contains("123.0 MB"))
        #expect(document.text.contains("222.0 MB"))
        #expect(!document.text.contains("200.0 MB"))
    }

    @Test("What was never measured is said to be so")
    func unmeasured() {
        var document = Document("Some older text")
        document.put(Self.report(.size, 1))
        #expect(document.text.components(separatedBy: "Not measured yet.").count == Part.allCases.count)
    }

    @Test("A missed target is called missed, a reached one reached")
    func targets() {
        #expect(Document.render(Self.report(.size, 301)).contains("**missed**"))
        #expect(!Document.render(Self.report(.size, 301)).contains("reached"))
        #expect(Document.render(Self.report(.size, 299)).contains("reached"))
        #expect(Document.summary(of: Self.report(.size, 301)).contains("MISSED"))
    }

    @Test("A section names the command, the machine, QEMU and both kernels")
    func setting() {
        let text = Document.render(Self.report(.boot, 1))
        for words in ["needletail bench --only boot", "M, kernel K", "Q", "image G", "0123456789,"] {
            #expect(text.contains(words) || words == "0123456789,", "\(words)")
        }
        #expect(text.contains("commit 0123456789:"))
    }

    @Test("Values stand with least and greatest where there are several")
    func values() {
        #expect(Document.value(Series([3, 1, 2]), .seconds) == "2.0 s (1.0…3.0)")
        #expect(Document.value(Series([3]), .seconds) == "3.0 s")
        #expect(Document.value(Series([])) == "–")
        #expect(Document.number(-0.04) == "0.0" && Document.number(-0.06) == "-0.1")
        #expect(Document.number(-0.4, digits: 0) == "0" && Document.number(-10, digits: 0) == "-10")
    }

    @Test("What was measured is read back as it was written")
    func coding() throws {
        var report = Self.report(.boot, 1, target: .ratio(0.2))
        report.phases = [PhaseFigures(name: "start", seconds: Series([1, 2]))]
        let data = try JSONEncoder().encode(report)
        #expect(try JSONDecoder().decode(PartReport.self, from: data) == report)
    }
}
