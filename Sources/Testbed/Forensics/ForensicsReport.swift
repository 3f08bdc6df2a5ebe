// SPDX-License-Identifier: GPL-3.0-or-later
import ByteScan
import Foundation

/// What examinations found, for people and for `docs/forensics.md`.
public struct ForensicsReport: Sendable {
    /// One examination.
    public struct Run: Sendable {
        /// How the session ended.
        public let ending: Ending
        /// The machine's memory in MiB.
        public let memory: Int
        /// What was found; `nil` when it came to no end.
        public let result: Examination.Result?
        /// Sectors of the computer's disks that are not as before.
        public let sectors: Int
        /// Why there is no result, what was changed where.
        public let troubles: [String]
        /// How often there was no session in the first place: nothing was planted, and it was begun again.
        public let falseStarts: Int
        /// Whether there was a Tor network around, and Tor was busy to the end.
        public let hasNetwork: Bool

        /// An examination.
        public init(
            ending: Ending, memory: Int, result: Examination.Result?, sectors: Int, troubles: [String],
            falseStarts: Int = 0, hasNetwork: Bool = true
        ) {
            self.hasNetwork = hasNetwork
            self.falseStarts = falseStarts
            self.ending = ending
            self.memory = memory
            self.result = result
            self.sectors = sectors
            self.troubles = troubles
        }

        /// Whether the detectors saw while the session ran what they were to see.
        public var isBelievable: Bool {
            guard let result, result.planted.allSatisfy({ $0.count > 0 }) else { return false }
            guard let before = result.before else { return true }
            let seesCrops = result.planted.allSatisfy { one in
                // What was freed is emptied at once, which is what it shows; and screens show their last lines only.
                guard one.name != "killed", one.name != "terminal" else { return true }
                return (before.crops[one.name]?.numbers ?? 0) * 10 >= one.count * 9
            }
            return seesCrops && before.artefacts.values.allSatisfy { !$0.isEmpty } && (result.litBefore ?? 0) > 0
        }

        /// How many artefacts are left of those that this way to end is known to leave.
        public var remains: Int {
            result?.after.artefacts.filter { ending.remains.contains($0.key) }.reduce(0) { $0 + $1.value.all } ?? 0
        }

        /// How many artefacts are left beside those.
        public var unexpected: Int { (result?.after.known ?? 0) - remains }

        /// Whether nothing is left, by what this way to end promises.
        public var isGood: Bool {
            guard let result, isBelievable, result.reason == ending.reason else { return false }
            guard sectors == 0, result.variables.isEmpty, result.clockChanges == 0 else { return false }
            if ending.kind == .crash { return true }
            guard result.after.planted == 0, unexpected == 0, result.litBytes == 0 else { return false }
            return ending.kind != .emergency || result.secondsToDark != nil && result.isDoneInOrder
        }
    }

    /// All of them.
    public var runs: [Run]

    /// How many examinations there were to be; more than there are when it was cancelled.
    public let planned: Int
    /// How many examinations were done at once: times are longer for it.
    public let atOnce: Int

    /// A report.
    ///
    /// - Parameters:
    ///   - runs: The examinations.
    ///   - planned: How many there were to be; all when `nil`.
    ///   - atOnce: How many were done at once.
    public init(_ runs: [Run], planned: Int? = nil, atOnce: Int = 1) {
        self.runs = runs
        self.planned = planned ?? runs.count
        self.atOnce = atOnce
    }

    /// Whether nothing was left by any.
    public var isGood: Bool { !runs.isEmpty && runs.allSatisfy(\.isGood) }

