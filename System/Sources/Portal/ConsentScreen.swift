// SPDX-License-Identifier: GPL-3.0-or-later
import Linux
import Varlink

/// The question on a virtual console of its own. The console belongs to this program's account and to no session: no program
/// of the session can read it, draw on it or type into it (`dev.tty.legacy_tiocsti=0`, `/dev/uinput` is root's). What a session can
/// do is to switch consoles; a question that is no longer on the screen is a question with the answer no.
public enum ConsentScreen {
    /// Wrong numbers after which the answer is no.
    static let tries = 3

    /// Answers the service, and ends a while after it has hung up.
    ///
    /// - Returns: an exit status.
    public static func run() async -> Int32 {
        await ConsoleService.run(product: "Needletail login page: question", interface: PortalInterface.consentText) {
            console, methods in
            methods.answer("Ask") { (question: ConsentQuestion, _) in try await ask(question, on: console) }
        }
    }

    private static func ask(_ question: ConsentQuestion, on console: VirtualConsole) async throws -> ConsentAnswer {
        let before = try console.active
        try console.makeRaw()
        let answer: ConsentAnswer.Answer
        do {
            answer = try await decide(question, on: console)
        } catch {
            ConsoleService.clear(console)
            try? console.show(before)
            throw error
        }
        ConsoleService.clear(console)
        if answer == .agreed {
            // The browser's console comes next; until then this one stays.
            console.write("\n  \(Words.agreed)\n")
        } else {
            try console.show(before)
        }
        return ConsentAnswer(answer: answer, display: before)
    }

    private static func decide(
        _ question: ConsentQuestion, on console: VirtualConsole
    ) async throws -> ConsentAnswer.Answer {
        let limit = ContinuousClock.now + .seconds(question.seconds)
        for attempt in 1...tries {
            var entry = ConsentEntry(code: ConsentEntry.newCode())
            ConsoleService.clear(console)
            console.write(
                Words.question(
                    network: question.network, code: entry.code, seconds: question.seconds, limit: question.limit))
            if attempt == 1 {
                guard try await ConsoleService.bringUp(console) else { return .refused }
            }
            // What was typed for something else is not an answer.
            try await Task.sleep(for: .milliseconds(700))
            console.forgetTyped()
            switch try await read(&entry, on: console, until: limit) {
            case .agreed: return .agreed
            case .wrong: continue
            case .refused: return .refused
            case .going: return .unanswered
            }
        }
        return .refused
    }

    /// Reads until something is decided; `.going` when the time is over.
    private static func read(
        _ entry: inout ConsentEntry, on console: VirtualConsole, until limit: ContinuousClock.Instant
    ) async throws -> ConsentEntry.Event {
        while ContinuousClock.now < limit {
            try await Task.sleep(for: .milliseconds(50))
            guard try console.active == console.number else { return .refused }
            for byte in try console.read() {
                switch entry.take(byte) {
                case .going(let text): console.write(text)
                case let event: return event
                }
            }
        }
        return .going(show: "")
    }
}
