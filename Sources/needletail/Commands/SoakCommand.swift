// SPDX-License-Identifier: GPL-3.0-or-later
import ArgumentParser
import Commands
import Foundation
import Image
import SystemPackage
import Testbed

struct SoakCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "soak",
        abstract: "Let one part after the other fail in a long session under load.",
        discussion: """
            Starts the image on a private Tor network, downloads all the time, lets a program try to get round the walls, and \
            meanwhile kills, stops, unplugs and suspends by chance. Each frame that leaves the machine is judged. Writes \
            docs/soak.md. The same seed gives the same faults.
            """)

    @OptionGroup var places: PlaceOptions

    @Option(help: ArgumentHelp("The folder with the image.", valueName: "folder"))
    var output = "out"

    @Option(help: "How many faults.")
    var faults = 200

    @Option(help: "How many minutes at the least.")
    var minutes = 30

    @Option(help: "A number that gives the same faults again.")
    var seed = UInt64.random(in: 1...999_999)

    @Option(help: ArgumentHelp("Where to write the report.", valueName: "file"))
    var report: String?

    func validate() throws {
        guard (1...10_000).contains(faults) else { throw ValidationError("--faults takes 1 to 10000.") }
        guard (0...1440).contains(minutes) else { throw ValidationError("--minutes takes 0 to 1440.") }
    }

    func run() async throws {
        let project = try await places.project()
        let image = PlaceOptions.absolute(output).appending(Builder.outputNames(of: places.profile)[0])
        guard FileManager.default.fileExists(atPath: image.string) else {
            throw ValidationError("There is no \(image). Build it with: needletail build --profile \(places.profile)")
        }
        let work = FilePath("/tmp/needletail-soak-\(ProcessInfo.processInfo.processIdentifier)")
        try FileManager.default.createDirectory(atPath: work.string, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: work.string) }
        let steps = Steps()
        let probe = try await Probe(
            source: project.root.appending("Tests/Probe"), program: work.appending("probe"))
        let request = Soak.Request(seed: seed, faults: faults, duration: .seconds(minutes * 60))
        var plan = Trial.Plan(image: image, attachment: .virtio, firmware: .bios)
        plan.card = .e1000
        let (outcome, verdict) = try await Trial.with(plan, work: work.appending("t"), steps: steps) { trial in
            _ = try await steps.step("Wait for Tor") { try await trial.waitForTor(within: .seconds(240)) }
            return try await Soak(trial, request, note: { steps.say($0) }).run(probe: probe)
        }
        let report = SoakReport(
            request: request, results: outcome.results, load: outcome.load, seconds: outcome.seconds, verdict: verdict)
        let page = report.page(
            date: String(ISO8601DateFormatter().string(from: Date()).prefix(10)), commit: project.commit)
        let path = self.report.map(PlaceOptions.absolute) ?? project.root.appending("docs/soak.md")
        try page.write(toFile: path.string, atomically: true, encoding: .utf8)
        print(page)
        print("Written to \(path).")
        guard report.isGood else { throw ExitCode(1) }
    }
}