    /// The whole page, in Markdown.
    ///
    /// - Parameters:
    ///   - date: The day, as 2031-05-06.
    ///   - commit: Needletail's commit.
    /// - Returns: The page.
    public func page(date: String, commit: String) -> String {
        let aside = atOnce > 1 ? ", with \(atOnce) examinations side by side on the same processors" : ""
        func row(_ words: [String]) -> String { "| " + words.joined(separator: " | ") + " |" }
        let all = runs.compactMap(\.result)
        let wiping = runs.filter { $0.ending.kind != .crash }
        let wiped = wiping.compactMap(\.result)
        let looked = all.filter { $0.before != nil }
        let emergencies = runs.filter { $0.ending.kind == .emergency && $0.memory <= 2048 }.compactMap(\.result)
        func share(_ isInTime: (Examination.Result) -> Bool) -> String {
            "\(emergencies.count(where: isInTime)) of \(emergencies.count)"
        }
        let fewest = runs.filter { $0.memory >= 2048 }.compactMap { $0.result?.plantedRecords }.min()
        var lines = [
            "# Forensics", "",
            "Made by `make forensics` (`needletail forensics`): sessions that leave traces on purpose, their end, and what is",
            "found in the whole memory and on all disks after it. Change nothing here by hand. How it is done:",
            "[amnesia/forensics.md](amnesia/forensics.md).", "",
            row(["", "", "to reach"]), row(["---", "---", "---"]),
            row(["Examinations", "\(runs.count)", planned > runs.count ? "\(planned); it was cancelled" : ""]),
            row(["that came to their end", "\(all.count)", "all"]),
            row(["with Tor busy to the end", "\(runs.count(where: \.hasNetwork))", ""]),
            row(["starts that gave no session, and were repeated", "\(runs.reduce(0) { $0 + $1.falseStarts })", ""]),
            row(["Records planted, in all", "\(all.reduce(0) { $0 + $1.plantedRecords })", ""]),
            row(["the fewest in one with 2 GiB or more", fewest.map { "\($0)" } ?? "–", "≥ 6,000,000"]),
            row([
                "Found while the session ran, where it was searched then",
                "\(looked.reduce(0) { $0 + ($1.before?.planted ?? 0) })",
                "nearly all of \(looked.reduce(0) { $0 + $1.plantedRecords })",
            ]),
            row(["Found after its end, where memory is wiped", "\(wiped.reduce(0) { $0 + $1.after.planted })", "0"]),
            row(["Artefacts found after its end", "\(wiping.reduce(0) { $0 + $1.unexpected })", "0"]),
            row([
                "Artefacts that its way to end is known to leave, besides", "\(wiping.reduce(0) { $0 + $1.remains })",
                "",
            ]),
            row(["Sectors changed on disks, the medium among them", "\(runs.reduce(0) { $0 + $1.sectors })", "0"]),
            row(["Variables of the firmware changed", "\(all.reduce(0) { $0 + $1.variables.count })", "0"]),
            row(["Times that the hardware clock was set", "\(all.reduce(0) { $0 + $1.clockChanges })", "0"]),
            row([
                "Emergencies with 2 GiB or less: dark within 2 s", share { ($0.secondsToDark ?? .infinity) <= 2 },
                "all, on a computer",
            ]),
            row(["the same: off within 20 s", share { $0.secondsToEnd <= 20 }, "all, on a computer"]),
            row([
                "the same, from when it noticed: dark, keys gone and all frozen within 2 s",
                share { $0.isDoneInOrder && $0.millisecondsToSafety <= 2000 }, "all",
            ]),
            "",
            "By the way the session ended; times in seconds under emulation, the median and the longest\(aside):", "",
            row(["ending", "MiB", "runs", "good", "left", "artefacts", "sectors", "until dark", "until the end"]),
            row(Array(repeating: "---", count: 9)),
        ]
        for group in groups {
            let results = group.compactMap(\.result)
            lines.append(
                row([
                    group[0].ending.name, "\(group[0].memory)", "\(group.count)", "\(group.count(where: \.isGood))",
                    "\(results.reduce(0) { $0 + $1.after.planted })", "\(results.reduce(0) { $0 + $1.after.known })",
                    "\(group.reduce(0) { $0 + $1.sectors })", Self.times(results.compactMap(\.secondsToDark)),
                    Self.times(results.map(\.secondsToEnd)),
                ]))
        }
        lines += ["", "What was left, by kind of memory (whole records and parts of records of at least 8 bytes):", ""]
        lines += [
            row(["kind", "planted", "of it searched while the session ran", "found then", "found after"]),
            row(Array(repeating: "---", count: 5)),
        ]
        for name in Set(all.flatMap { $0.planted.map(\.name) }).sorted() {
            func planted(_ results: [Examination.Result]) -> Int {
                results.reduce(0) { $0 + ($1.planted.first { $0.name == name }?.count ?? 0) }
            }
            let before = all.reduce(0) { $0 + ($1.before?.crops[name]?.all ?? 0) }
            let after = wiped.reduce(0) { $0 + ($1.after.crops[name]?.all ?? 0) }
            lines.append(row([name, "\(planted(all))", "\(planted(looked))", "\(before)", "\(after)"]))
        }
        lines += ["", row(["artefact", "found while it ran", "found after"]), row(Array(repeating: "---", count: 3))]
        for name in Set(all.flatMap(\.after.artefacts.keys)).sorted() {
            let before = all.reduce(0) { $0 + ($1.before?.artefacts[name]?.all ?? 0) }
            let after = wiped.reduce(0) { $0 + ($1.after.artefacts[name]?.all ?? 0) }
            lines.append(row([name, "\(before)", "\(after)"]))
        }
        let troubles = runs.enumerated().flatMap { index, run in
            run.troubles.map { "- \(index + 1), \(run.ending): \($0.replacing("\n", with: " ").prefix(300))" }
        }
        if !troubles.isEmpty { lines += ["", "Not as it should be:", ""] + troubles }
        lines += ["", "Measured on \(date) at commit \(commit.prefix(10)).", ""]
        return lines.joined(separator: "\n")
    }

    /// Runs of one ending and one size, in the order of the first of each.
    private var groups: [[Run]] {
        runs.reduce(into: []) { groups, run in
            if let index = groups.firstIndex(where: { $0[0].ending == run.ending && $0[0].memory == run.memory }) {
                groups[index].append(run)
            } else {
                groups.append([run])
            }
        }
    }

    private static func times(_ values: [Double]) -> String {
        let sorted = values.sorted()
        guard let last = sorted.last else { return "–" }
        return String(format: "%.1f, %.1f", sorted[sorted.count / 2], last)
    }
}
