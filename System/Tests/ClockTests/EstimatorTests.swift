// SPDX-License-Identifier: GPL-3.0-or-later
import Testing

@testable import Clock

@Suite("The estimate comes from evidence, within bounds")
struct EstimatorTests {
    let built = Moment(clamping: Int64(1_795_000_000))
    /// 30 days after the build.
    var truth: Moment { built.advanced(by: 30 * 86_400) }
    static let year: Int64 = 31_557_600

    private func estimator() -> Estimator { Estimator(bounds: Bounds(floor: built)) }

    /// Relays as they behave towards a client with a clock, as seen with tor 0.4.9.
    private func word(of relay: Int, to now: Moment) -> Evidence? {
        let from = truth.advanced(by: -Int64(20 + relay * 70) * 86_400)
        if now > truth.advanced(by: 2 * 86_400) { return .certificateExpired }
        if now < from { return .certificateNotYetValid(from: from, through: from.advanced(by: Self.year)) }
        let ahead = now.since(truth)
        return abs(ahead) < 1800 ? nil : .skew(ahead: ahead, source: "relay\(relay)")
    }

    @Test(
        "a clock that is wrong by minutes to decades is right in a few steps, whatever the order of relays",
        arguments: [
            600 * 6, -3600, 3600, 86_400, -86_400, 60 * 86_400, -20 * 86_400, year, 9 * year, 10 * year, 30 * year,
            -10 * year, -30 * year,
        ] as [Int64])
    func finds(offset: Int64) {
        for first in 0..<5 {
            var now = truth.advanced(by: offset)
            var estimator = estimator()
            var uptime = 10.0
            var steps = 0
            for turn in 0..<60 {
                if let word = word(of: (first + turn) % 5, to: now) { estimator.take(word, uptime: uptime) }
                uptime += 1
                if let step = estimator.decide(now: now, uptime: uptime) {
                    now = step.target
                    steps += 1
                }
            }
            #expect(abs(now.since(truth)) < 1800, "from \(offset): \(now)")
            #expect(steps <= 5)
        }
    }

    @Test("never before the build, and never beyond what is plausible, whatever relays say")
    func bounds() throws {
        var low = estimator()
        let now = built.advanced(by: 1000)
        low.take(.skew(ahead: 20 * Self.year, source: "a"), uptime: 1)
        #expect(low.decide(now: now, uptime: 5)?.target == built)
        var high = estimator()
        high.take(.skew(ahead: -50 * Self.year, source: "a"), uptime: 1)
        #expect(high.decide(now: now, uptime: 5)?.target == built.advanced(by: 10 * Self.year))
        var early = estimator()
        #expect(early.decide(now: built.advanced(by: -1), uptime: 0) == .init(target: built, reason: .tooEarly))
        var late = estimator()
        #expect(late.decide(now: built.advanced(by: 11 * Self.year), uptime: 0)?.reason == .implausible)
    }

    @Test("nobody can go back before a consensus that was seen")
    func ratchet() throws {
        var estimator = estimator()
        let consensus = try #require(
            Evidence.Consensus(
                validAfter: truth, freshUntil: truth.advanced(by: 3600), validUntil: truth.advanced(by: 10_800)))
        estimator.take(.consensus(consensus), uptime: 1)
        estimator.take(.skew(ahead: 20 * 86_400, source: "a"), uptime: 2)
        let now = truth.advanced(by: 7200)
        var step = estimator.decide(now: now, uptime: 9)
        #expect(step?.target == truth)
        for _ in 0..<3 { estimator.take(.certificateExpired, uptime: 20) }
        step = estimator.decide(now: now, uptime: 30)
        #expect(step?.target == truth)
        step = estimator.decide(now: truth.advanced(by: -5), uptime: 40)
        #expect(step?.reason == .tooEarly)
    }

    @Test("a consensus from beyond what is plausible is no bound")
    func farConsensus() throws {
        var estimator = estimator()
        let far = built.advanced(by: 20 * Self.year)
        estimator.take(
            .consensus(
                try #require(
                    Evidence.Consensus(
                        validAfter: far, freshUntil: far.advanced(by: 1), validUntil: far.advanced(by: 2)))), uptime: 1)
        #expect(estimator.bounds.earliest == built)
    }

    @Test("one liar among three relays changes nothing")
    func liar() {
        var estimator = estimator()
        let now = truth.advanced(by: 86_400)
        estimator.take(.skew(ahead: -5 * Self.year, source: "liar"), uptime: 1)
        estimator.take(.skew(ahead: 86_400, source: "b"), uptime: 1.1)
        estimator.take(.skew(ahead: 86_390, source: "c"), uptime: 1.2)
        let step = estimator.decide(now: now, uptime: 1.3)
        #expect(step.map { abs($0.target.since(truth)) < 60 } == true)
    }

    @Test("one relay does not vote twice")
    func twice() {
        var estimator = estimator()
        for _ in 0..<5 { estimator.take(.skew(ahead: 5000, source: "a"), uptime: 1) }
        #expect(estimator.decide(now: truth, uptime: 1.1) == nil)
        #expect(estimator.decide(now: truth, uptime: 3)?.reason == .relays(1))
    }

    @Test("one or two expired certificates are a relay's own fault")
    func ownFault() {
        var estimator = estimator()
        estimator.take(.certificateExpired, uptime: 1)
        estimator.take(.certificateExpired, uptime: 2)
        estimator.take(.handshake, uptime: 3)
        estimator.take(.certificateExpired, uptime: 4)
        #expect(estimator.decide(now: truth, uptime: 60) == nil)
    }

    @Test("an echo of a skew that has been corrected is not corrected twice")
    func echo() {
        var estimator = estimator()
        let now = truth.advanced(by: -86_400)
        estimator.take(.skew(ahead: -86_400, source: "a"), uptime: 1)
        let step = estimator.decide(now: now, uptime: 3)
        #expect(step?.target == truth)
        estimator.take(.skew(ahead: -86_400, source: "b"), uptime: 3.2)
        #expect(estimator.decide(now: truth, uptime: 5) == nil)
    }

    @Test("relays that move the clock to and fro get no more than eight steps, then one in five minutes")
    func limited() {
        var estimator = estimator()
        var now = truth
        var steps = 0
        for second in 0..<3600 {
            estimator.take(.skew(ahead: second % 20 < 10 ? 90_000 : -90_000, source: "a"), uptime: Double(second))
            if let step = estimator.decide(now: now, uptime: Double(second) + 0.5) {
                now = step.target
                steps += 1
            }
        }
        #expect(steps <= Estimator.stepLimit + 12)
    }

    @Test("millions of lines cost no memory and no time")
    func flood() {
        var estimator = estimator()
        for number in 0..<100_000 {
            estimator.take(.skew(ahead: Int64(number), source: "relay\(number)"), uptime: 1)
            estimator.take(
                .certificateNotYetValid(from: Moment(clamping: Int64(number)), through: truth), uptime: 1)
            estimator.take(.certificateExpired, uptime: 1)
        }
        _ = estimator.decide(now: truth, uptime: 5)
    }
}
