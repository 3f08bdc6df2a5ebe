// SPDX-License-Identifier: GPL-3.0-or-later
import Commands
import Foundation
import SystemPackage
import Testing

@testable import Testbed

@Suite("A hostile local network", .serialized)
struct HostileNetworkTests {
    @Test("its server says what an attacker would say, to everybody, and an ordinary client takes it")
    func options() async throws {
        try await withSandbox { sandbox in
            let network = try await PrivateNetwork.start(
                in: sandbox, localNetwork: .hostile, otherNetworks: [.other, .conflicting])
            let told = try await lease(in: network)
            #expect(told.contains("wpad=http://192.0.2.66/wpad.dat"), "\(told)")
            #expect(told.contains("dns=192.0.2.66"))
            #expect(told.contains("mtu=576") && told.contains("lease=120"))
            let log = try network.router.log()
            for option in LocalNetwork.hostileOptions {
                let padded = String(repeating: " ", count: 3 - "\(option.code)".count) + "\(option.code)"
                #expect(log.contains("option:\(padded) ") as Bool, "option \(option.code)")
            }
        }
    }

    @Test("its server can begin to say other things while it runs, and forgets neither leases nor questions")
    func change() async throws {
        try await withSandbox { sandbox in
            let network = try await PrivateNetwork.start(in: sandbox)
            #expect(try await !lease(in: network).contains("wpad"))
            let before = try network.router.leases().map(\.address)
            try await network.router.change(to: .hostile)
            #expect(try await lease(in: network).contains("wpad"))
            #expect(try network.router.leases().map(\.address) == before && before.count == 1)
            #expect(try network.router.log().components(separatedBy: "DHCPACK").count >= 3)
        }
    }

    @Test("an ordinary computer answers the neighbour's pings, scans and questions, and the judge sees it")
    func neighbour() async throws {
        try await withSandbox { sandbox in
            _ = try await PrivateNetwork.start(in: sandbox)
            let computer = PrivateNetwork.computer
            // As an ordinary computer: with IPv6.
            _ = try await sandbox.command(
                "sysctl", ["-q", "-w", "net.ipv6.conf.all.disable_ipv6=0", "net.ipv6.conf.eth0.disable_ipv6=0"],
                in: computer
            ).output()
            let text = try await sandbox.command("cat", ["/sys/class/net/eth0/address"], in: computer).output()
            let link = try await sandbox.command("ip", ["-o", "link", "show", "eth0"], in: computer).output()
            let words = link.split(separator: " ")
            let place = try #require(words.firstIndex(of: "link/ether"), "\(text)")
            let hardware = try #require(MACAddress(String(words[place + 1])))
            let capture = try await FrameCapture(of: "computer0", in: sandbox, namespace: PrivateNetwork.lan)
            let sender = try await FrameSender(in: sandbox)
            let neighbour = HostileNeighbour(
                of: hardware, at: try #require(IPv4Address(Address.lanComputer)),
                router: (try #require(MACAddress("02:00:5e:00:02:01")), try #require(IPv4Address(Address.router))),
                attacker: try #require(IPv4Address(LocalNetwork.attacker)))
            // Twice: the first answers wait for the neighbour's address.
            try await sender.send(neighbour.everything)
            try await sender.send([
                FrameBytes.ethernet(
                    0x0806, to: hardware.bytes, from: HostileNeighbour.hardware.bytes,
                    FrameBytes.arp(
                        2, from: (HostileNeighbour.hardware.bytes, [192, 0, 2, 66]),
                        to: (hardware.bytes, [192, 0, 2, 10])))
            ])
            try await sender.send(neighbour.everything)
            try await Task.sleep(for: .seconds(3))
            let recording = await capture.stop()
            await sender.stop()
            #expect(try PcapFile(readingFrom: recording.toGuest).frames.count > 800)
            let verdict = try Judge(allowList: Craft.network()).verdict(on: recording)
            let kinds = verdict.findingsByKind
            for kind in [
                Finding.Kind.icmp, .otherTCP, .ipv6RouterSolicitation, .ipv6NeighbourDiscovery, .ipv6ListenerReport,
            ] {
                #expect((kinds[kind] ?? 0) > 0, "Nothing of the kind '\(kind.rawValue)' came back:\n\(verdict)")
            }
        }
    }

    @Test("a cable moved to another network reaches that network's server")
    func move() async throws {
        try await withSandbox { sandbox in
            let network = try await PrivateNetwork.start(in: sandbox, otherNetworks: [.other])
            try await network.moveTap("computer0", to: LocalNetwork.other.bridge)
            let told = try await lease(in: network)
            #expect(told.contains("router=172.16.5.1\n") && told.contains("ip=172.16.5.1"))
            #expect(try network.otherRouters.first?.leases().count == 1)
        }
    }

    /// What BusyBox's DHCP client is told.
    private func lease(in network: PrivateNetwork) async throws -> String {
        let script = network.sandbox.work.appending("lease.sh")
        try Data("#!/bin/sh\nenv\n".utf8).write(to: URL(fileURLWithPath: script.string))
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: script.string)
        let asked = [
            "dns", "hostname", "domain", "search", "wpad", "mtu", "staticroutes", "msstaticroutes", "routes", "tzstr",
            "tzdbstr", "0x72", "ntpsrv", "wins", "timezone", "tftp", "bootfile", "rootpath", "0x2c",
        ].flatMap { ["-O", $0] }
        return try await network.sandbox.command(
            "busybox", ["udhcpc", "-f", "-q", "-n", "-i", "eth0", "-x", "0x39:05dc", "-s", script.string] + asked,
            in: PrivateNetwork.computer
        ).output()
    }
}
