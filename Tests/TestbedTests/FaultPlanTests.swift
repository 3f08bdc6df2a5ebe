// SPDX-License-Identifier: GPL-3.0-or-later
import Testing

@testable import Testbed

@Suite("Plans of faults")
struct FaultPlanTests {
    static let units = ["tor@default.service", "NetworkManager.service", "needletail-clock.service"]

    @Test("the same seed gives the same faults, another one gives others")
    func seeds() {
        let plan = FaultPlan(seed: 7, count: 200, units: Self.units, sleeps: true)
        #expect(plan == FaultPlan(seed: 7, count: 200, units: Self.units, sleeps: true))
        #expect(plan.steps != FaultPlan(seed: 8, count: 200, units: Self.units, sleeps: true).steps)
        #expect(plan.steps.count == 200)
    }

    @Test("what has to come first comes first, and counts")
    func first() {
        let first: [Fault] = [.unplugged(seconds: 3), .flushed]
        let plan = FaultPlan(seed: 7, count: 20, units: Self.units, sleeps: true, first: first)
        #expect(plan.steps.count == 20 && plan.steps.prefix(2).map(\.fault) == first)
    }

    @Test("each service is killed, ended and stalled, and the machine sleeps only where it can")
    func kinds() {
        let kinds = Set(FaultPlan(seed: 1, count: 400, units: Self.units, sleeps: true).steps.map(\.fault.kind))
        for unit in Self.units {
            for word in ["killed", "ended", "stalled"] { #expect(kinds.contains("\(unit) \(word)")) }
        }
        #expect(kinds.contains("suspend and resume") && kinds.contains("cable out and in"))
        #expect(kinds.contains("session's rules flushed"))
        let awake = FaultPlan(seed: 1, count: 400, units: Self.units, sleeps: false).steps.map(\.fault.kind)
        #expect(!awake.contains("suspend and resume"))
    }

    @Test("chance is SplitMix64, the same on every machine")
    func chance() {
        // The first outputs for the seed 1234567, from the algorithm's reference implementation.
        var chance = Chance(seed: 1_234_567)
        let known: [UInt64] = [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]
        #expect(known.map { _ in chance.next() } == known)
    }

    @Test("a report with a frame outside the list, or a session that did not come back, is not good")
    func verdicts() {
        let request = Soak.Request(seed: 5)
        func report(_ recovery: Double?, _ verdict: Verdict) -> SoakReport {
            SoakReport(
                request: request, results: [.init(number: 1, fault: .flushed, recovery: recovery, trouble: nil)],
                load: .init(), seconds: 60, verdict: verdict)
        }
        var dirty = Verdict()
        dirty.add(.dns, "a question")
        #expect(report(1, Verdict()).isGood)
        #expect(!report(nil, Verdict()).isGood)
        #expect(!report(1, dirty).isGood)
        let page = report(1.25, Verdict()).page(date: "2031-05-06", commit: "0123456789abcdef")
        #expect(page.contains("--seed 5 ") && page.contains("| session's rules flushed | 1 | 1.2 | 1.2 |"))
    }
}
