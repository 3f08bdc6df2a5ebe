// SPDX-License-Identifier: GPL-3.0-or-later
import Foundation
import SystemPackage
import Testbed
import Testing

extension SystemTests {
    @Suite("Faults", .serialized, .turn)
    struct FaultTests {
        /// The short form of `make soak`, always with the same faults; `NEEDLETAIL_SEED` gives others.
        @Test("a session under load survives the failure of one part after the other, and nothing leaves meanwhile")
        func shortSoak() async throws {
            let image = try ShippedImage.find()
            let seed = ProcessInfo.processInfo.environment["NEEDLETAIL_SEED"].flatMap { UInt64($0) }
            let request = Soak.Request(
                seed: seed ?? 1, faults: 14,
                first: [
                    .unplugged(seconds: 8), .slept(seconds: 4), .killed(unit: "tor@default.service"),
                    .killed(unit: "NetworkManager.service"), .flushed,
                ], duration: .seconds(60), limit: .seconds(90))
            try await withWork { work in
                let probe = try await Probe(source: ShippedImage.probe, program: work.appending("probe"))
                var plan = Trial.Plan(image: image.stick, attachment: .virtio, firmware: .bios)
                plan.card = .e1000
                let (outcome, verdict) = try await Trial.with(plan, work: work.appending("t")) { trial in
                    _ = try await trial.waitForTor(within: .seconds(240))
                    return try await Soak(trial, request, note: { print("  \($0)") }).run(probe: probe)
                }
                let report = SoakReport(
                    request: request, results: outcome.results, load: outcome.load, seconds: outcome.seconds,
                    verdict: verdict)
                #expect(verdict.isClean, "Seed \(request.seed). Frames outside the list left the machine:\n\(verdict)")
                #expect(report.hardwareAddresses == 0)
                #expect(report.troubles.isEmpty, "Seed \(request.seed): \(report.troubles)")
                #expect((verdict.allowed["Tor"] ?? 0) > 100, "Hardly anything was captured:\n\(verdict)")
                #expect(outcome.load.transparent.complete > 0 && outcome.load.probes.complete > 0, "\(outcome.load)")
            }
        }
    }
}
