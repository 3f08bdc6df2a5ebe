// SPDX-License-Identifier: GPL-3.0-or-later
import Commands
import Foundation
import SystemPackage
import Testing
import Walls

@testable import Image

@Suite("The firewall's table of exceptions")
struct FirewallTests {
    static let project = FilePath(#filePath).removingLastComponent().removingLastComponent().removingLastComponent()

    static func shipped() throws -> FirewallData {
        try DataFile.decode(FirewallData.self, from: project.appending("image/firewall.yaml"))
    }

    static func text(_ path: String) throws -> String {
        try String(contentsOfFile: project.appending(path).string, encoding: .utf8)
    }

    @Test("the document says what the data say")
    func document() throws {
        #expect(
            try Self.text(FirewallData.documentPath) == Self.shipped().document,
            "Bring it up to date with: needletail firewall --document")
    }

    @Test("everything is dropped by default, both ways, in every namespace and at the last hook")
    func policies() throws {
        for (_, namespace) in FirewallData.files {
            let text = try Self.shipped().table(of: namespace).text
            for hook in ["input", "forward", "output"] {
                #expect(text.contains("type filter hook \(hook) priority filter; policy drop;"))
            }
        }
        #expect(
            try Self.shipped().table(of: .root).text.contains("hook postrouting priority srcnat + 10; policy drop;"))
    }

    @Test("nothing leaves by a network card but for an owner, and nothing at all by one that is not in the set")
    func owners() throws {
        let root = try Self.shipped().table(of: .root)
        for name in ["output", "leave"] {
            let chain = try #require(root.chains.first { $0.name == name })
            for rule in chain.rules where rule.hasSuffix("accept") {
                let isInside = rule.hasPrefix("oifname \"lo\"") || rule.hasPrefix("oifname { \"to-session\"")
                let isKnown = rule.contains("meta skuid") || rule.contains("ct mark")
                #expect(isInside || (isKnown && rule.hasPrefix("oifname @")), "\(rule)")
            }
        }
    }

    @Test("a datagram leaves only while owner and server are in their sets, whatever was begun before")
    func datagrams() throws {
        let output = try #require(try Self.shipped().table(of: .root).chains.first { $0.name == "output" })
        let rules = output.rules.filter { $0.contains("udp") && $0.hasSuffix("accept") && $0.contains("oifname @") }
        #expect(rules.count == 3)
        for rule in rules {
            #expect(rule.contains("meta skuid"), "\(rule)")
            #expect(!rule.contains("ct state") && !rule.contains("ct mark 0x"), "\(rule)")
            #expect(rule.contains("@udp_transports") || rule.contains("@resolvers") || rule.contains("udp sport 68"))
        }
        // Nobody tells a transport to knock at the doors of the local network.
        let open = try #require(rules.first { $0.contains("@udp_transports") })
        for network in ["10.0.0.0/8", "192.168.0.0/16", "172.16.0.0/12", "127.0.0.0/8", "224.0.0.0/3"] {
            #expect(open.contains(network))
        }
    }

    @Test(
        "the kernel takes the rules, and lists as many as the builder has counted",
        arguments: FirewallData.files.map(\.name))
    func loads(name: String) async throws {
        let namespace = try #require(FirewallData.files.first { $0.name == name }).namespace
        let table = try Self.shipped().table(of: namespace)
        // Accounts of the image are not accounts of this machine.
        let text = table.text.replacing("\"debian-tor\"", with: "101").replacing("\"needletail-portal\"", with: "973")
        let file = FilePath("/tmp/needletail-firewall-\(UUID().uuidString).nft")
        defer { try? FileManager.default.removeItem(atPath: file.string) }
        try Data(text.utf8).write(to: URL(filePath: file.string))
        let listing = try await Command(
            "unshare",
            ["--user", "--map-root-user", "--net", "sh", "-c", "nft -f \(file) && nft -a list table inet needletail"]
        ).output()
        var counts: [String: Int] = [:]
        var chain = ""
        for line in listing.split(separator: "\n") {
            let words = line.split(whereSeparator: \.isWhitespace)
            if words.first == "chain" {
                chain = String(words[1])
                counts[chain] = 0
            } else if line.contains("# handle"), line.hasPrefix("\t\t") {
                counts[chain, default: 0] += 1
            }
        }
        let expected = table.expectation.split(separator: "\n").filter { $0.hasPrefix("needletail ") }.map {
            $0.split(separator: " ").map(String.init)
        }
        #expect(counts.count == expected.count)
        for words in expected { #expect(counts[words[1]] == Int(words[6]), "\(words[1])") }
    }

    static let head = """
        sets: [{name: cards, of: interface, opener: connection service, reason: x}]
        exceptions:
          - name: a
            namespace: root

        """
    static let tail = "\n    opener: always\n    reason: x\n"

    @Test(
        "what would open too much, or makes no sense, is an error at its line",
        arguments: [
            ("    direction: out\n    interface: \"@cards\"\n    protocols: [tcp]\n    mark: tor", "owner"),
            ("    direction: out\n    owner: u\n    protocols: [tcp]\n    mark: tor", "interface"),
            ("    direction: out\n    owner: u\n    interface: eth0\n    protocols: [tcp]\n    mark: tor", "@"),
            (
                "    direction: out\n    owner: u\n    interface: \"@other\"\n    protocols: [tcp]\n    mark: tor",
                "no set"
            ),
            ("    direction: out\n    owner: u\n    interface: \"@cards\"\n    protocols: [udp]", "ports"),
            (
                "    direction: out\n    owner: \"u; accept\"\n    interface: \"@cards\"\n    protocols: [tcp]\n    mark: tor",
                "name"
            ),
            ("    direction: in\n    interface: \"@cards\"\n    protocols: [tcp]\n    ports: [22]", "onlyAnswers"),
            ("    direction: in\n    link: session\n    protocols: [tcp]\n    ports: [ssh]", "neither"),
            ("    direction: in\n    link: session\n    owner: u\n    protocols: [tcp]\n    ports: [22]", "owner"),
            ("    direction: through\n    link: portal\n    interface: \"@cards\"\n    protocols: [tcp]", "mark"),
            ("    direction: in\n    link: session\n    protocols: [icmp]", "protocols"),
            ("    direction: in\n    link: session\n    protocol: tcp", "Unknown key"),
        ])
    func mistakes(lines: String, word: String) {
        let error = #expect(throws: DataFileError.self) {
            try DataFile.decode(FirewallData.self, from: Self.head + lines + Self.tail, named: "firewall.yaml")
        }
        #expect(error?.description.contains(word) == true, "\(String(describing: error))")
        #expect((error?.line ?? 0) >= 3)
    }

    @Test("Tor listens where the firewall leads the session, and nowhere else")
    func torPorts() throws {
        let lines = try Self.text("image/files/core/etc/tor/torrc").split(separator: "\n").filter { !$0.hasPrefix("#") }
        let ports = lines.compactMap { line -> String? in
            let words = line.split(separator: " ")
            return words.first?.hasSuffix("Port") == true ? words.prefix(2).joined(separator: " ") : nil
        }
        let address = NamespaceLink.session.outerAddress
        #expect(
            Set(ports) == [
                "SocksPort \(address):\(TorPort.socks)", "SocksPort \(address):\(TorPort.browser)",
                "SocksPort unix:\(TorPort.systemSocket)", "TransPort \(address):\(TorPort.transparent)",
                "DNSPort \(address):\(TorPort.names)",
            ])
        #expect(lines.contains("VirtualAddrNetworkIPv4 \(Walls.onionNetwork)"))
        #expect(try Self.text("image/files/core/etc/resolv.conf").contains("nameserver \(address)\n"))
        let defaults = try Self.text("image/files/core/usr/lib/needletail/tor-defaults")
        #expect(defaults.contains("ControlSocket \(TorPort.controlSocket) "))
        #expect(defaults.contains("CookieAuthFile \(TorPort.controlCookie)\n"))
        let folder = FilePath(TorPort.systemSocket).removingLastComponent()
        #expect(
            try Self.text("image/files/core/usr/lib/tmpfiles.d/needletail.conf")
                .contains("d  \(folder) 2750 \(Walls.torUser) \(Walls.torGroup)"))
    }
}
