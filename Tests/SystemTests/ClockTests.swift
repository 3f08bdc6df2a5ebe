// SPDX-License-Identifier: GPL-3.0-or-later
import Foundation
import Testbed
import Testing

extension SystemTests {
    /// Computers whose clock is wrong. The hours and days between are shown by the unit tests and `needletail try --clock-offset`.
    @Suite("A wrong clock", .serialized, .turn)
    struct WrongClock {
        static let year = 31_557_600

        /// What the guest and the tester see of time.
        struct Reading {
            /// Seconds by which the guest's clock is ahead of the tester's.
            let ahead: Double
            /// Seconds by which the hardware clock is ahead.
            let hardwareAhead: Double

            init(of shell: GuestShell) async throws {
                let before = Date().timeIntervalSince1970
                let text = try await shell.output("date +%s.%N; cat /sys/class/rtc/rtc0/since_epoch")
                let middle = (before + Date().timeIntervalSince1970) / 2
                let values = text.split(whereSeparator: \.isWhitespace).compactMap { Double($0) }
                try #require(values.count == 2, "\(text)")
                ahead = values[0] - middle
                hardwareAhead = values[1] - middle
            }
        }

        @Test(
            "connects all the same, is put right by what comes through Tor, and stays wrong in the hardware",
            arguments: [(10 * year, true), (-10 * year, false)])
        func corrected(offset: Int, isJudgedTwice: Bool) async throws {
            let image = try ShippedImage.find()
            try await withWork { work in
                var plan = Trial.Plan(image: image.stick, attachment: .virtio, firmware: .bios, memory: 1024)
                plan.clockOffset = offset
                let (_, verdict) = try await Trial.with(plan, work: work.appending("t")) { trial in
                    let shell = trial.machine.shell
                    try await shell.waitUntilReady(within: .seconds(240))
                    let first = try await Reading(of: shell)
                    #expect(abs(first.hardwareAhead - Double(offset)) < 10, "The machine's clock was not set wrong.")
                    _ = try await trial.waitForTor(within: .seconds(240))
                    let state = try await waitUntilConfirmed(shell)
                    #expect(state.contains("\"confirmed\""), "\(state)")
                    let last = try await Reading(of: shell)
                    #expect(abs(last.ahead) < 5, "The clock is \(last.ahead) s ahead: \(state)")
                    #expect(abs(last.hardwareAhead - Double(offset)) < 10, "The hardware clock was written.")
                    #expect(trial.tor.exitAddresses.contains(try await trial.fetchPage()))
                    guard isJudgedTwice else { return }
                    // The anti-test: who writes the hardware clock is seen.
                    let probe = try await Probe(source: ShippedImage.probe, program: work.appending("probe"))
                    try await probe.install(in: shell)
                    _ = try await shell.output("\(Probe.guestPath) clock")
                    let written = try await Reading(of: shell)
                    #expect(abs(written.hardwareAhead) < 10, "The anti-test did not write the hardware clock.")
                }
                #expect(verdict.isClean, "\(verdict)")
            }
        }

        private func waitUntilConfirmed(_ shell: GuestShell) async throws -> String {
            try await shell.output(
                """
                for try in $(seq 1 120); do
                    state=$(varlinkctl call /run/needletail/clock.sock org.needletail.Clock.GetState '{}' 2>&1)
                    case "$state" in *'"confirmed"'*) break;; esac
                    sleep 1
                done
                echo "$state"
                """, timeout: .seconds(180))
        }
    }
}
