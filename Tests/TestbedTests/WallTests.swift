// SPDX-License-Identifier: GPL-3.0-or-later
import Foundation
import SystemPackage
import Testing

@testable import Image
@testable import Testbed

/// The image's own rules, loaded on the sandbox's computer with a session's namespace behind it: seconds instead of a boot. What
/// the boot stage and the services make of them is shown by the tests that start the image.
@Suite("The rules of the walls", .serialized)
struct WallTests {
    static let project = FilePath(#filePath).removingLastComponent().removingLastComponent().removingLastComponent()

    /// Somebody who runs the probe.
    struct Attacker: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let namespace: String
        let mode: String
        var account: [String] = []

        static let all = [
            Attacker(testDescription: "a user of the session", namespace: "session", mode: "sockets", account: nobody),
            Attacker(
                testDescription: "the real root, the session's rules flushed", namespace: "session", mode: "storm"),
            Attacker(
                testDescription: "another account of the computer", namespace: PrivateNetwork.computer, mode: "sockets",
                account: nobody),
        ]
        private static let nobody = [
            "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all", "--",
        ]
    }

    @Test("behind the image's rules nothing of the probe's attempts leaves the computer", arguments: Attacker.all)
    func nothingLeaves(_ attacker: Attacker) async throws {
        try await withSandbox { sandbox in
            let network = try await PrivateNetwork.start(in: sandbox)
            try await Self.build(in: sandbox)
            let probe = try await Probe(source: ProbeTests.source, program: sandbox.work.appending("probe"))
            for path in [sandbox.work.string, probe.program.string] {
                try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
            }
            let capture = try await FrameCapture(
                of: "computer0", in: sandbox, namespace: PrivateNetwork.lan, name: "computer")
            let words = attacker.account + [probe.program.string, attacker.mode, "eth0", "to-session"]
            let text = try await sandbox.command("timeout", ["90"] + words, in: attacker.namespace).output()
            let attempts = try Probe.attempts(in: text)
            print("\(attacker.testDescription): \(attempts.summary)")
            #expect(attempts.count > 300)
            #expect(!attempts.contains { $0.outcome == .failed }, "The rules of the session were not put back.")
            let lan = try #require(IPv4Network("192.0.2.0/24"))
            let router = try #require(IPv4Address(Address.router))
            let judge = Judge(
                allowList: .needletail(localNetwork: lan, routers: [router], relays: []),
                words: ["user", "needletail"])
            let verdict = try judge.verdict(on: await capture.stop())
            #expect(verdict.isClean, "\(verdict)")
            #expect(try network.web.visits().isEmpty)
        }
    }

    private static func build(in sandbox: Sandbox) async throws {
        try await sandbox.addNamespace("session")
        for (namespace, lines) in [
            (
                PrivateNetwork.computer,
                [
                    "link add to-session type veth peer name tor netns /run/netns/session",
                    "addr add 10.77.0.1/30 dev to-session", "link set to-session up",
                    "route add default via \(Address.router)",
                ]
            ),
            (
                "session",
                ["addr add 10.77.0.2/30 dev tor", "link set tor up", "route add default via 10.77.0.1"]
            ),
        ] {
            // IPv6 is off in the image by the kernel's command line.
            let off = ["net.ipv6.conf.all.disable_ipv6=1", "net.ipv6.conf.default.disable_ipv6=1"]
            _ = try await sandbox.command("sysctl", ["-e", "-q", "-w"] + off, in: namespace).output()
            _ = try await sandbox.command("ip", ["-batch", "-"], in: namespace).output(
                input: lines.joined(separator: "\n") + "\n")
        }
        let rules = try await Project.find(at: project).firewall()
        for (namespace, table) in [(PrivateNetwork.computer, FirewallException.Namespace.root), ("session", .session)] {
            _ = try await sandbox.command("nft", ["-f", "-"], in: namespace).output(input: rules.table(of: table).text)
        }
        let element = ["add", "element", "inet", "needletail", "interfaces", "{ eth0 }"]
        _ = try await sandbox.command("nft", element, in: PrivateNetwork.computer).output()
    }
}
