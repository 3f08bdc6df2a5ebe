// SPDX-License-Identifier: GPL-3.0-or-later

/// Which examinations are done, in their order.
public struct Schedule: Sendable {
    /// One way to end with one size of memory, done several times.
    public struct Entry: Sendable, Hashable {
        /// How the session ends.
        public let ending: Ending
        /// The machine's memory in MiB.
        public let memory: Int
        /// How often.
        public let runs: Int

        /// An entry.
        public init(_ ending: Ending, memory: Int, runs: Int) {
            self.ending = ending
            self.memory = memory
            self.runs = runs
        }
    }

    /// What is done.
    public var entries: [Entry]

    /// Every way to end with every size, equally often.
    public init(_ endings: [Ending], memories: [Int], runs: Int) {
        entries = memories.flatMap { memory in endings.map { Entry($0, memory: memory, runs: runs) } }
    }

    /// The long form: a usual shutdown and an emergency often, all other ways once, and the two with little and with much memory.
    public static let long: Schedule = {
        var long = Schedule([], memories: [], runs: 0)
        for ending in Ending.all { long.entries.append(Entry(ending, memory: 2048, runs: ending.isUsual ? 20 : 1)) }
        for memory in [512, 6144] {
            for ending in Ending.all where ending.isUsual {
                long.entries.append(Entry(ending, memory: memory, runs: 1))
            }
        }
        return long
    }()

    /// How many examinations there are.
    public var count: Int { entries.reduce(0) { $0 + $1.runs } }

    /// All examinations, the first of each entry before the second of any: whatever is wrong with one shows early.
    public var turns: [(entry: Entry, turn: Int)] {
        (0..<(entries.map(\.runs).max() ?? 0)).flatMap { turn in
            entries.filter { turn < $0.runs }.map { (entry: $0, turn: turn) }
        }
    }
}

extension Ending {
    /// Whether it is one of the two that stand for their kind: most sessions end by the first, most emergencies by the second.
    fileprivate var isUsual: Bool { ["poweroff", "stick-pulled"].contains(name) }
}
