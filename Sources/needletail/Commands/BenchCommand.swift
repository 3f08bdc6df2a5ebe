// SPDX-License-Identifier: GPL-3.0-or-later
import ArgumentParser
import Bench
import Commands
import Foundation
import Image
import SystemPackage

struct BenchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Measure Needletail against Debian's own live tools.",
        discussion: """
            Measures side by side on this machine and writes docs/benchmarks.md, of which only the sections of what was \
            measured change, and the values to 'bench' in the output folder. Run nothing else meanwhile. The parts \
            'build', 'end' and 'size' need root and Debian's package live-build.
            """)

    @OptionGroup var places: PlaceOptions

    @Option(help: ArgumentHelp("The folder with the image.", valueName: "folder"))
    var output = "out"

    @Option(help: "Measure only this: boot, end, build, size, memory, filesystem or tor. Can be given several times.")
    var only: [Part] = []

    @Option(help: "How often each start is measured.")
    var runs = 5

    @Option(help: ArgumentHelp("Of the file systems, only those whose name has this in it.", valueName: "text"))
    var packing: [String] = []

    @Option(
        help: ArgumentHelp(
            "QEMU's room for translated code in the part 'end'; 0 leaves it to QEMU.", valueName: "MiB"))
    var translationCache = Bench.translationCache

    @Option(
        help: ArgumentHelp(
            "Take turns with others on this machine: hold the lock of a file while something is measured.",
            valueName: "file"))
    var turn: String?

    func validate() throws {
        guard (1...100).contains(runs) else { throw ValidationError("--runs takes 1 to 100.") }
    }

    func run() async throws {
        let project = try await places.project()
        let output = PlaceOptions.absolute(output)
        let build = Builder.Request(
            project: project, profile: places.profile, mirror: try await places.mirrorOfDebian(),
            cache: try places.openCache(), output: output)
        let program = FilePath(try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe"))
        var request = Bench.Request(
            build: build, program: program, runs: runs, turn: Turn(turn.map(PlaceOptions.absolute)))
        request.packings = packing
        request.translationCache = translationCache > 0 ? translationCache : nil
        let bench = Bench(request, steps: Steps())
        let path = project.root.appending("docs/benchmarks.md").string
        for part in Part.allCases where only.isEmpty || only.contains(part) {
            let report = try await bench.measure(part)
            // Read again each time: what was measured stays when a later part fails.
            var document = Document((try? String(contentsOfFile: path, encoding: .utf8)) ?? "")
            document.put(report)
            try document.text.write(toFile: path, atomically: true, encoding: .utf8)
            print(Document.summary(of: report))
        }
        print("Written to \(path).")
    }
}

extension Part: ExpressibleByArgument {}
