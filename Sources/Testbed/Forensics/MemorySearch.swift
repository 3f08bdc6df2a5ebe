// SPDX-License-Identifier: GPL-3.0-or-later
import ByteScan
import SystemPackage

/// Looks for planted markers and for artefacts in memory dumps.
public struct MemorySearch: Sendable {
    /// What was found, by kind.
    public struct Findings: Sendable, Hashable, CustomStringConvertible {
        /// Planted records, by the crop's name.
        public var crops: [String: Tally] = [:]
        /// Artefacts, by kind.
        public var artefacts: [String: Tally] = [:]
        /// How many bytes were searched.
        public var bytes = 0

        /// Markers and parts of markers.
        public var planted: Int { crops.values.reduce(0) { $0 + $1.all } }
        /// Artefacts and parts of secret ones.
        public var known: Int { artefacts.values.reduce(0) { $0 + $1.all } }
        /// Whether nothing of the session is there.
        public var isClean: Bool { planted == 0 && known == 0 }

        /// A line for each kind that is there.
        public var description: String {
            let lines = (crops.map { ($0.key, $0.value) } + artefacts.map { ($0.key, $0.value) })
                .filter { !$0.1.isEmpty }.sorted { ($1.1.all, $0.0) < ($0.1.all, $1.0) }
                .map { name, tally in
                    let first = tally.places.first.map { ", the first at \(String($0, radix: 16))" } ?? ""
                    return
                        "\(name): \(tally.whole) whole (\(tally.numbers) different), \(tally.fragments) parts\(first)"
                }
            return lines.isEmpty ? "nothing in \(bytes >> 20) MiB" : lines.joined(separator: "\n")
        }
    }

    private let search: PatternSearch
    /// Which of the patterns are of crops; the others are of artefacts.
    private let cropPatterns: Int
    private let names: (crops: [String], artefacts: [String])

    /// A search.
    ///
    /// - Throws: `Pattern.Failure` for what cannot be looked for.
    public init(crops: [Crop], artefacts: [Artefact] = []) throws {
        let first = try crops.flatMap { try $0.patterns() }
        let second = try artefacts.flatMap { try $0.patterns() }
        search = PatternSearch(first + second)
        cropPatterns = first.count
        names = (crops.map(\.name), artefacts.map(\.kind))
    }

    /// Searches files.
    ///
    /// - Parameters:
    ///   - files: Dumps of memory.
    ///   - progress: Is told bytes done and bytes in all of the file that is read.
    /// - Returns: What is there: a tally for each kind, also where it is empty.
    /// - Throws: `Errno` when a file cannot be read, `CancellationError`.
    public func findings(in files: [FilePath], progress: (Int, Int) -> Void = { _, _ in }) throws -> Findings {
        var findings = Findings()
        for name in names.crops { findings.crops[name] = Tally() }
        for name in names.artefacts { findings.artefacts[name] = Tally() }
        for file in files {
            var size = 0
            let tallies = try search.tallies(in: file) { done, total in
                size = total
                progress(done, total)
            }
            findings.bytes += size
            for (index, tally) in tallies.enumerated() {
                let name = search.patterns[index].name
                if index < cropPatterns {
                    findings.crops[name, default: Tally()] = (findings.crops[name] ?? Tally()) + tally
                } else {
                    findings.artefacts[name, default: Tally()] = (findings.artefacts[name] ?? Tally()) + tally
                }
            }
        }
        return findings
    }
}
