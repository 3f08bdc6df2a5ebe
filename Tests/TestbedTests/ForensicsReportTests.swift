// SPDX-License-Identifier: GPL-3.0-or-later
import ByteScan
import Testing

@testable import Testbed

@Suite("The report of forensics")
struct ForensicsReportTests {
    static func findings(_ heap: Int, key: Int, label: Int = 0) -> MemorySearch.Findings {
        var tally = Tally()
        tally.whole = heap
        tally.numbers = heap
        var known = Tally()
        known.fragments = key
        var artefacts = ["disk key": known]
        if label > 0 {
            var name = Tally()
            name.fragments = label
            artefacts["label of a stick"] = name
        }
        return MemorySearch.Findings(crops: ["heap": tally], artefacts: artefacts, bytes: 1 << 30)
    }

    /// What the emergency program notes when it could do everything.
    static func log(dark: Int = 300) -> [String: Int] {
        [
            "frozen after (ms)": 20, "dark after (ms)": dark, "keys gone after (ms)": 30, "all ended after (ms)": 900,
            "wiped after (ms)": 3000,
        ]
    }

    static func run(
        _ name: String = "poweroff", planted: Int = 1000, before: Int? = 1000, keyBefore: Int = 1, litBefore: Int = 9,
        after: Int = 0, key: Int = 0, label: Int = 0, lit: Int = 0, dark: Double? = 1.25, seconds: Double = 9.5,
        sectors: Int = 0, clockChanges: Int = 0, reason: Machine.ExitReason? = nil, log: [String: Int]? = nil
    ) throws -> ForensicsReport.Run {
        let ending = try #require(Ending.named(name))
        let result = Examination.Result(
            planted: [Planter.Planted(name: "heap", count: planted, trouble: nil)],
            before: before.map { findings($0, key: keyBefore) }, after: findings(after, key: key, label: label),
            secondsToDark: dark, secondsToEnd: seconds, reason: reason ?? ending.reason,
            litBefore: before.map { _ in litBefore }, litBytes: lit, emergencyLog: log ?? Self.log(), variables: [],
            clockChanges: clockChanges)
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
            try Self.run(reason: .reset), try Self.run("reboot", reason: .poweredOff), try Self.run(lit: 1),
            try Self.run("stick-pulled", lit: 1), try Self.run("stick-pulled", dark: nil),
            try Self.run("stick-pulled", log: [:]), try Self.run("manager-crashed", key: 1),
            try Self.run("panic-key", log: Self.log().filter { $0.key != "keys gone after (ms)" }),
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
        #expect(try !Self.run(keyBefore: 0).isGood, "A key that was there was not found.")
        #expect(try !Self.run(litBefore: 0).isGood, "A picture that was there was not seen.")
        #expect(try !Self.run(planted: 0, before: nil).isGood, "A kind of memory that nothing was planted in.")
    }

    @Test("after a crash memory is full, and only disks and firmware count")
    func crash() throws {
        #expect(try Self.run("kernel-panic", after: 1000).isGood)
        #expect(try !Self.run("kernel-panic", sectors: 2).isGood)
    }

    @Test("what a way to end is known to leave is told apart, and is bad after any other way")
    func remains() throws {
        let crashed = try Self.run("manager-crashed", label: 39)
        #expect(crashed.isGood && crashed.remains == 39)
        let text = ForensicsReport([try Self.run(), crashed]).page(date: "", commit: "")
        #expect(text.contains("| Artefacts found after its end | 0 | 0 |"))
        #expect(text.contains("| Artefacts that its way to end is known to leave, besides | 39 |"))
        let pulled = try Self.run("stick-pulled", label: 39)
        #expect(!pulled.isGood && pulled.remains == 0 && pulled.unexpected == 39)
        #expect(
            ForensicsReport([pulled, crashed]).page(date: "", commit: "").contains(
                "| Artefacts found after its end | 39 | 0 |"))
    }

    @Test("the page has the figures, by way and by kind, and what was wrong")
    func page() throws {
        let runs = [try Self.run(), try Self.run(after: 3, sectors: 1), try Self.run("kernel-panic", after: 500)]
        let text = ForensicsReport(runs).page(date: "2031-05-06", commit: "0123456789abcdef")
        #expect(text.contains("| Records planted, in all | 3000 |"))
        #expect(text.contains("| Found after its end, where memory is wiped | 3 | 0 |"))
        #expect(text.contains("| poweroff | 1024 | 2 | 1 | 3 | 0 | 1 | 1.2, 1.2 | 9.5, 9.5 |"))
        #expect(text.contains("| heap | 3000 | 3000 | 3000 | 3 |"))
        #expect(text.contains("where it was searched then | 3000 | nearly all of 3000 |"))
        #expect(text.contains("- 2, poweroff: sata: sector 5 of swap"))
        #expect(text.contains("2031-05-06 at commit 0123456789."))
    }

    @Test("the page tells how many emergencies were dark and off in time")
    func times() throws {
        let runs = [
            try Self.run("stick-pulled"), try Self.run("panic-key", dark: 2.5),
            try Self.run("disc-ejected", seconds: 21),
            try Self.run("stick-pulled-asleep", dark: nil), try Self.run("stick-pulled", log: Self.log(dark: 2001)),
        ]
        let text = ForensicsReport(runs).page(date: "", commit: "")
        #expect(text.contains(": dark within 2 s | 3 of 5 |") && text.contains("off within 20 s | 4 of 5 |"), "\(text)")
        #expect(text.contains("all frozen within 2 s | 4 of 5 |"), "\(text)")
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
        #expect(turns.count == Schedule.long.count && Schedule.long.count == 40 + 19 + 4)
        // Every entry is done once before any is done twice.
        #expect(turns.prefix(entries.count).allSatisfy { $0.turn == 0 })
        #expect(Set(turns.prefix(entries.count).map(\.entry)) == Set(entries))
    }
}
