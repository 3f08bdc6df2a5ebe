// SPDX-License-Identifier: GPL-3.0-or-later
import Linux
import Testing
import Walls

@testable import BootStage

/// With real namespaces of this machine's kernel; they need root, as the boot stage has it.
@Suite("Namespaces and the links to them", .serialized)
struct NamespacesTests {
    static let rules = """
        table inet needletail {
            chain input { type filter hook input priority filter; policy drop; iifname "lo" accept; }
        }

        """
    static let expectation = "needletail input filter 1 0 drop 1\nend\n"

    /// Runs a body in a network namespace of its own, with a folder for names and rules.
    func apart(_ body: (String) throws -> Void) throws {
        let home = try File(NetworkNamespace.own)
        let folder = "/tmp/needletail-walls-\(Machine.uptime)"
        try FileTree.makeDirectory(folder)
        defer {
            try? NetworkNamespace.enter(home)
            for name in ["netns/session", "netns/portal", "netns", "own"] { try? Mount.detach("\(folder)/\(name)") }
            _ = try? Program.run("/bin/rm", ["-r", folder])
        }
        try NetworkNamespace.make("\(folder)/own")
        for name in ["session", "portal"] {
            try File("\(folder)/\(name).nft", .create(mode: 0o600)).write(Array(Self.rules.utf8))
            try File("\(folder)/\(name).expected", .create(mode: 0o600)).write(Array(Self.expectation.utf8))
        }
        try body(folder)
    }

    func namespaces(_ folder: String) -> Namespaces {
        Namespaces(
            folder: "\(folder)/netns",
            plans: [
                .init(
                    link: .session, firewall: Firewall(name: "session", folder: folder), isConnected: true,
                    isTorFamiliar: true),
                .init(
                    link: .portal, firewall: Firewall(name: "portal", folder: folder), isConnected: false,
                    isTorFamiliar: false),
            ])
    }

    func output(_ words: String...) throws -> String {
        try Program.run("/usr/bin/env", ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"] + words).output
    }

    @Test("the session has a link with a route, the login page has one that is down, and each has its firewall")
    func made() throws {
        try apart { folder in
            let before = try output("readlink", "/proc/self/ns/net")
            try namespaces(folder).make()
            #expect(try output("readlink", "/proc/self/ns/net") == before, "It did not come back.")
            let inside = "--net=\(folder)/netns/session"
            let addresses = try output("ip", "-br", "address")
            #expect(addresses.contains("10.77.0.1/30") && addresses.contains("10.77.0.5/30"), "\(addresses)")
            #expect(try output("ip", "-br", "link", "show", "to-portal").contains("DOWN"))
            #expect(try output("ip", "rule").contains("77:\tfrom all to 10.77.0.0/29 lookup 77"))
            let table = try output("ip", "route", "show", "table", "77")
            #expect(
                table.contains("10.77.0.0/30 dev to-session") && table.contains("unreachable 10.77.0.0/29"), "\(table)")
            #expect(try output("nsenter", inside, "ip", "route").contains("default via 10.77.0.1 dev tor"))
            let there = try output("nsenter", inside, "ip", "-br", "link")
            #expect(
                there.contains("lo ") && there.contains("tor@") && there.split(separator: "\n").count == 2, "\(there)")
            #expect(try output("nsenter", inside, "nft", "list", "tables").contains("table inet needletail"))
            #expect(
                try output("nsenter", "--net=\(folder)/netns/portal", "nft", "list", "tables").contains("needletail"))
            #expect(try output("nft", "list", "tables").isEmpty, "The session's rules went to the wrong namespace.")
        }
    }

    @Test("rules that are not what was counted, or that the kernel refuses, end the start before there is a link")
    func failsClosed() throws {
        for (file, text) in [
            (
                "portal.nft",
                "table inet needletail { chain input { type filter hook input priority filter; policy drop; }\n}\n"
            ),
            ("portal.nft", "table inet needletail {\n"), ("portal.expected", ""),
            ("portal.expected", "needletail input filter 1 0 drop 2\nend\n"),
        ] {
            try apart { folder in
                try File("\(folder)/\(file)", .create(mode: 0o600)).write(Array(text.utf8))
                let failure = #expect(throws: BootFailure.self) { try namespaces(folder).make() }
                #expect(failure?.code == "firewall")
                #expect(try !output("ip", "-br", "link").contains("to-portal"))
            }
        }
    }
}
