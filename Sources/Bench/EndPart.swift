// SPDX-License-Identifier: GPL-3.0-or-later
import Foundation
import Image
import SystemPackage
import Testbed

extension Bench {
    /// The room for QEMU's translated code in MiB with which sessions are ended, on both sides. See ``end(work:)`` for why.
    public static let translationCache = Examination.translationCache

    func end(work: FilePath) async throws -> PartReport {
        let cache = request.translationCache
        let few = (request.runs + 1) / 2
        var report = PartReport(
            .end, setting: try await setting(),
            method: [
                """
                From `systemctl poweroff`, given some seconds after the default target was reached, until QEMU reports that the \
                machine is off. The reference is stock Debian: the live system that live-build makes of our package list, \
                with all its defaults and the words of its own menu, whose kernel QEMU starts. Our stick is made as in the part \
                "Start", with a serial console beside, on which the phases can be seen; a user is logged in, as always, and nobody \
                in the reference. To see what closing everything and overwriting all memory costs by itself, there is also a \
                third: our files with live-boot's initramfs and Debian's command line (`\(Self.liveBootWords.joined(separator: " "))`), \
                where nothing is erased, neither at the end nor whenever memory is given back (`init_on_free=1`). It is checked \
                that nothing of ours waits in `/run/initramfs` of the other two. USB on xHCI, BIOS, `-cpu Nehalem`, 2 \
                processors, no network card; in turn, \(request.runs) times with \(Self.gibibytes(Self.memory)) GiB and \
                \(few) times with each other size. The growth is the slope of the line that fits the times with \
                \(Self.growth.map(Self.gibibytes).joined(separator: ", ")) GiB best.
                """,
                """
                QEMU keeps \(cache.map { "at most \($0) MiB" } ?? "as much as it likes (up to 1 GiB)") of translated code on both \
                sides (`-accel tcg,tb-size`). Where the guest's kernel zeroes a page from which code was translated, QEMU takes \
                each store of 8 bytes through its slow path. With QEMU's own size, which keeps all code of a session, closing the \
                file system with all programs took half a minute of computing for that alone; with \(Self.translationCache) MiB it takes \
                half a second. No real processor does anything of the kind.
                """,
            ])
        let parts = try await ingredients(work: work)
        let consoles = ["console=tty0", "console=ttyS0,115200"]
        let (ours, bare) = try await sticks(
            parts, words: consoles, liveBoot: Self.liveBootWords + consoles, work: work)
        let stock = try await stockStick(parts, work: work)
        func ends(_ memories: [Int], of sticks: [Stick], runs: Int) async throws -> [[End]] {
            let subjects = memories.flatMap { memory in sticks.map { Subject(stick: $0, memory: memory) } }
            return try await rounds(of: subjects, runs: runs, inOneTurn: 8) { subject, round in
                try await steps.step("End \(subject.stick.name) with \(subject.memory) MiB, \(round)") {
                    var description = MachineDescription(memory: subject.memory)
                    description.translationCache = cache
                    description.kernel = subject.stick.kernel
                    let isOurs = subject.stick.name == ours.name
                    func once() async throws -> End {
                        try await Start.run(subject.stick.image, in: description, work: work.appending("m")) {
                            try await End.measure($0, isOurs: isOurs)
                        }
                    }
                    let end: End
                    do {
                        end = try await once()
                    } catch let failure as BenchFailure where failure.isFalseStart {
                        // It says nothing of the end, and would lose all that was measured before.
                        steps.say("\(failure) It is tried once more.")
                        end = try await once()
                    }
                    steps.note("\(Document.number(end.seconds)) s")
                    return end
                }
            }
        }
        let usual = try await ends([Self.memory], of: [ours, stock, bare], runs: request.runs)
        let others = try await ends(Self.growth, of: [ours, stock], runs: few)
        let own = usual[0]
        // Two subjects for each size, ours first.
        let grown = Self.growth.indices.map { (ours: others[2 * $0], reference: others[2 * $0 + 1]) }
        let name = "Command to off with \(Self.gibibytes(Self.memory)) GiB"
        report.figures = [
            Figure(name, .seconds, ours: own.seconds, reference: usual[1].seconds, target: .ratio(1.5)),
            Figure(
                "\(name), reference: our files, nothing erased", .seconds, ours: own.seconds,
                reference: usual[2].seconds),
        ]
        report.figures += zip(Self.growth, grown).map { memory, ends in
            Figure(
                "The same with \(Self.gibibytes(memory)) GiB", .seconds, ours: ends.ours.seconds,
                reference: ends.reference.seconds)
        }
        report.figures.append(
            Figure(
                "Growth with memory", .secondsPerGibibyte, ours: Self.slopes(Self.growth, grown.map(\.ours.seconds)),
                reference: Self.slopes(Self.growth, grown.map(\.reference.seconds))))
        report.phases = End.phases.map { phase in
            PhaseFigures(name: phase.name, seconds: Series(own.compactMap { $0.phases[phase.name] }))
        }
        report.phases.append(PhaseFigures(name: "off", seconds: own.seconds))
        return report
    }

    /// The memory with which the target is to be reached, in MiB.
    private static let memory = 1536
    /// The memory with which it is seen how the time grows, in MiB.
    private static let growth = [1024, 2048, 4096, 8192]
    /// What Debian's live images give the kernel, but for the splash screen.
    private static let liveBootWords = ["boot=live", "components"]

    private struct Subject: Sendable {
        let stick: Stick
        let memory: Int
    }

    private static func gibibytes(_ memory: Int) -> String {
        Document.number(Double(memory) / 1024, digits: memory % 1024 == 0 ? 0 : 1)
    }

    /// Seconds more for each GiB more, by round.
    ///
    /// - Parameters:
    ///   - memories: The sizes in MiB.
    ///   - seconds: What was measured with each, in the same order.
    /// - Returns: A slope for each round that has all sizes.
    static func slopes(_ memories: [Int], _ seconds: [Series]) -> Series {
        let rounds = seconds.map(\.values.count).min() ?? 0
        return Series(
            (0..<rounds).compactMap { round in
                slope(zip(memories, seconds).map { (Double($0) / 1024, $1.values[round]) })
            })
    }

    /// The slope of the line that fits points best, by least squares; `nil` when there is no such line.
    static func slope(_ points: [(x: Double, y: Double)]) -> Double? {
        let count = Double(points.count)
        let middle = (x: points.reduce(0) { $0 + $1.x } / count, y: points.reduce(0) { $0 + $1.y } / count)
        let width = points.reduce(0) { $0 + ($1.x - middle.x) * ($1.x - middle.x) }
        guard points.count > 1, width > 0 else { return nil }
        return points.reduce(0) { $0 + ($1.x - middle.x) * ($1.y - middle.y) } / width
    }
}

extension [End] {
    /// The whole times.
    fileprivate var seconds: Series { Series(map(\.seconds)) }
}
