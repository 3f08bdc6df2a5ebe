// SPDX-License-Identifier: GPL-3.0-or-later
import Foundation
import SystemPackage
import Testbed
import Testing

extension SystemTests {
    @Suite("The detector detects", .serialized, .turn)
    struct AntiTests {
        /// With the walls down, and only then, the probe's attempts reach the wire.
        ///
        /// One kind of leak the capture cannot tell: TCP to a relay's port from a program that is not Tor looks like Tor's.
        /// That only Tor's account may open such a connection is shown by the attacks on the walls, whose tries end with an
        /// error, and by the tests of the firewall.
        @Test("with the walls taken down, each kind of leak is found in the capture of one boot, by its name")
        func wallsDown() async throws {
            let image = try ShippedImage.find()
            try await withWork { work in
                let plan = Trial.Plan(image: image.stick, attachment: .virtio, firmware: .bios, memory: 768)
                let probe = try await Probe(source: ShippedImage.probe, program: work.appending("probe"))
                let (seen, verdict) = try await Trial.with(plan, work: work.appending("t")) { trial in
                    _ = try await trial.waitForTor(within: .seconds(240))
                    let shell = trial.machine.shell
                    try await probe.install(in: shell)
                    // All tables of all families, also those on single interfaces.
                    try await shell.output("nft flush ruleset")
                    let cards = try await shell.output(
                        "cd /sys/class/net; ls -d */device | cut -d / -f 1 | tr '\\n' ' '")
                    let text = try await shell.output("\(Probe.guestPath) sockets \(cards)", timeout: .seconds(120))
                    print("Without walls: \(try Probe.attempts(in: text).summary)")
                    return try await shell.output(
                        "runuser -u user -- env -i /usr/bin/curl --disable --silent --show-error --max-time 20 \(WebServer.page)"
                    )
                }
                #expect(seen.hasPrefix("192.0.2."), "The page did not come directly: \(seen)")
                #expect(verdict.findings.contains { $0.line.contains(Address.web) }, "\(verdict)")
                let missing = Probe.leaks.subtracting(verdict.findings.map(\.kind)).map(\.rawValue).sorted()
                #expect(missing.isEmpty, "Not found in the capture: \(missing)\n\(verdict)")
            }
        }
    }
}
