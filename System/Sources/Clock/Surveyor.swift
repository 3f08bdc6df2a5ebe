// SPDX-License-Identifier: GPL-3.0-or-later
import Dispatch
import Linux

/// Asks web sites of several operators for the time, one after the other, through Tor.
public struct Surveyor: Sendable {
    /// A source that gave no time.
    public struct Failure: Hashable, Sendable {
        /// Who runs it.
        public let operatorName: String
        /// Its host name.
        public let host: String
        /// Why, in words.
        public let words: String
    }

    /// What was learnt.
    public struct Report: Sendable {
        /// The answers compared.
        public let survey: Survey
        /// Who did not answer.
        public let failures: [Failure]
    }

    /// So many operators are asked; more when some of them do not answer.
    public static let wanted = 5
    /// So many are asked at most.
    public static let most = 9

    private let sources: TimeSources

    /// A surveyor with a list.
    public init(_ sources: TimeSources) { self.sources = sources }

    /// Asks, in random order, one random source of each operator, with random pauses, so that neither an operator nor an exit
    /// sees a pattern.
    ///
    /// - Returns: what was learnt, by then.
    /// - Throws: `CancellationError`.
    public func run() async throws -> Report {
        var answers: [Survey.Answer] = []
        var failures: [Failure] = []
        for one in sources.operators.shuffled().prefix(Self.most) {
            if answers.count >= Self.wanted { break }
            guard let source = one.sources.randomElement() else { continue }
            if !answers.isEmpty || !failures.isEmpty {
                try await Task.sleep(for: .milliseconds(Int.random(in: 100...2000)))
            }
            switch try await ask(source) {
            case .success(let (correction, uncertainty)):
                answers.append(
                    Survey.Answer(
                        operatorName: one.name, host: source.host, correction: correction, uncertainty: uncertainty))
            case .failure(let words):
                failures.append(Failure(operatorName: one.name, host: source.host, words: words))
            }
        }
        return Report(survey: Survey(answers), failures: failures)
    }

    private enum Outcome: Sendable {
        case success((correction: Double, uncertainty: Double))
        case failure(String)
    }

    private func ask(_ source: TimeSources.Source) async throws -> Outcome {
        try Task.checkCancellation()
        let question = DateQuestion(
            source, isolation: "clock\(UInt64.random(in: 0...UInt64.max))", authorities: sources.authorities)
        // The run blocks its thread, which therefore is not one of the tasks'.
        return await withCheckedContinuation { continuation in
            DispatchQueue.global().async { continuation.resume(returning: Self.run(question)) }
        }
    }

    private static func run(_ question: DateQuestion) -> Outcome {
        let start = Machine.uptime
        let outcome: Program.Outcome
        do {
            outcome = try Program.run(
                DateQuestion.program, question.arguments, seconds: Double(DateQuestion.patience) + 5)
        } catch {
            return .failure("\(error)")
        }
        let end = Machine.uptime
        let now = RealTimeClock.now
        guard outcome.status == 0 else { return .failure(DateQuestion.failure(status: outcome.status)) }
        guard let reply = DateQuestion.reply(outcome.output) else { return .failure(Words.noDate) }
        // curl counts from its own start, which lies somewhere in the time that starting and ending it took.
        let slack = max(0, end - start - reply.total)
        let asked = now - (end - (start + slack / 2 + reply.middle))
        // The date has whole seconds: on average it is half of one late.
        let theirs = Double(reply.date.seconds) + 0.5
        return .success((theirs - asked, reply.roundTrip / 2 + slack / 2 + 0.5))
    }
}
