// SPDX-License-Identifier: GPL-3.0-or-later
import Commands
import Foundation
import SystemPackage
import Testbed

extension Bench {
    func memory(work: FilePath) async throws -> PartReport {
        var report = PartReport(
            .memory, setting: try await setting(),
            method: [
                """
                The image as it is built, from a USB stick with BIOS on the private Tor network, with less and less memory, in \
                steps of \(Bisection.step) MiB: the least with which Tor gets connected. QEMU's firmware keeps a little of it.
                """
            ])
        guard FileManager.default.fileExists(atPath: request.stick.string) else {
            throw BenchFailure("There is no \(request.stick). Build it with: needletail build")
        }
        var bisection = Bisection(least: 96, most: 512)
        var tried: [String] = []
        while let memory = bisection.next {
            let works = try await request.turn.take {
                try await steps.step("Start with \(memory) MiB") {
                    let works = try await reachesTor(memory: memory, work: work)
                    steps.note(works ? "reaches Tor" : "does not reach Tor")
                    return works
                }
            }
            tried.append("\(memory) MiB \(works ? "reaches Tor" : "does not")")
            bisection.answer(works)
        }
        report.figures = [
            Figure(
                "Least memory that reaches Tor", .mebibytes, ours: Series(bisection.result.map { [Double($0)] } ?? []),
                target: .value(384))
        ]
        report.notes = ["Tried: \(tried.joined(separator: ", "))."]
        return report
    }

    private func reachesTor(memory: Int, work: FilePath) async throws -> Bool {
        let plan = Trial.Plan(image: request.stick, firmware: .bios, memory: memory)
        do {
            let (_, _) = try await Trial.with(plan, work: work.appending("t")) { trial in
                try await trial.machine.shell.waitUntilReady(within: .seconds(120))
                return try await trial.waitForTor(within: .seconds(120))
            }
            return true
        } catch is MachineFailure {
            return false
        } catch is ShellFailure {
            return false
        }
    }
}

/// Looks for the least number that is enough, when all above it are enough too.
struct Bisection: Equatable {
    /// The size of a step.
    static let step = 16
    /// What is not enough, for sure.
    private var below: Int
    /// What is enough, as far as is known.
    private var above: Int?
    private let most: Int

    /// Looks between a number that cannot be enough and one that should be; both multiples of the step.
    init(least: Int, most: Int) {
        below = least
        self.most = most
    }

    /// What to try next; `nil` when the result is known.
    var next: Int? {
        guard let above else { return below < most ? most : nil }
        guard above - below > Self.step else { return nil }
        return (below + above) / 2 / Self.step * Self.step
    }

    /// The least number that is enough; `nil` when none is, or before the end.
    var result: Int? { next == nil ? above : nil }

    /// Takes the answer for `next`.
    mutating func answer(_ isEnough: Bool) {
        guard let next else { return }
        if isEnough { above = next } else { below = next }
    }
}
