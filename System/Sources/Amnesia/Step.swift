// SPDX-License-Identifier: GPL-3.0-or-later
import Linux

/// One thing to be done at the end of a session, in a process of its own: when it hangs in the kernel or crashes, the rest goes on.
public struct Step {
    /// Its name for programs and tests.
    public let name: String
    /// What it does, for the user.
    public let words: String
    /// The longest that it may take, in seconds.
    public let seconds: Double
    private let action: (Complaints) -> Void

    /// Where a step tells what it could not do. Nothing told means that all was done.
    public struct Complaints {
        private let tell: (String) -> Void

        init(_ tell: @escaping (String) -> Void) { self.tell = tell }

        /// Tells one thing.
        ///
        /// - Parameter text: a sentence with the object in it; at most 300 bytes of it are kept.
        public func add(_ text: String) { tell(text) }

        /// Tells what an attempt failed of.
        ///
        /// - Parameter attempt: what is tried.
        public func attempt(_ attempt: () throws(SystemCallFailure) -> Void) {
            do throws(SystemCallFailure) { try attempt() } catch { tell("\(error)") }
        }
    }

    /// How a step ended.
    public enum Ending: Hashable, Sendable {
        /// All of it was done in time.
        case done
        /// It came to its end, and could not do this.
        case incomplete
        /// It took too long and was left alone.
        case late
        /// Its process was ended by something else.
        case broken
    }

    /// What came of a step.
    public struct Outcome: Hashable, Sendable {
        /// The step's name.
        public let name: String
        /// How it ended.
        public let ending: Ending
        /// What it could not do.
        public let complaints: [String]
        /// How long it took, in seconds.
        public let seconds: Double

        /// Whether all of it was done.
        public var isDone: Bool { ending == .done }
    }

    /// Describes a step.
    ///
    /// - Parameters:
    ///   - name: its name for programs and tests.
    ///   - words: what it does, for the user.
    ///   - seconds: the longest that it may take.
    ///   - action: what it does, in a forked process.
    public init(_ name: String, _ words: String, seconds: Double, action: @escaping (Complaints) -> Void) {
        self.name = name
        self.words = words
        self.seconds = seconds
        self.action = action
    }

    /// Does it. Only from a process with a single thread; it must not wait for children of its own at the same time.
    ///
    /// - Returns: what came of it, after ``seconds`` at the latest.
    public func perform() -> Outcome {
        let start = Machine.uptime
        func outcome(_ ending: Ending, _ complaints: [String]) -> Outcome {
            Outcome(name: name, ending: ending, complaints: complaints, seconds: Machine.uptime - start)
        }
        let child: Int32
        let pipe: Pipe
        do throws(SystemCallFailure) {
            pipe = try Pipe()
            child = try Processes.fork()
        } catch {
            return outcome(.broken, ["\(error)"])
        }
        if child == 0 { perform(telling: pipe) }
        pipe.closeWriting()
        return wait(for: child, telling: pipe, from: start, outcome)
    }

    /// The child's side.
    private func perform(telling pipe: Pipe) -> Never {
        try? Confinement.dieWithParent()
        var isDone = true
        action(
            Complaints { text in
                isDone = false
                // Less than PIPE_BUF, so that it is never torn.
                let line = text.split(whereSeparator: \.isNewline).joined(separator: " ")
                try? pipe.write(Array((line + "\n").utf8.prefix(300)) + (line.utf8.count >= 300 ? [0x0a] : []))
            })
        Program.exitAtOnce(isDone ? 0 : 1)
    }

    private func wait(
        for child: Int32, telling pipe: Pipe, from start: Double, _ outcome: (Ending, [String]) -> Outcome
    ) -> Outcome {
        var bytes: [UInt8] = []
        var lines: [String] {
            bytes.split(separator: 0x0a).prefix(20).map { String(decoding: $0, as: UTF8.self) }
        }
        while true {
            // The pipe stays open while a grandchild lives; the child's own end is what counts.
            let rest = start + seconds - Machine.uptime
            if rest > 0, !pipe.wait(seconds: min(rest, 0.05)).isEmpty {
                // All is read, so that the child never waits, and not all is kept.
                let more = (try? pipe.read()) ?? []
                if bytes.count < 1 << 14 { bytes += more }
            }
            if let end = Processes.ended(child) {
                while !pipe.wait(seconds: 0).isEmpty, let more = try? pipe.read(), !more.isEmpty { bytes += more }
                switch end.status {
                case 0: return outcome(.done, lines)
                case 1: return outcome(.incomplete, lines)
                default: return outcome(.broken, lines + [Words.broken(status: end.status)])
                }
            }
            if rest <= 0 {
                // What waits in the kernel does not go. It is nobody's child that matters any more.
                Processes.kill(child)
                return outcome(.late, lines)
            }
        }
    }
}
