// SPDX-License-Identifier: GPL-3.0-or-later
import ArgumentParser
import Commands
import Foundation
import Image
import SystemPackage
import Testbed

struct ForensicsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "forensics",
        abstract: "Look for what a session leaves in memory and on disks after its end.",
        discussion: """
            Starts the image in a computer full of disks, fills every kind of memory with markers, uses keys, names and \
            addresses, ends the session in each way that there is, and searches the whole memory and every sector for what \
            is left. Writes docs/forensics.md. With --long, at 2 GiB and with 6 million markers: 20 sessions that are shut \
            down, 20 that end because the stick is pulled, and one for each other way; that takes an hour or two.
            """)

    @OptionGroup var places: PlaceOptions

    @Option(help: ArgumentHelp("The folder with the image.", valueName: "folder"))
    var output = "out"

    @Flag(
        help: """
            2 GiB of memory, 6.3 million markers, 20 runs of each --ending. Without --ending, --memory and --runs: 20 of \
            poweroff and of stick-pulled, one of all others, and those two with 512 MiB and 6 GiB. Only the first run of each \
            way has a Tor network.
            """)
    var long = false

    @Option(help: ArgumentHelp("How many examinations are done at once.", valueName: "number"))
    var atOnce = 1

    @Option(help: ArgumentHelp("How many runs of each way to end.", valueName: "number"))
    var runs: Int?

    @Option(help: "The machine's memory in MiB; may be given several times, to see how the time grows with it.")
    var memory: [Int] = []

    @Option(help: ArgumentHelp("How many markers, nearly.", valueName: "number"))
    var records: Int?

    @Option(
        name: .customLong("ending"),
        help: ArgumentHelp(
            "Only this way to end; may be given several times. One of: \(Ending.all.map(\.name).joined(separator: ", ")).",
            valueName: "name"))
    var endings: [String] = []

    @Option(
        help: ArgumentHelp("How long a session goes on after it has left its traces.", valueName: "minutes"))
    var stay = 0

    @Flag(help: "Without a Tor network: quicker, and without addresses and relays among what is looked for.")
    var offline = false

    @Option(help: ArgumentHelp("Where to write the report.", valueName: "file"))
    var report: String?

    @Option(
        help: ArgumentHelp(
            "Where pictures of the screen at the end go, and dumps of memory in which something was left.",
            valueName: "folder"))
    var evidence: String?

    func validate() throws {
        for name in endings where Ending.named(name) == nil {
            throw ValidationError(
                "There is no way to end called '\(name)'. There are: \(Ending.all.map(\.name).joined(separator: ", "))."
            )
        }
        if !(1...16).contains(atOnce) { throw ValidationError("--at-once takes 1 to 16.") }
        if let runs, !(1...1000).contains(runs) { throw ValidationError("--runs takes 1 to 1000.") }
        if !(0...600).contains(stay) { throw ValidationError("--stay takes 0 to 600 minutes.") }
        if !memory.allSatisfy({ (512...16_384).contains($0) }) { throw ValidationError("--memory takes 512 to 16384.") }
        if let records, !(10_000...100_000_000).contains(records) {
            throw ValidationError("--records takes 10000 to 100000000.")
        }
    }

    private var schedule: Schedule {
        if long, endings.isEmpty, memory.isEmpty, runs == nil { return .long }
        return Schedule(
            endings.isEmpty ? Ending.all : endings.compactMap { Ending.named($0) },
            memories: memory.isEmpty ? [long ? 2048 : 1024] : memory, runs: runs ?? (long ? 20 : 1))
    }

    /// As many as fit: a third of the memory, up to what the long form wants.
    private func records(in memory: Int) -> Int {
        records ?? min(long ? 6_300_000 : 1_000_000, memory * 16_384 / 3)
    }

    func run() async throws {
        let project = try await places.project()
        let image = PlaceOptions.absolute(output).appending(Builder.outputNames(of: places.profile)[0])
        guard FileManager.default.fileExists(atPath: image.string) else {
            throw ValidationError("There is no \(image). Build it with: needletail build --profile \(places.profile)")
        }
        let work = FilePath("/tmp/needletail-forensics-\(ProcessInfo.processInfo.processIdentifier)")
        try FileManager.default.createDirectory(atPath: work.string, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: work.string) }
        let planter = try await Planter(
            source: project.root.appending("Tests/Planter"), program: work.appending("planter"))
        let runs = try await examineAll(planter: planter, work: work)
        guard !runs.isEmpty else { throw CancellationError() }
        let report = ForensicsReport(runs, planned: schedule.count, atOnce: atOnce)
        let page = report.page(
            date: String(ISO8601DateFormatter().string(from: Date()).prefix(10)), commit: project.commit)
        let path = self.report.map(PlaceOptions.absolute) ?? project.root.appending("docs/forensics.md")
        try page.write(toFile: path.string, atomically: true, encoding: .utf8)
        print(page)
        print("Written to \(path).")
        try Task.checkCancellation()
        guard report.isGood else { throw ExitCode(1) }
    }

    /// All examinations of the schedule, some at once; in the order of the schedule. When it is cancelled, those that were done.
    private func examineAll(planter: Planter, work: FilePath) async throws -> [ForensicsReport.Run] {
        let steps = Steps()
        let turns = schedule.turns
        return try await withThrowingTaskGroup(of: (Int, ForensicsReport.Run?).self) { group in
            var runs: [Int: ForensicsReport.Run] = [:]
            for (index, (entry, turn)) in turns.enumerated() {
                if index >= atOnce, let (done, run) = try await group.next() { runs[done] = run }
                if Task.isCancelled { break }
                // The detectors are shown to detect in the first run of each way. Only there the long form has a network: the
                // others are about memory, of which a busy Tor takes little, and take a third less time.
                let plan = try plan(entry, number: index + 1, looksBefore: turn == 0)
                let hasNetwork = !offline && !(long && turn > 0)
                let name = "\(index + 1) of \(turns.count): \(entry.ending), \(entry.memory) MiB"
                group.addTask {
                    do {
                        return (
                            index,
                            try await show(index + 1, name, steps) {
                                try await examine(
                                    $0, plan, hasNetwork: hasNetwork, planter, in: work.appending("\(index)"))
                            }
                        )
                    } catch is CancellationError {
                        return (index, nil)
                    }
                }
            }
            for try await (done, run) in group { runs[done] = run }
            return runs.sorted { $0.key < $1.key }.map(\.value)
        }
    }

    /// Shows an examination as a step, or between the lines of others that go on at the same time.
    private func show(
        _ number: Int, _ name: String, _ steps: Steps,
        _ body:
            @Sendable (@escaping @Sendable (String) -> Void) async throws ->
            ForensicsReport.Run
    ) async throws -> ForensicsReport.Run {
        guard atOnce > 1 else {
            let run = try await steps.step(name) { try await body { steps.say("   \($0)") } }
            for trouble in run.troubles { steps.say("   \(trouble)") }
            return run
        }
        steps.say("… \(name)")
        let run = try await body { steps.say("   \(number): \($0)") }
        for trouble in run.troubles { steps.say("   \(number): \(trouble)") }
        steps.say("\(run.isGood ? "✓" : "✗") \(name)")
        return run
    }

    private func plan(_ entry: Schedule.Entry, number: Int, looksBefore: Bool) throws -> Examination.Plan {
        let images = Builder.outputNames(of: places.profile).map { PlaceOptions.absolute(output).appending($0) }
        var plan = Examination.Plan(
            image: images[entry.ending.attachment.isDVD ? 1 : 0], ending: entry.ending, otherCopy: images[0])
        plan.stay = .seconds(stay * 60)
        plan.memory = entry.memory
        plan.records = records(in: entry.memory)
        plan.looksBefore = looksBefore
        plan.evidence = try evidence.map {
            let folder = PlaceOptions.absolute($0).appending("\(number)-\(entry.ending)-\(entry.memory)")
            try FileManager.default.createDirectory(atPath: folder.string, withIntermediateDirectories: true)
            return folder
        }
        return plan
    }

    /// One examination. A start that gives no session shows nothing, and is tried again, twice at most.
    private func examine(
        _ note: @escaping @Sendable (String) -> Void, _ plan: Examination.Plan, hasNetwork: Bool, _ planter: Planter,
        in work: FilePath
    ) async throws -> ForensicsReport.Run {
        var falseStarts = 0
        while true {
            try FileManager.default.createDirectory(atPath: work.string, withIntermediateDirectories: true)
            // Disks and sticks take gigabytes.
            defer { try? FileManager.default.removeItem(atPath: work.string) }
            let examination = try await Examination.prepare(plan, in: work.appending("x"), planter: planter)
            var troubles: [String] = []
            var result: Examination.Result?
            do {
                result = try await examination.perform(in: work.appending("t"), offline: !hasNetwork, note: note)
            } catch let error as ForensicsFailure where error.code == .noSession && falseStarts < 2 {
                try Task.checkCancellation()
                falseStarts += 1
                note("\(error) It is tried again.")
                continue
            } catch let error where !(error is CancellationError) {
                try Task.checkCancellation()
                troubles.append("\(error)")
            }
            let changes = try examination.changes()
            troubles += changes.sentences
            troubles += result?.variables.map { "changed in the firmware: \($0)" } ?? []
            return ForensicsReport.Run(
                ending: plan.ending, memory: plan.memory, result: result, sectors: changes.sectors, troubles: troubles,
                falseStarts: falseStarts, hasNetwork: hasNetwork)
        }
    }
}
