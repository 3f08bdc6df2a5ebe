// SPDX-License-Identifier: GPL-3.0-or-later
import Linux

/// Shows words for a program that must not wait for the screen: a console waits for its graphics driver, and that may hang. So a
/// process of its own writes, and what it does not take in time is not shown.
struct ScreenWriter {
    /// Its process; `nil` when there could be none, and nothing is shown.
    let process: Int32?
    private let words: Pipe?
    private let answers: Pipe?

    /// Takes the screen, in that process. Only from a process with a single thread.
    ///
    /// - Parameters:
    ///   - take: what it does first.
    ///   - write: how it writes.
    init(take: () -> Void = Screen.take, write: ([UInt8]) -> Void = { Screen.write($0) }) {
        guard let words = try? Pipe(), let answers = try? Pipe(), let child = try? Processes.fork() else {
            process = nil
            self.words = nil
            self.answers = nil
            return
        }
        guard child != 0 else { Self.serve(words, answers, take, write) }
        answers.closeWriting()
        words.neverWait()
        process = child
        self.words = words
        self.answers = answers
    }

    /// The child's side, until its parent ends.
    private static func serve(
        _ words: Pipe, _ answers: Pipe, _ take: () -> Void, _ write: ([UInt8]) -> Void
    ) -> Never {
        try? Confinement.dieWithParent()
        words.closeWriting()
        take()
        while let bytes = try? words.read(), !bytes.isEmpty {
            write(bytes.filter { $0 != 0 })
            // A zero asks for an answer when all before it is written.
            try? answers.write(bytes.filter { $0 == 0 })
        }
        Program.exitAtOnce(0)
    }

    /// Writes a line.
    ///
    /// - Parameter text: the line without its end.
    func line(_ text: String) { send("\r\u{1b}[K\(text)\r\n") }

    /// Writes a line that the next one replaces.
    ///
    /// - Parameter text: the line without its end.
    func progress(_ text: String) { send("\r\u{1b}[K\(text)") }

    /// Empties the console that is on the screen, also of its cursor.
    func clear() { send("\u{1b}[?25l\u{1b}[2J\u{1b}[H") }

    /// Waits until all is on the screen.
    ///
    /// - Parameter seconds: the longest time.
    /// - Returns: whether it is.
    @discardableResult
    func settle(seconds: Double) -> Bool {
        guard let words, let answers, (try? words.write([0])) != nil else { return false }
        guard !answers.wait(seconds: seconds).isEmpty else { return false }
        return (try? answers.read())?.isEmpty == false
    }

    private func send(_ text: String) { try? words?.write(Array(text.utf8)) }
}
