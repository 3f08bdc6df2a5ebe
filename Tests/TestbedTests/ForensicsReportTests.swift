// SPDX-License-Identifier: GPL-3.0-or-later
import ByteScan
import Testing

@testable import Testbed

@Suite("The report of forensics")
struct ForensicsReportTests {
    static func findings(_ heap: Int, key: Int = 0) -> MemorySearch.Findings {
        var tally = Tally()
        tally.whole = heap
        tally.numbers = heap
        var known = Tally()
        known.fragments = key
        return MemorySearch.Findings(crops: ["heap": tally], artefacts: ["disk key": known], bytes: 1 << 30)
    }

    static func run(
        _ name: String = "poweroff", before: Int? = 1000, after: Int = 0, key: Int = 0, sectors: Int = 0,
        clockChanges: Int = 0, reason: Machine.ExitReason? = nil
    ) throws -> ForensicsReport.Run {
        let ending = try #require(Ending.named(name))
        let result = Examination.Result(
            planted: [Planter.Planted(name: "heap", count: 1000, trouble: nil)], before: before.map { findings($0) },
            after: findings(after, key: key), secondsToDark: 1.25, secondsToEnd: 9.5, reason: reason ?? ending.reason,
            litBytes: 0,
            variables: [], clockChanges: clockChanges)
        return ForensicsReport.Run(
            ending: ending, memory: 1024, result: result, sectors: sectors,
            troubles: sectors > 0 ? ["sata: sector 5 of swap"] : [])
    }

    @Test("a report is good when nothing is left, and bad for a record, a part of a key, a sector or the clock")
    func verdicts() throws {
        #expect(ForensicsReport([try Self.run()]).isGood)
        #expect(!ForensicsReport([]).isGood)
        for bad in [
            try Self.run(after: 1), try Self.run(key: 1), try Self.run(sectors: 1), try Self.run(clockChanges: 1),
            try Self.run(reason: .reset), try Self.run("reboot", reason: .poweredOff),
        ] {
            #expect(!ForensicsReport([try Self.run(), bad]).isGood)
        }
        let none = ForensicsReport.Run(
            ending: Ending.all[0], memory: 1024, result: nil, sectors: 0, troubles: ["it did not start"])
        #expect(!ForensicsReport([none]).isGood)
    }

    @Test("a run whose detectors did not see what was there is not believed")
    func believable() throws {
        #expect(try !Self.run(before: 899).isGood)
        #expect(try Self.run(before: 900).isGood)
        #expect(try Self.run(before: nil).isGood, "Later runs do not look before.")
    }

    @Test("after a crash memory is full, and only disks and firmware count")
    func crash() throws {
        #expect(try Self.run("kernel-panic", after: 1000).isGood)
        #expect(try !Self.run("kernel-panic", sectors: 2).isGood)
    }

    @Test("the page has the figures, by way and by kind, and what was wrong")
    func page() throws {
        let runs = [try Self.run(), try Self.run(after: 3, sectors: 1), try Self.run("kernel-panic", after: 500)]
        let text = ForensicsReport(runs).page(date: "2031-05-06", commit: "0123456789abcdef")
        #expect(text.contains("| Records planted, in all | 3000 |"))
        #expect(text.contains("| Found after its end, where memory is wiped | 3 | 0 |"))
        #expect(text.contains("| poweroff | 1024 | 2 | 1 | 3 | 0 | 1 | 1.2, 1.2 | 9.5, 9.5 |"))
        #expect(text.contains("| heap | 3000 | 3000 | 3 |"))
        #expect(text.contains("- 2, poweroff: sata: sector 5 of swap"))
        #expect(text.contains("2031-05-06 at commit 0123456789."))
    }

    @Test("starts that gave no session are counted, and it is said when times were measured side by side")
    func circumstances() throws {
        var runs = [try Self.run()]
        runs.append(
            ForensicsReport.Run(
                ending: runs[0].ending, memory: 1024, result: runs[0].result, sectors: 0, troubles: [], falseStarts: 2))
        let report = ForensicsReport(runs, atOnce: 2)
        let text = report.page(date: "2031-05-06", commit: "0123456789abcdef")
        #expect(report.isGood)
        #expect(text.contains("| starts that gave no session, and were repeated | 2 |"))
        #expect(text.contains("the longest, with 2 examinations side by side"))
        #expect(!ForensicsReport(runs).page(date: "", commit: "").contains("side by side"))
    }

    @Test("the long form ends sessions in every way, the two usual ones twenty times and with little and much memory")
    func long() {
        let entries = Schedule.long.entries
        #expect(Set(entries.map(\.ending)) == Set(Ending.all))
        for name in ["poweroff", "stick-pulled"] {
            let own = entries.filter { $0.ending.name == name }
            #expect(own.map(\.memory) == [2048, 512, 6144] && own.map(\.runs) == [20, 1, 1])
        }
        let turns = Schedule.long.turns
        #expect(turns.count == Schedule.long.count && Schedule.long.count == 40 + 14 + 4)
        // Every entry is done once before any is done twice.
        #expect(turns.prefix(entries.count).allSatisfy { $0.turn == 0 })
        #expect(Set(turns.prefix(entries.count).map(\.entry)) == Set(entries))
    }
}
