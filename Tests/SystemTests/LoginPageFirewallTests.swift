// SPDX-License-Identifier: GPL-3.0-or-later
import Commands
import Foundation
import SystemPackage
import Testbed
import Testing

@testable import Image

extension SystemTests {
    /// The shipped rules with real packets, on links like those of the boot stage, without a machine.
    @Suite("The firewall's door for a login page", .serialized, .turn)
    struct LoginPageFirewall {
        @Test("lets nothing through while it is closed, only the browser while it is open, and nothing after that")
        func door() async throws {
            try await withWork { work in
                let sandbox = try await Sandbox.open(work: work.appending("s"))
                do {
                    try await DoorStory(sandbox).tell()
                    await sandbox.close()
                } catch {
                    await sandbox.close()
                    throw error
                }
            }
        }
    }
}

private struct DoorStory {
    let sandbox: Sandbox
    let pages: FilePath

    init(_ sandbox: Sandbox) {
        self.sandbox = sandbox
        pages = sandbox.work.appending("page")
    }

    private func run(_ words: [String], in namespace: String) async throws -> String {
        try await sandbox.command(words[0], Array(words.dropFirst()), in: namespace).output()
    }

    private func batch(_ namespace: String, _ lines: [String]) async throws {
        _ = try await sandbox.command("ip", ["-batch", "-"], in: namespace).output(
            input: lines.joined(separator: "\n") + "\n")
    }

    /// Whether the browser's account, or another one, gets an answer.
    private func reaches(_ place: String, user: String = "973") async -> Bool {
        let words = [
            "--reuid", user, "--clear-groups", "curl", "-s", "--max-time", "2", "--noproxy", "*", "http://\(place)/",
        ]
        return (try? await sandbox.command("setpriv", words, in: "portal").output())?.contains("hello") == true
    }

    private func open(seconds: Int) async throws {
        // What Door.swift does.
        let limit = "timeout \(seconds)s"
        _ = try await run(
            [
                "nft",
                "flush set inet needletail portal; flush set inet needletail portal_names; "
                    + "add element inet needletail portal { \"card\" \(limit) }; "
                    + "add element inet needletail portal_names { 192.0.2.1 \(limit) }",
            ], in: "machine")
        try await batch(
            "machine", ["link set to-portal up", "route replace 10.77.0.4/30 dev to-portal src 10.77.0.5 table 77"])
    }

    private func close() async throws {
        try await batch("machine", ["link set to-portal down"])
        _ = try await run(
            ["nft", "flush set inet needletail portal; flush set inet needletail portal_names"], in: "machine")
    }

    func tell() async throws {
        let servers = try await build()
        defer { withExtendedLifetime(servers) {} }
        #expect(await !reaches("192.0.2.1:80"))

        try await open(seconds: 600)
        for place in ["192.0.2.1:80", "192.0.2.1:8081", "203.0.113.80:80", "192.0.2.1:53"] {
            #expect(await reaches(place), "\(place) should be reached")
        }
        // Another name server; this computer; the session; another account.
        for place in [
            "203.0.113.80:53", "10.77.0.5:80", "192.0.2.100:80", "10.77.0.1:80", "10.77.0.2:80", "127.0.0.1:80",
        ] {
            #expect(await !reaches(place), "\(place) should not be reached")
        }
        #expect(await !reaches("192.0.2.1:80", user: "0"))
        #expect(await !reaches("192.0.2.1:80", user: "1000"))

        // A connection that was begun ends with the door, also when the link comes back.
        let slow = sandbox.start(
            "slow", "setpriv",
            ["--reuid", "973", "--clear-groups", "curl", "-sN", "--noproxy", "*", "http://192.0.2.1:8082/"],
            in: "portal")
        try await Task.sleep(for: .seconds(1))
        try await close()
        let before = try String(contentsOfFile: slow.log.string, encoding: .utf8)
        #expect(before.contains("tick"))
        #expect(await !reaches("192.0.2.1:80"))
        try await batch(
            "machine", ["link set to-portal up", "route replace 10.77.0.4/30 dev to-portal src 10.77.0.5 table 77"])
        try await Task.sleep(for: .seconds(2))
        #expect(try String(contentsOfFile: slow.log.string, encoding: .utf8) == before)
        #expect(await !reaches("192.0.2.1:80"))
        await slow.stop()

        // Nobody closes it: the kernel does.
        try await open(seconds: 3)
        #expect(await reaches("192.0.2.1:80"))
        try await Task.sleep(for: .seconds(4))
        #expect(await !reaches("192.0.2.1:80"))
    }

    private func build() async throws -> [BackgroundCommand] {
        for name in ["machine", "portal", "net"] { try await sandbox.addNamespace(name) }
        _ = try await sandbox.command("ip", ["link", "set", "lo", "down"], in: "portal").output()
        try await batch(
            "machine",
            [
                "link add to-portal type veth peer name clear netns /run/netns/portal",
                "addr add 10.77.0.5/30 dev to-portal",
                "link add card type veth peer name eth0 netns /run/netns/net", "addr add 192.0.2.100/24 dev card",
                "link set card up", "route add default via 192.0.2.1", "rule add to 10.77.0.0/29 lookup 77 priority 77",
                "route add unreachable 10.77.0.0/29 table 77",
            ])
        try await batch(
            "portal", ["addr add 10.77.0.6/30 dev clear", "link set clear up", "route add default via 10.77.0.5"])
        try await batch(
            "net", ["addr add 192.0.2.1/24 dev eth0", "addr add 203.0.113.80/32 dev eth0", "link set eth0 up"])
        _ = try await run(
            ["sysctl", "-q", "-w", "net.ipv4.conf.card.forwarding=1", "net.ipv4.conf.to-portal.forwarding=1"],
            in: "machine")
        try await load("firewall", in: "machine")
        try await load("portal", in: "portal")
        _ = try await run(["nft", "add element inet needletail interfaces { \"card\" }"], in: "machine")
        let servers =
            try serve("hello", ports: [80, 8081, 53], body: "echo hello")
            + serve("slow", ports: [8082], body: "while echo tick; do sleep 0.2; done")
        try await Task.sleep(for: .milliseconds(500))
        return servers
    }

    /// The rules as they are shipped, with this computer's numbers for the image's accounts.
    private func load(_ name: String, in namespace: String) async throws {
        let file = try #require(FirewallData.files.first { $0.name == name })
        let rules = try await Project.find(at: ShippedImage.project).firewall().table(of: file.namespace).text
            .replacing("\"debian-tor\"", with: "970").replacing("\"needletail-portal\"", with: "973")
        _ = try await sandbox.command("nft", ["-f", "-"], in: namespace).output(input: rules)
    }

    private func serve(_ name: String, ports: [Int], body: String) throws -> [BackgroundCommand] {
        let script = sandbox.work.appending(name)
        let text = """
            #!/bin/sh
            while read -r line; do line=${line%?}; [ -n "$line" ] || break; done
            printf 'HTTP/1.0 200 OK\\r\\n\\r\\n'
            \(body)

            """
        try Data(text.utf8).write(to: URL(fileURLWithPath: script.string))
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: script.string)
        return ports.map { port in
            sandbox.start("\(name)-\(port)", "busybox", ["nc", "-ll", "-p", "\(port)", "-e", script.string], in: "net")
        }
    }
}
