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
            is left. Writes docs/forensics.md. With --long, 20 sessions for each way to end, at 2 GiB and with 6 million \
            markers; that takes hours.
            """)

    @OptionGroup var places: PlaceOptions

    @Option(help: ArgumentHelp("The folder with the image.", valueName: "folder"))
    var output = "out"

    @Flag(help: "Twenty runs of each way, 2 GiB of memory, 6.3 million markers.")
    var long = false

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
        if let runs, !(1...1000).contains(runs) { throw ValidationError("--runs takes 1 to 1000.") }
        if !memory.allSatisfy({ (512...16_384).contains($0) }) { throw ValidationError("--memory takes 512 to 16384.") }
        if let records, !(10_000...100_000_000).contains(records) {
            throw ValidationError("--records takes 10000 to 100000000.")
        }
    }

    private var memories: [Int] { memory.isEmpty ? [long ? 2048 : 1024] : memory }

    /// As many as fit: a third of the memory, up to what the long form wants.
    private func records(in memory: Int) -> Int {
        records ?? min(long ? 6_300_000 : 1_000_000, memory * 16_384 / 3)
    }

    func run() async throws {
        let project = try await places.project()
        let image = PlaceOptions.absolute(output).appending(Builder.outputNames(of: places.profile)[0])
        let disc = PlaceOptions.absolute(output).appending(Builder.outputNames(of: places.profile)[1])
        guard FileManager.default.fileExists(atPath: image.string) else {
            throw ValidationError("There is no \(image). Build it with: needletail build --profile \(places.profile)")
        }
        let work = FilePath("/tmp/needletail-forensics-\(ProcessInfo.processInfo.processIdentifier)")
        try FileManager.default.createDirectory(atPath: work.string, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: work.string) }
        let steps = Steps()
        let planter = try await Planter(
            source: project.root.appending("Tests/Planter"), program: work.appending("planter"))
        let chosen = endings.isEmpty ? Ending.all : endings.compactMap { Ending.named($0) }
        let count = runs ?? (long ? 20 : 1)
        var report = ForensicsReport([])
        let each = memories.flatMap { memory in chosen.map { (memory: memory, ending: $0) } }
        for turn in 0..<count {
            for (index, (memory, ending)) in each.enumerated() {
                var plan = Examination.Plan(image: ending.attachment.isDVD ? disc : image, ending: ending)
                plan.memory = memory
                plan.records = records(in: memory)
                // The detectors are shown to detect in the first run of each way.
                plan.looksBefore = turn == 0
                let number = turn * each.count + index + 1
                plan.evidence = try evidence.map {
                    let folder = PlaceOptions.absolute($0).appending("\(number)-\(ending)-\(memory)")
                    try FileManager.default.createDirectory(atPath: folder.string, withIntermediateDirectories: true)
                    return folder
                }
                let name = "\(number) of \(count * each.count): \(ending), \(memory) MiB"
                let run = try await steps.step(name) {
                    try await examine(plan, planter: planter, work: work, steps: steps)
                }
                report.runs.append(run)
                for trouble in run.troubles { steps.say("   \(trouble)") }
            }
        }
        let page = report.page(
            date: String(ISO8601DateFormatter().string(from: Date()).prefix(10)), commit: project.commit)
        let path = self.report.map(PlaceOptions.absolute) ?? project.root.appending("docs/forensics.md")
        try page.write(toFile: path.string, atomically: true, encoding: .utf8)
        print(page)
        print("Written to \(path).")
        guard report.isGood else { throw ExitCode(1) }
    }

    private func examine(_ plan: Examination.Plan, planter: Planter, work: FilePath, steps: Steps) async throws
        -> ForensicsReport.Run
    {
        let folder = work.appending("x")
        try? FileManager.default.removeItem(atPath: folder.string)
        let examination = try await Examination.prepare(plan, in: folder, planter: planter)
        var troubles: [String] = []
        var result: Examination.Result?
        do {
            result = try await examination.perform(in: work.appending("t"), offline: offline) { steps.say("   \($0)") }
        } catch let error where !(error is CancellationError) {
            try Task.checkCancellation()
            troubles.append("\(error)")
        }
        let changes = try examination.disks?.changes() ?? DiskSet.Changes()
        troubles += changes.sentences
        troubles += result?.variables.map { "changed in the firmware: \($0)" } ?? []
        return ForensicsReport.Run(
            ending: plan.ending, memory: plan.memory, result: result, sectors: changes.sectors, troubles: troubles)
    }
}
