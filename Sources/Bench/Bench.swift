// SPDX-License-Identifier: GPL-3.0-or-later
import Commands
import Foundation
import Image
import SystemPackage
import Testbed

/// Measures Needletail side by side with what Debian has for the same purpose.
public struct Bench: Sendable {
    /// What is measured, from what, and where to.
    public struct Request: Sendable {
        /// What is built.
        public var build: Builder.Request
        /// The program itself, which the build part runs on a copy of the tree.
        public var program: FilePath
        /// How often each start is measured.
        public var runs: Int
        /// A file whose lock is held while something is measured.
        public var turn: Turn
        /// The ways of packing that are looked at, by a part of their names; all when empty.
        public var packings: [String] = []
        /// The room for QEMU's translated code in MiB, where sessions are ended; QEMU's own choice when `nil`.
        public var translationCache: Int? = Bench.translationCache

        /// Describes a run; what is made goes to `bench` in the build's output folder.
        public init(build: Builder.Request, program: FilePath, runs: Int, turn: Turn) {
            self.build = build
            self.program = program
            self.runs = runs
            self.turn = turn
        }

        var folder: FilePath { build.output.appending("bench") }
        var logs: FilePath { folder.appending("logs") }
        var stick: FilePath { build.output.appending(Builder.outputNames(of: build.profile)[0]) }
    }

    let request: Request
    let steps: Steps

    /// Prepares a run.
    public init(_ request: Request, steps: Steps) {
        self.request = request
        self.steps = steps
    }

    /// Measures a part. What was measured is written to `<part>.json`, too.
    ///
    /// - Throws: `BenchFailure`, `CommandFailure`, `MachineFailure`, `CancellationError` and what building throws.
    public func measure(_ part: Part) async throws -> PartReport {
        try FileManager.default.createDirectory(
            atPath: request.logs.string, withIntermediateDirectories: true)
        // Short: the path of a UNIX socket has 107 bytes at the most.
        let work = FilePath("/tmp/needletail-bench-\(ProcessInfo.processInfo.processIdentifier)")
        try FileManager.default.createDirectory(atPath: work.string, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: work.string) }
        let report: PartReport
        switch part {
        case .boot: report = try await boot(work: work)
        case .end: report = try await end(work: work)
        case .build: report = try await build(work: work)
        case .size: report = try await size()
        case .memory: report = try await memory(work: work)
        case .filesystem: report = try await fileSystem(work: work)
        case .tor: report = try await tor(work: work)
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        try encoder.encode(report).write(
            to: URL(filePath: request.folder.appending("\(part.rawValue).json").string), options: .atomic)
        return report
    }

    /// On what is measured now.
    func setting() async throws -> Setting {
        try await Setting.ofMachine(commit: request.build.project.commit, guestKernel: guestKernel())
    }

    /// The release of the kernel that the lock names.
    func guestKernel() throws -> String {
        let lock = try Lock.read(request.build.project.lockPath(request.build.profile))
        let prefix = "linux-image-"
        let releases = lock.system.map(\.name).filter { $0.hasPrefix(prefix) && $0.contains(where: \.isNumber) }
            .map { String($0.dropFirst(prefix.count)) }.filter { $0.first?.isNumber == true }
        guard let release = releases.first else {
            throw BenchFailure("The lock of the profile '\(request.build.profile)' names no kernel.")
        }
        return release
    }

    func ingredients(work: FilePath) async throws -> Ingredients {
        try await Builder(request.build, steps: steps).ingredients(work: work, logs: request.logs)
    }

    /// A stick that is measured, and by what name the user hears of it.
    struct Stick: Sendable {
        let name: String
        let image: FilePath
        /// The kernel that QEMU starts; the stick's own boot loader does when `nil`.
        var kernel: MachineDescription.Kernel?
    }

    /// Measures several things in turn, round by round, so that what else the machine does falls on all of them alike.
    ///
    /// - Parameters:
    ///   - subjects: What is measured.
    ///   - runs: How often.
    ///   - measurements: How many are made in one turn, which is to end after ten minutes.
    ///   - measure: Measures one; its words say which of all rounds it is.
    /// - Returns: For each subject its values, in the order of the subjects.
    /// - Throws: What measuring throws.
    func rounds<Subject: Sendable, Value: Sendable>(
        of subjects: [Subject], runs: Int, inOneTurn measurements: Int = 12,
        _ measure: (Subject, String) async throws -> Value
    ) async throws -> [[Value]] {
        var values: [[Value]] = subjects.map { _ in [] }
        // Rounds of one turn are nearer to each other.
        let roundsOfTurn = max(1, measurements / max(1, subjects.count))
        for first in stride(from: 1, through: runs, by: roundsOfTurn) {
            try await request.turn.take {
                for round in first..<min(first + roundsOfTurn, runs + 1) {
                    for (index, subject) in subjects.enumerated() {
                        values[index].append(try await measure(subject, "\(round) of \(runs)"))
                    }
                }
            }
        }
        return values
    }

    /// Starts several sticks in turn, less than a minute each.
    func starts(of sticks: [Stick], work: FilePath, readsFiles: Bool) async throws -> [[Start]] {
        try await rounds(of: sticks, runs: request.runs) { stick, round in
            try await steps.step("Start \(stick.name), \(round)") {
                let start = try await Start.measure(stick.image, work: work.appending("m"), readsFiles: readsFiles)
                steps.note(
                    "systemd \(Document.number(start.times.systemd ?? 0)) s, default target "
                        + "\(Document.number(start.times.defaultTarget ?? 0)) s")
                return start
            }
        }
    }

    static func size(of file: FilePath) throws -> Double {
        let attributes = try FileManager.default.attributesOfItem(atPath: file.string)
        return ((attributes[.size] as? NSNumber)?.doubleValue ?? 0) / 1e6
    }
}

extension [Start] {
    /// A quantity of all starts that have it.
    func series(_ value: (Start) -> Double?) -> Series { Series(compactMap(value)) }
}
