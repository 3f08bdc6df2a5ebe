// SPDX-License-Identifier: GPL-3.0-or-later
import Commands
import Foundation
import SystemPackage
import Testing

@testable import Testbed

@Suite("The private network", .serialized)
struct NetworkTests {
    @Test("a direct fetch from the LAN reaches the web server, which sees the LAN's address")
    func leakIsSeen() async throws {
        try await withNetwork { network in
            #expect(try network.web.visits().isEmpty)
            #expect(try await network.fetchDirectly() == Address.lanComputer)
            let visits = try network.web.visits()
            #expect(visits.map(\.address) == [Address.lanComputer])
            #expect(visits.map(\.path) == ["/"])
        }
    }

    @Test("a Tor client is bootstrapped within 20 s of the start, and the web server sees an exit's address")
    func torBootstraps() async throws {
        try await withNetwork { network in
            let start = ContinuousClock.now
            let tor = try await TorNetwork.start(in: network)
            let ready = ContinuousClock.now - start
            let client = try await tor.bareClient()
            let time = ContinuousClock.now - start
            #expect(time <= .seconds(20), "The relays were ready after \(ready).")
            let page = try await client.fetch()
            #expect(tor.exitAddresses.contains(page))
            #expect(try network.web.visits().map(\.address) == [page])
            let named = try await client.fetch("http://\(Address.webName)/")
            #expect(tor.exitAddresses.contains(named))
            #expect(try network.exitResolver.questions().contains { $0.name == Address.webName })
            #expect(try network.router.questions().isEmpty)
            try tor.check()
            await client.stop()
            await tor.stop()
            let failure = #expect(throws: NetworkFailure.self) { try tor.check() }
            #expect(failure?.code == .ended)
            let left = try await network.sandbox.command("ps", ["-e"]).output()
            #expect(!left.contains(" tor"))
        }
    }

    @Test("a relay that cannot start is named, with the end of its log")
    func failingRelay() async throws {
        try await withNetwork { network in
            // Something else holds the port of the second authority.
            let listen = ["httpd", "-f", "-p", "\(Address.authorities[1]):\(TorRelay.onionPort)", "-h", "/"]
            _ = network.sandbox.start("thief", "busybox", listen, in: PrivateNetwork.internet)
            let failure = await #expect(throws: NetworkFailure.self) { _ = try await TorNetwork.start(in: network) }
            #expect(failure?.code == .ended)
            #expect(failure?.description.contains("authority2") == true)
            #expect(failure?.description.contains("Address already in use") == true)
            let left = try await network.sandbox.command("ps", ["-e"]).output()
            #expect(!left.contains(" tor"))
        }
    }

    @Test("the LAN's server knows snowflake's two names and no others, and who connects to its broker is counted")
    func broker() async throws {
        try await withNetwork { network in
            let broker = try await SnowflakeBroker.start(in: network)
            for (name, isKnown) in [
                (Address.brokerNames.front, true), (Address.brokerNames.stun, true), ("broker.example", false),
                (Address.webName, false),
            ] {
                let answer = try? await network.sandbox.command(
                    "busybox", ["nslookup", name, Address.router], in: PrivateNetwork.computer
                ).output()
                #expect((answer?.contains(Address.broker) == true) == isKnown, "\(name): \(answer ?? "")")
            }
            #expect(try broker.connections() == 0)
            _ = try? await network.sandbox.command(
                "curl", ["-sS", "--max-time", "1", "https://\(Address.broker)/"], in: PrivateNetwork.computer
            ).output()
            #expect(try broker.connections() == 1)
            await broker.stop()
        }
    }

