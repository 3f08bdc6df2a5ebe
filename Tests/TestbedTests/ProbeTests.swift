// SPDX-License-Identifier: GPL-3.0-or-later
import Foundation
import SystemPackage
import Testing

@testable import Testbed

@Suite("The probe", .serialized)
struct ProbeTests {
    static let source = FilePath(#filePath).removingLastComponent().removingLastComponent().appending("Probe")

    @Test("on a computer without walls, each kind of leak is seen in the capture by its name")
    func everyKindIsCaught() async throws {
        try await withSandbox { sandbox in
            let network = try await PrivateNetwork.start(in: sandbox)
            let probe = try await Probe(source: Self.source, program: network.sandbox.work.appending("probe"))
            let capture = try await FrameCapture(
                of: "computer0", in: network.sandbox, namespace: PrivateNetwork.lan, name: "computer")
            let text = try await network.sandbox.command(
                probe.program.string, ["sockets"], in: PrivateNetwork.computer
            ).output()
            let attempts = try Probe.attempts(in: text)
            print(attempts.summary)
            #expect(attempts.count > 300)
            let slow = attempts.filter { $0.milliseconds > 4000 }
            #expect(slow.isEmpty, "\(slow)")
            let lan = try #require(IPv4Network("192.0.2.0/24"))
            let router = try #require(IPv4Address(Address.router))
            // A veth pair has no address burnt in; the one it has stands for it.
            let words = try await network.sandbox.command(
                "ip", ["-o", "link", "show", "eth0"], in: PrivateNetwork.computer
            ).output().split(separator: " ").map(String.init)
            let link = words[(try #require(words.firstIndex(of: "link/ether"))) + 1]
            let judge = Judge(
                allowList: .needletail(localNetwork: lan, routers: [router], relays: []),
                hardwareAddresses: [try #require(MACAddress(link))], words: ["user", "needletail"])
            let verdict = try judge.verdict(on: await capture.stop())
            let found = Set(verdict.findings.map(\.kind))
            let missing = Probe.leaks.subtracting(found).map(\.rawValue).sorted()
            #expect(missing.isEmpty, "Not in the capture: \(missing)\n\(verdict.findingsByKind)")
        }
    }

    @Test("what the probe wrote is read line by line, and a probe that did not end is an error")
    func reading() throws {
        let attempts = try Probe.attempts(in: "refused\t3\ta thing\tEPERM\nodd line\nsent\t0\tother\t\nend\n")
        #expect(attempts.map(\.name) == ["a thing", "other"])
        #expect(attempts.map(\.outcome) == [.refused, .sent])
        #expect(throws: NetworkFailure.self) { try Probe.attempts(in: "sent\t0\tother\t\n") }
    }
}
