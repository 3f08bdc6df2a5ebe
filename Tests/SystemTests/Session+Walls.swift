// SPDX-License-Identifier: GPL-3.0-or-later
import Foundation
import Testbed
import Testing
import Walls

extension SystemTests.Session {
    /// Runs a command as the user and tells how long the guest itself needed for it, in seconds.
    private func timed(_ script: String) async throws -> (status: Int, seconds: Double, text: String) {
        let quoted = script.replacing("'", with: "'\\''")
        let text = try await output(
            """
            start=$(date +%s%N)
            \(Trial.asUser) timeout 60 bash -c '\(quoted)' 2>&1; status=$?
            echo; echo "$status $(( ($(date +%s%N) - start) / 1000000 ))"
            """)
        let lines = text.split(separator: "\n")
        let numbers = (lines.last ?? "").split(separator: " ").compactMap { Int($0) }
        try #require(numbers.count == 2, "\(text)")
        return (numbers[0], Double(numbers[1]) / 1000, lines.dropLast().joined(separator: "\n"))
    }

    @Test("the console's shell, the user manager and all else of the user's is in the session's namespace")
    func everythingInside() async throws {
        let session = try await output("stat -Lc %i /run/netns/session")
        let places = try await output(
            """
            for p in $(pgrep -u user) $(pgrep -x login); do
                echo "$(stat -Lc %i /proc/$p/ns/net) $(cat /proc/$p/comm)"
            done
            """)
        let outside = places.split(separator: "\n").filter { !$0.hasPrefix(session) && !$0.hasSuffix("(sd-pam)") }
        #expect(outside.isEmpty, "Outside the session's namespace: \(outside)")
        for name in ["bash", "systemd", "login"] {
            #expect(places.split(separator: "\n").contains { $0 == "\(session) \(name)" }, "\(name): \(places)")
        }
    }

    @Test("services that need no network have none")
    func withoutNetwork() async throws {
        let own = try await output("stat -Lc %i /proc/1/ns/net")
        for unit in ["systemd-journald", "dbus-broker"] {
            let place = try await output("stat -Lc %i /proc/$(systemctl show -P MainPID \(unit).service)/ns/net")
            #expect(!place.isEmpty && place != own, "\(unit) is in the root namespace.")
        }
    }

    @Test("the session sees its loopback and the link to Tor, and no network card")
    func twoInterfaces() async throws {
        let names = try await asUser(
            "ls /proc/self/net/dev_snmp6 2>/dev/null; cut -d: -f1 -s /proc/net/dev | tr -d ' ' | sort")
        #expect(
            names.output.split(whereSeparator: \.isWhitespace) == ["lo", Substring(NamespaceLink.session.innerName)])
        let routes = try await output("nsenter --net=/run/netns/session ip route")
        #expect(routes.hasPrefix("default via \(NamespaceLink.session.outerAddress) "), "\(routes)")
    }

    @Test("UDP, ping, IPv6 and addresses of local networks are refused at once, so that no program hangs")
    func refusedAtOnce() async throws {
        for (what, script) in [
            ("UDP", "echo x > /dev/udp/\(Address.web)/443 && sleep 0.2 && echo x > /dev/udp/\(Address.web)/443"),
            ("NTP", "echo x > /dev/udp/\(Address.web)/123 && sleep 0.2 && echo x > /dev/udp/\(Address.web)/123"),
            ("multicast", "echo x > /dev/udp/224.0.0.251/5353"),
            ("a LAN host", "exec 3<>/dev/tcp/192.168.1.1/80"),
            ("IPv6", "curl -q -6 -sS --max-time 30 'http://[2001:db8::80]/'"),
        ] {
            let answer = try await timed(script)
            #expect(answer.status != 0, "\(what) was not refused: \(answer)")
            #expect(answer.seconds < 15, "\(what) took \(answer.seconds) s.")
        }
    }

    @Test("of Tor's computer the session reaches Tor's SOCKS ports, and nothing else that listens there")
    func otherPorts() async throws {
        let address = NamespaceLink.session.outerAddress
        for port in [TorPort.socks, TorPort.browser] {
            #expect(try await timed("exec 3<>/dev/tcp/\(address)/\(port)").status == 0, "Port \(port)")
        }
        for port in [TorPort.transparent, 22, 9051] {
            let answer = try await timed("exec 3<>/dev/tcp/\(address)/\(port)")
            #expect(answer.status != 0 && answer.seconds < 15, "Port \(port): \(answer)")
        }
        // Without the session's own rules the root namespace's decide alone.
        let rules = "nsenter --net=/run/netns/session nft"
        _ = try await output("\(rules) delete table inet needletail")
        defer { Task { try? await output("\(rules) -f /usr/lib/needletail/session.nft") } }
        for port in [TorPort.transparent, 22, 9051] {
            let answer = try await timed("exec 3<>/dev/tcp/\(address)/\(port)")
            #expect(answer.status != 0 && answer.seconds < 15, "Port \(port) without the session's rules: \(answer)")
        }
        _ = try await output("\(rules) -f /usr/lib/needletail/session.nft")
    }

    @Test("a page comes by TransPort, by each SOCKS port, and by the port where programs look for Tor")
    func everyWay() async throws {
        let exits = try session().tor.exitAddresses
        for option in [
            "-q", "", "-q --socks5-hostname 10.77.0.1:9050", "-q --socks5-hostname 10.77.0.1:9150",
            "-q --socks5-hostname 127.0.0.1:9050", "-q --socks5-hostname 127.0.0.1:9150",
        ] {
            let answer = try await asUser("HOME=/home/user curl \(option) -sS --max-time 60 http://\(Address.webName)/")
            let seen = answer.output.trimmingCharacters(in: .whitespacesAndNewlines)
            #expect(exits.contains(seen), "curl \(option): \(answer)")
        }
        let wget = try await asUser("HOME=/home/user wget -q -T 60 -O - http://\(Address.webName)/")
        #expect(exits.contains(wget.output.trimmingCharacters(in: .whitespacesAndNewlines)), "wget: \(wget)")
    }

    @Test("a .onion name gets an address that only Tor knows")
    func onionNames() async throws {
        let answer = try await asUser("getent ahostsv4 2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid.onion")
        let first = answer.output.split(separator: " ").first.map(String.init) ?? ""
        let bytes = first.split(separator: ".").compactMap { UInt8($0) }
        #expect(bytes.count == 4 && bytes[0] == 10 && bytes[1] >= 192, "\(answer)")
    }

    @Test("programs beside the network cards reach neither the network nor Tor's ports")
    func rootNamespace() async throws {
        for script in [
            "curl -q -sS --max-time 20 http://\(Address.web)/", "exec 3<>/dev/tcp/10.77.0.1/9050",
            "echo x > /dev/udp/10.77.0.1/53",
        ] {
            let answer = try await session().machine.shell.run("timeout 20 bash -c '\(script)'")
            #expect(answer.status != 0 && answer.status != 124, "\(script): \(answer)")
        }
    }
}
