// SPDX-License-Identifier: GPL-3.0-or-later
import Foundation
import SystemPackage
import Testbed
import Testing

/// Which streams share a circuit, as Tor itself tells, and how our services are shut in.
extension SystemTests.Session {
    /// Another site of the private network's web, at an address of its own.
    private static let otherSite = "203.0.113.81"

    @Test("two programs and two sites never share a circuit, by whichever port; two connections to one site do")
    func circuits() async throws {
        let trial = try session()
        let network = trial.network
        let bytes = Data(repeating: 0x4e, count: 4 << 20)
        try bytes.write(to: URL(fileURLWithPath: network.web.files.appending("slow").string))
        _ = try await network.sandbox.command(
            "ip", ["addr", "replace", "\(Self.otherSite)/24", "dev", "eth0"], in: PrivateNetwork.webHost
        ).output()
        let other = network.sandbox.start(
            "other-site", "busybox",
            ["httpd", "-f", "-p", "\(Self.otherSite):80", "-h", network.web.files.string], in: PrivateNetwork.webHost)
        try await withWork { work in
            let probe = try await Probe(source: ShippedImage.probe, program: work.appending("probe"))
            try await probe.install(in: trial.machine.shell)
        }
        // Slow, so that all of them are there at the same time.
        let slow = "--limit-rate 8k"
        let socks = "--socks5-hostname 10.77.0.1:9050"
        let again = "curl -s -o /dev/null \(slow) http://\(Address.web)/slow"
        let pairs: [(site: String, command: String)] = [
            (Self.otherSite, "wget -q -O /dev/null --limit-rate=8k http://\(Self.otherSite)/slow"),
            (Address.web, "curl -s -o /dev/null \(slow) \(socks) http://one.\(Address.webName)/slow"),
            (Address.web, "curl -s -o /dev/null \(slow) \(socks) http://two.\(Address.webName)/slow"),
            (Address.web, again),
        ]
        var circuits: [String] = []
        for pair in pairs { circuits.append(try await circuit(of: pair.command, to: pair.site)) }
        #expect(Set(circuits).count == pairs.count, "Two pairs of program and site share a circuit: \(circuits)")

        // The anti-test: what is the same program and site does come to share one, and only with itself. Not at once, since Tor
        // takes any circuit that fits, also one that nobody has used yet; but it has few of those.
        var same = [circuits.removeLast()]
        while Set(same).count == same.count, same.count < 12 {
            same.append(try await circuit(of: again, to: Address.web))
        }
        await other.stop()
        #expect(Set(same).count < same.count, "No two connections to one site shared a circuit: \(same)")
        #expect(Set(same).isDisjoint(with: circuits), "\(same), and for others \(circuits)")
    }

    /// Lets the user run a command that stays connected, and tells the circuit that its connection is on.
    private func circuit(of command: String, to site: String) async throws -> String {
        let before = Set(try await openStreams().map(\.number))
        _ = try await output("setsid \(Trial.asUser) timeout 120 \(command) </dev/null >/dev/null 2>&1 &")
        let deadline = ContinuousClock.now + .seconds(50)
        while ContinuousClock.now < deadline {
            // Tor tells the targets by address, whatever name was asked for.
            let new = try await openStreams().filter { $0.target == "\(site):80" && !before.contains($0.number) }
            if let stream = new.first { return stream.circuit }
            try await Task.sleep(for: .seconds(1))
        }
        return try #require(nil as String?, "'\(command)' is not connected after 50 seconds.")
    }

    /// The streams that are connected, from Tor's own mouth. See control-spec, `GETINFO stream-status`.
    private func openStreams() async throws -> [(number: String, circuit: String, target: String)] {
        let text = try await output(
            """
            of() { cat /usr/lib/needletail/tor-defaults /etc/tor/torrc | sed -n "s/^$1 \\+\\(unix:\\)\\?//p" | cut -d ' ' -f 1 | head -n 1; }
            \(Probe.guestPath) control "$(of ControlSocket)" "$(of CookieAuthFile)" 'GETINFO stream-status'
            """)
        return text.split(whereSeparator: \.isNewline).compactMap { line in
            // 17 SUCCEEDED 5 203.0.113.80:80, after the keyword when there is only one.
            let words = line.replacing("stream-status=", with: "").split(separator: " ").map(String.init)
            guard words.count >= 4, words[1] == "SUCCEEDED" else { return nil }
            return (words[0], words[2], words[3])
        }
    }

    /// Where 2.0 is out of reach, and why.
    private static let exposureLimits = [
        // It makes the room of administration: user namespaces, mounts and the packages' own network are what it is for. Nobody
        // talks to it but needletail-administration.service, which has no rights.
        "needletail-administration-room.service": 3.5,
        // It ends everything: kills, unmounts, wipes and switches off for process 1 too, so it has no mount namespace. From outside
        // it takes the kernel's events, key numbers and two fixed messages.
        "needletail-emergency.service": 5.1,
    ]

    @Test("each of our services is shut in: by systemd's own measure its exposure is at most 2.0")
    func exposure() async throws {
        let units = try await output(
            "cd /usr/lib/systemd/system; ls needletail-*.service | sed 's/@\\.service/@1.service/'"
        ).split(separator: "\n").map(String.init)
        #expect(!units.isEmpty)
        for unit in units + ["tor@default.service", "NetworkManager.service"] {
            let line = try await output(
                "SYSTEMD_COLORS=0 systemd-analyze security --no-pager \(unit) 2>&1 | tail -n 1")
            let exposure = line.firstMatch(of: #/exposure level for .*: ([0-9.]+) /#).flatMap { Double($0.1) }
            print("  \(unit): \(exposure.map { "\($0)" } ?? line)")
            // Of Debian's own services it is only told.
            guard unit.hasPrefix("needletail-") else { continue }
            let value = try #require(exposure, "\(unit): \(line)")
            #expect(value <= Self.exposureLimits[unit, default: 2.0], "\(unit)")
        }
    }
}
