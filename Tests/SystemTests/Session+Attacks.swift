// SPDX-License-Identifier: GPL-3.0-or-later
import Foundation
import SystemPackage
import Testbed
import Testing

/// Attacks from inside. Whether a frame left the machine is judged for the whole boot, when the suite ends.
extension SystemTests.Session {
    /// The probe's attempts, made by somebody in some namespace.
    private func attack(_ way: String, _ mode: String = "sockets") async throws -> [Probe.Attempt] {
        let trial = try session()
        try await withWork { work in
            let probe = try await Probe(source: ShippedImage.probe, program: work.appending("probe"))
            try await probe.install(in: trial.machine.shell)
        }
        // The names of the root namespace's interfaces: to know them is no secret, to use them must not be possible.
        let names = try await output("ls /sys/class/net | tr '\\n' ' '")
        let text = try await trial.machine.shell.run(
            "\(way) \(Probe.guestPath) \(mode) \(names)", timeout: .seconds(150)
        ).output
        let attempts = try Probe.attempts(in: text)
        print("\(way) \(mode): \(attempts.summary)")
        let slow = attempts.filter { $0.milliseconds > 5000 }
        #expect(slow.isEmpty, "These attempts hung: \(slow)")
        #expect(attempts.count > 150)
        let exits = trial.tor.exitAddresses
        let visits = try trial.network.web.visits()
        #expect(visits.allSatisfy { exits.contains($0.address) }, "\(visits)")
        #expect(try trial.network.router.questions().isEmpty)
        return attempts
    }

    /// What nobody but the real root may open.
    private func expectRefused(_ names: [String], in attempts: [Probe.Attempt]) {
        for name in names {
            let those = attempts.filter { attempt in
                attempt.name.hasPrefix(name)
                    // Names are Tor's whoever is asked, and what is sent to the loopback stays there.
                    && !(attempt.name.hasSuffix(":53") && attempt.outcome == .answered)
                    && !attempt.name.contains("bound to lo ")
            }
            #expect(!those.isEmpty, "'\(name)' was not tried")
            #expect(those.allSatisfy { $0.outcome == .refused }, "\(those.filter { $0.outcome != .refused })")
        }
    }

    private static let inSession = "nsenter --net=/run/netns/session --"
    private static let privileged = ["packet socket", "raw IP protocols", "a packet from", "a ping", "enter "]
    /// What Tor cannot carry.
    private static let hopeless = [
        "NTP", "STUN", "QUIC", "mDNS", "LLMNR", "SSDP", "NetBIOS to", "WS-Discovery", "any UDP", "IPv6",
        "traceroute by UDP", "UDP bound to", "UDP with", "SCTP", "DCCP", "UDP-Lite",
    ]

    @Test("no attempt of the user's to send round Tor leaves the computer, and each ends within seconds")
    func attackAsUser() async throws {
        let attempts = try await attack("\(Self.inSession) runuser -u user --")
        expectRefused(Self.privileged + Self.hopeless, in: attempts)
        // The same program reaches the web, through Tor: what fails above does not fail for want of a network.
        #expect(attempts.contains { $0.name == "a page to \(Address.web):80" && $0.outcome == .answered })
    }

    @Test("the root of a user namespace sends no more than the user, and changes nothing of the session's network")
    func attackAsRootOfUserNamespace() async throws {
        let attempts = try await attack("\(Self.inSession) runuser -u user -- unshare -Ur", "storm")
        expectRefused(Self.privileged.filter { $0 != "enter " } + Self.hopeless, in: attempts)
        let changed = attempts.filter { $0.outcome == .changed }
        #expect(changed.isEmpty, "\(changed)")
    }

    @Test("an isolated network namespace of the user's own has no way out either")
    func attackFromOwnNamespace() async throws {
        let attempts = try await attack("\(Self.inSession) runuser -u user -- unshare -Urn", "storm")
        #expect(!attempts.contains { $0.outcome == .answered }, "\(attempts.filter { $0.outcome == .answered })")
    }

    @Test("the real root in the session's namespace flushes its rules, changes all, and still sends nothing out")
    func attackAsRealRoot() async throws {
        let state = "\(Self.inSession) sh -c 'ip addr show tor; ip route; nft list ruleset' | grep -v valid_lft"
        let before = try await output(state)
        let attempts = try await attack(Self.inSession, "storm")
        // The walls stand although the attacks on the session's own namespace succeed.
        #expect(attempts.contains { $0.name == "nft flush ruleset" && $0.outcome == .changed })
        #expect(attempts.contains { $0.name.hasPrefix("frame on tor") && $0.outcome == .sent })
        #expect(!attempts.contains { $0.outcome == .failed }, "The session's rules were not put back.")
        let after = try await output(state)
        #expect(before == after, "The session's network is not as before:\n\(before)\n\(after)")
        let page = try await asUserInSession("curl -sS --max-time 60 http://\(Address.web)/")
        #expect(page.status == 0, "The session is cut off: \(page)")
    }

    @Test("a program that got into the root namespace as somebody else than Tor sends nothing out")
    func attackInRootNamespace() async throws {
        for account in ["user", "nobody"] {
            let attempts = try await attack("runuser -u \(account) --")
            expectRefused(["packet socket", "raw IP protocols"], in: attempts)
        }
    }

    private func asUserInSession(_ script: String) async throws -> GuestShell.Answer {
        try await session().machine.shell.run(
            "\(Self.inSession) runuser -u user -- sh -c '\(script)'", timeout: .seconds(90))
    }

    // MARK: Names

    @Test(
        "a name server that answers with addresses inside does not make a program talk to this computer",
        arguments: NameServer.hostileAddresses)
    func hostileAnswer(address: String) async throws {
        let name = NameServer.hostileName(address)
        let looked = try await asUserInSession("getent ahostsv4 \(name) | head -n 1")
        #expect(!looked.output.contains(address), "The name was resolved: \(looked)")
        let fetched = try await asUserInSession("curl -sS --max-time 20 -o /dev/null http://\(name):9050/")
        #expect(fetched.status != 0)
        let questions = try session().network.exitResolver.questions()
        #expect(questions.contains { $0.name == name }, "The exits were not asked.")
    }
}
