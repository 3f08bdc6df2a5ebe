// SPDX-License-Identifier: GPL-3.0-or-later

/// What several independent operators of web sites say about the time, and what follows from it.
public struct Survey: Hashable, Sendable {
    /// One operator's word.
    public struct Answer: Hashable, Sendable, Codable {
        /// Who runs the source.
        public let operatorName: String
        /// The source's host name.
        public let host: String
        /// Seconds to add to this clock to have the source's time.
        public let correction: Double
        /// How far the correction may be off: half of the time between question and answer, and half of a second, because
        /// the date has whole ones.
        public let uncertainty: Double

        /// Notes an answer.
        public init(operatorName: String, host: String, correction: Double, uncertainty: Double) {
            self.operatorName = operatorName
            self.host = host
            self.correction = correction
            self.uncertainty = uncertainty
        }
    }

    /// What follows.
    public enum Outcome: Hashable, Sendable {
        /// The clock should be changed by so many seconds (possibly too few to care), in which so many operators agree.
        case correction(Double, agreeing: Int)
        /// Fewer than three operators answered.
        case tooFew
        /// Not three, or not more than half of those who answered, agree.
        case disagreement
    }

    /// So many operators must agree.
    public static let quorum = 3
    /// Seconds by which answers may differ beyond their uncertainty and still agree.
    public static let tolerance = 3.0

    /// Everybody's word, one for each operator.
    public let answers: [Answer]
    /// What follows.
    public let outcome: Outcome
    /// Who differs from what the others agree on.
    public let outliers: [Answer]

    /// Compares answers.
    ///
    /// - Parameter all: in any order; of several answers of one operator the first counts, so that nobody votes twice.
    public init(_ all: [Answer]) {
        var answers: [Answer] = []
        for answer in all.prefix(64)
        where answer.correction.isFinite && answer.uncertainty.isFinite
            && !answers.contains(where: { $0.operatorName == answer.operatorName })
        { answers.append(answer) }
        self.answers = answers
        guard answers.count >= Self.quorum else {
            outcome = .tooFew
            outliers = []
            return
        }
        let middle = Self.median(answers.map(\.correction))
        let agreeing = answers.filter { abs($0.correction - middle) <= Self.tolerance + abs($0.uncertainty) }
        outliers = answers.filter { !agreeing.contains($0) }
        guard agreeing.count >= Self.quorum, agreeing.count * 2 > answers.count else {
            outcome = .disagreement
            return
        }
        outcome = .correction(Self.median(agreeing.map(\.correction)), agreeing: agreeing.count)
    }

    static func median(_ values: [Double]) -> Double {
        let sorted = values.sorted()
        guard !sorted.isEmpty else { return 0 }
        let middle = sorted.count / 2
        return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
    }
}
