// SPDX-License-Identifier: GPL-3.0-or-later
import Linux

/// What still runs beside this program, from `/proc`.
public enum RunningProcesses {
    /// A process, as `/proc/N/stat` describes it. See `man 5 proc_pid_stat`.
    public struct Process: Hashable, Sendable {
        /// Its number.
        public let number: Int32
        /// The first 15 bytes of its program's name.
        public let name: String
        /// `R`, `S`, `D` (waits for the kernel), `T` (stopped), `Z` (ended, with all its threads) …
        public let state: Character
        /// Whether it is a thread of the kernel.
        public let isKernel: Bool

        /// Reads a line; `nil` when it is not of this form.
        ///
        /// - Parameter text: the content of `/proc/N/stat`. The name may hold blanks and brackets.
        public init?(parsing text: String) {
            guard let open = text.firstIndex(of: "("), let close = text.lastIndex(of: ")"), open < close,
                let number = Int32(text[..<open].filter { $0 != " " })
            else { return nil }
            let fields = text[text.index(after: close)...].split(separator: " ")
            // state ppid pgrp session tty_nr tpgid flags, and ten on num_threads
            guard fields.count > 6, let state = fields[0].first, let flags = UInt64(fields[6]) else { return nil }
            self.number = number
            self.name = String(text[text.index(after: open)..<close])
            // Its first thread has ended, and others have not: all of its memory is there.
            let threads = fields.count > 17 ? Int(fields[17]) ?? 1 : 1
            self.state = state == "Z" && threads > 1 ? "D" : state
            isKernel = flags & 0x0020_0000 != 0  // PF_KTHREAD
        }
    }

    /// All processes of programs but process 1, this one, and the one that started it.
    public static var others: [Process] {
        let kept: Set<Int32> = [1, Program.identifier, Program.parent]
        return FileTree.names(in: "/proc").compactMap { Int32($0) }.filter { !kept.contains($0) }
            .compactMap { (try? File.text("/proc/\($0)/stat")).flatMap(Process.init(parsing:)) }
            .filter { !$0.isKernel && $0.state != "Z" }
    }

    /// Makes all others stand still. What is started meanwhile is caught in a further pass.
    ///
    /// - Parameter kept: those that go on.
    public static func stop(except kept: Set<Int32> = []) {
        for _ in 0..<3 {
            for process in others where process.state != "T" && !kept.contains(process.number) {
                Processes.signal(process.number, Processes.Signal.stop)
            }
        }
    }

    /// Ends all others: politely first, then at once.
    ///
    /// - Parameters:
    ///   - polite: seconds that they get to end by themselves; none when 0.
    ///   - patience: seconds in which they must be gone after that.
    ///   - kept: those that go on.
    /// - Returns: those that did not end.
    public static func end(polite: Double, patience: Double, except kept: Set<Int32> = []) -> [Process] {
        func wanted() -> [Process] { others.filter { !kept.contains($0.number) } }
        func wait(_ seconds: Double, _ again: ([Process]) -> Void) -> [Process] {
            let end = Machine.uptime + seconds
            while true {
                let left = wanted()
                if left.isEmpty || Machine.uptime >= end { return left }
                again(left)
                Machine.sleep(0.05)
            }
        }
        if polite > 0 {
            for process in wanted() {
                Processes.signal(process.number, Processes.Signal.terminate)
                // What is stopped hears nothing.
                Processes.signal(process.number, Processes.Signal.goOn)
            }
            if wait(polite, { _ in }).isEmpty { return [] }
        }
        // Again and again: some start others while they are being ended.
        return wait(patience) { left in
            for process in left { Processes.signal(process.number, Processes.Signal.kill) }
        }
    }
}