    @Test("no part of it has a way to any other network")
    func sealed() async throws {
        try await withNetwork { network in
            let own = ["192.0.2.", "198.51.100.", "203.0.113."]
            for namespace in [nil, "lan", "computer", "internet", "web"] {
                let routes = try await network.sandbox.command("ip", ["-4", "route"], in: namespace).output()
                #expect(routes.split(separator: "\n").allSatisfy { line in own.contains { line.hasPrefix($0) } })
                let addresses = try await network.sandbox.command("ip", ["-o", "-6", "addr"], in: namespace).output()
                #expect(!addresses.contains("fe80"))
                await #expect(throws: CommandFailure.self) {
                    _ = try await network.sandbox.command("ip", ["route", "get", "198.18.0.1"], in: namespace).output()
                }
            }
        }
    }

    @Test("the LAN's router hands out an address, itself as gateway, and answers no name")
    func router() async throws {
        try await withNetwork { network in
            let namespace = PrivateNetwork.computer
            let script = network.sandbox.work.appending("lease.sh")
            try Data("#!/bin/sh\nenv\n".utf8).write(to: URL(fileURLWithPath: script.string))
            try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: script.string)
            let words = ["udhcpc", "-f", "-q", "-n", "-i", "eth0", "-x", "hostname:visible", "-s", script.string]
            let told = try await network.sandbox.command("busybox", words, in: namespace).output()
            #expect(told.contains("router=\(Address.router)\n") && told.contains("dns=\(Address.router)\n"))
            let lease = try #require(try network.router.leases().first)
            #expect(told.contains("ip=\(lease.address)\n"))
            #expect(lease.address.hasPrefix("192.0.2.1") && lease.hostName == "visible")

            let ask = ["nslookup", "-type=a", Address.webName, Address.router]
            await #expect(throws: CommandFailure.self) {
                _ = try await network.sandbox.command("busybox", ask, in: namespace).output()
            }
            let question = NameServer.Question(client: Address.lanComputer, type: "A", name: Address.webName)
            #expect(try network.router.questions().contains(question))
        }
    }

    @Test("a machine's tap joins the LAN and goes again, where this user may make taps; else it says what to do")
    func taps() async throws {
        try await withNetwork { network in
            guard FileManager.default.isWritableFile(atPath: "/dev/net/tun") else {
                let failure = await #expect(throws: NetworkFailure.self) { try await network.addTap("machine0") }
                #expect(failure?.code == .tap)
                #expect(failure?.description.contains("/dev/net/tun") == true)
                return
            }
            let show = network.sandbox.command(
                "ip", ["-o", "link", "show", "master", "br-lan"], in: PrivateNetwork.lan)
            try await network.addTap("machine0")
            #expect(try await show.output().contains("machine0: "))
            try await network.removeTap("machine0")
            #expect(try await !show.output().contains("machine0"))
        }
    }

    @Test("a name that is no interface's is refused", arguments: ["", "-x", "a name", "sixteen-letters-"])
    func badTaps(name: String) async throws {
        try await withNetwork { network in
            let failure = await #expect(throws: NetworkFailure.self) { try await network.addTap(name) }
            #expect(failure?.code == .badName)
        }
    }

    @Test("a connection that asks for nothing is a visit too")
    func readsVisits() {
        let log = """
            203.0.113.80:1: connected
            203.0.113.80:1: url:/
            192.0.2.100:40000: connected
            198.51.100.21:50000: connected
            198.51.100.21:50000: url:/file
            198.51.100.21:50000: response:404
            198.51.100.21:50000: closed

            """
        #expect(
            WebServer.visits(in: log) == [
                .init(address: "192.0.2.100", port: 40000, path: nil),
                .init(address: "198.51.100.21", port: 50000, path: "/file"),
            ])
    }

    @Test("a relay counts as running only when the consensus says so")
    func readsConsensus() {
        let text = """
            r exit1 k 2038-01-01 00:00:00 198.51.100.21 9001 0
            m digest
            s Exit Fast Running Valid
            r exit2 k 2038-01-01 00:00:00 198.51.100.22 9001 0
            s Exit Fast Valid
            r exit3 k 2038-01-01 00:00:00 198.51.100.23 9001 0
            """
        #expect(Consensus.running(in: text) == ["exit1"])
    }

    private func withNetwork(_ body: (PrivateNetwork) async throws -> Void) async throws {
        try await withSandbox { sandbox in try await body(try await PrivateNetwork.start(in: sandbox)) }
    }
}
