// SPDX-License-Identifier: GPL-3.0-or-later
import Commands
import Foundation
import SystemPackage

/// A small internet inside a sandbox: a LAN for machines under test, a router, a place for Tor's relays, a web server.
///
///     lan ── br-lan 192.0.2.1/24 (router, DHCP, DNS that knows no name), taps of the machines
///      │└─── computer 192.0.2.10 (a client that is no machine under test)
///      └──── 198.51.100.1 ── internet 198.51.100.0/24 (relays, the exits' resolver) ── web 203.0.113.80
///
/// Each word of the picture but the addresses is a network namespace. The LAN reaches the relays, and the web server too, so
/// that what leaks out of a machine arrives and is seen. There is no default route anywhere, nor IPv6 on the host's side of
/// any link: every IPv6 frame that a capture shows is a machine's own.
public final class PrivateNetwork: Sendable {
    /// The network namespace of the guest LAN, in which QEMU runs.
    public static let lan = "lan"
    /// The network namespace of the computer in the LAN that is no machine under test.
    public static let computer = "computer"
    /// The network namespace of the relays.
    public static let internet = "internet"
    /// The network namespace of the web server.
    public static let webHost = "web"
    /// The bridge that joins the machines' taps.
    public static let bridge = "br-lan"

    /// Where it runs.
    public let sandbox: Sandbox
    /// The web server.
    public let web: WebServer
    /// The LAN's DHCP and DNS server.
    public let router: NameServer
    /// The servers of further local networks.
    public let otherRouters: [NameServer]
    /// The exits' DNS server.
    public let exitResolver: NameServer

    /// Builds the network and starts its servers; takes about a second.
    ///
    /// - Parameters:
    ///   - sandbox: Where it is to run; only one network fits into a sandbox.
    ///   - localNetwork: What the LAN's server says.
    ///   - otherNetworks: Further local networks, each with a bridge of its own.
    /// - Returns: The network, with every server answering.
    /// - Throws: `CommandFailure`, `NetworkFailure`.
    public static func start(
        in sandbox: Sandbox, localNetwork: LocalNetwork = .ordinary, otherNetworks: [LocalNetwork] = []
    ) async throws -> PrivateNetwork {
        for namespace in [lan, computer, internet, webHost] {
            try await sandbox.addNamespace(namespace)
            // Before there are interfaces, so that not one of them ever sends a neighbour discovery of its own.
            let settings = [
                "net.ipv6.conf.all.disable_ipv6=1", "net.ipv6.conf.default.disable_ipv6=1",
            ]
            _ = try await sandbox.command("sysctl", ["-e", "-q", "-w"] + settings, in: namespace).output()
        }
        for namespace in [lan, internet] {
            _ = try await sandbox.command("sysctl", ["-q", "-w", "net.ipv4.ip_forward=1"], in: namespace).output()
        }
        for (namespace, lines) in plan {
            _ = try await sandbox.command("ip", ["-batch", "-"], in: namespace).output(
                input: lines.joined(separator: "\n") + "\n")
        }
        for network in otherNetworks + (localNetwork.router == Address.router ? [] : [localNetwork]) {
            try await add(network, in: sandbox)
        }
        for network in [localNetwork] + otherNetworks {
            for address in network.otherRouters {
                // ip addr add ADDRESS/PREFIX dev BRIDGE
                _ = try await sandbox.command(
                    "ip", ["addr", "add", "\(address)/\(network.prefix)", "dev", network.bridge], in: lan
                ).output()
            }
        }
        let web = try await WebServer.start(in: sandbox)
        let router = try await NameServer.start(.router(localNetwork), in: sandbox)
        var others: [NameServer] = []
        for network in otherNetworks { others.append(try await NameServer.start(.router(network), in: sandbox)) }
        let resolver = try await NameServer.start(.exitResolver, in: sandbox)
        return PrivateNetwork(
            sandbox: sandbox, web: web, router: router, otherRouters: others, exitResolver: resolver)
    }

    private init(
        sandbox: Sandbox, web: WebServer, router: NameServer, otherRouters: [NameServer], exitResolver: NameServer
    ) {
        self.otherRouters = otherRouters
        self.sandbox = sandbox
        self.web = web
        self.router = router
        self.exitResolver = exitResolver
    }

    /// Adds a tap device for a machine to the LAN's bridge; it stays until it is removed or the sandbox ends.
    ///
    /// QEMU has to run in the namespace `lan` and to be given `-netdev tap,ifname=<name>,script=no,downscript=no`.
    ///
    /// - Parameters:
    ///   - name: The interface's name, at most 15 bytes.
    ///   - bridge: The bridge of its network.
    /// - Throws: `NetworkFailure` when `/dev/net/tun` is not to be had, `CommandFailure`.
    public func addTap(_ name: String, to bridge: String = PrivateNetwork.bridge) async throws {
        guard (1...15).contains(name.utf8.count), name.first != "-",
            name.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-") })
        else {
            throw NetworkFailure(
                .badName, "“\(name)” cannot name a tap. Use up to 15 letters, digits and hyphens, the first no hyphen.")
        }
        guard FileManager.default.isWritableFile(atPath: "/dev/net/tun") else {
            throw NetworkFailure(
                .tap,
                "The tap \(name) cannot be made: this user may not use /dev/net/tun. "
                    + "Run the tests as root, or let the user's group read and write that device.")
        }
        let lines = [
            "tuntap add dev \(name) mode tap", "link set \(name) master \(bridge)", "link set \(name) up",
        ]
        _ = try await sandbox.command("ip", ["-batch", "-"], in: Self.lan).output(
            input: lines.joined(separator: "\n") + "\n")
    }

    /// Puts a tap's cable into another network's switch.
    public func moveTap(_ name: String, to bridge: String) async throws {
        _ = try await sandbox.command("ip", ["link", "set", name, "master", bridge], in: Self.lan).output()
    }

    /// Removes a tap device; a machine that still uses it loses its network.
    public func removeTap(_ name: String) async throws {
        _ = try await sandbox.command("ip", ["tuntap", "del", "dev", name, "mode", "tap"], in: Self.lan).output()
    }

    /// Fetches the web server's page straight from the LAN, as a leak would.
    ///
    /// - Returns: The page, which is the address that the server saw.
    /// - Throws: `CommandFailure` when it does not arrive within 10 s.
    public func fetchDirectly() async throws -> String {
        try await sandbox.command(
            "curl", ["-sS", "--max-time", "10", "--noproxy", "*", "http://\(Address.web)/"], in: Self.computer
        ).output().trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// Stops the servers. The links stay until the sandbox is closed, which stops the servers too.
    public func stop() async {
        await web.stop()
        await router.stop()
        for router in otherRouters { await router.stop() }
        await exitResolver.stop()
    }

    /// Gives a local network its bridge (or the bridge the address) and the relays and the web server the way back.
    private static func add(_ network: LocalNetwork, in sandbox: Sandbox) async throws {
        guard let range = network.network else {
            throw NetworkFailure(.badName, "“\(network.router)” is no router's address.")
        }
        let address = "addr add \(network.router)/\(network.prefix) dev \(network.bridge)"
        let bridge = [
            "link add \(network.bridge) type bridge stp_state 0 forward_delay 0 mcast_snooping 0",
            "link set \(network.bridge) up",
        ]
        let lines = [
            (lan, (network.bridge == Self.bridge ? [] : bridge) + [address]),
            (internet, ["route add \(range) via \(Address.link.lan)"]),
            (webHost, ["route add \(range) via \(Address.webGateway)"]),
        ]
        for (namespace, lines) in lines {
            _ = try await sandbox.command("ip", ["-batch", "-"], in: namespace).output(
                input: lines.joined(separator: "\n") + "\n")
        }
    }

    /// What `ip` is told, by namespace and in this order. Links are made first, from one side.
    private static var plan: [(namespace: String, lines: [String])] {
        let relays = Address.authorities + Address.exits + [Address.bridge, Address.exitResolver]
        return [
            (
                lan,
                [
                    // Without snooping and spanning tree the bridge sends no frame of its own.
                    "link add \(bridge) address 02:00:5e:00:02:01 type bridge stp_state 0 forward_delay 0 mcast_snooping 0",
                    "addr add \(Address.router)/24 dev \(bridge)",
                    "link set \(bridge) up",
                    "link add computer0 type veth peer name eth0 netns /run/netns/\(computer)",
                    "link set computer0 master \(bridge)",
                    "link set computer0 up",
                    "link add internet0 type veth peer name lan0 netns /run/netns/\(internet)",
                    "addr add \(Address.link.lan)/24 dev internet0",
                    "link set internet0 up",
                    "route add 203.0.113.0/24 via \(Address.link.internet)",
                ]
            ),
            (
                computer,
                [
                    "addr add \(Address.lanComputer)/24 dev eth0",
                    "link set eth0 up",
                    "route add 198.51.100.0/24 via \(Address.router)",
                    "route add 203.0.113.0/24 via \(Address.router)",
                ]
            ),
            (
                internet,
                ["addr add \(Address.link.internet)/24 dev lan0"]
                    + relays.map { "addr add \($0)/24 dev lan0" }
                    + [
                        "link set lan0 up",
                        "route add 192.0.2.0/24 via \(Address.link.lan)",
                        "link add web0 type veth peer name eth0 netns /run/netns/\(webHost)",
                        "addr add \(Address.webGateway)/24 dev web0",
                        "link set web0 up",
                    ]
            ),
            (
                webHost,
                [
                    "addr add \(Address.web)/24 dev eth0",
                    "link set eth0 up",
                    "route add 192.0.2.0/24 via \(Address.webGateway)",
                    "route add 198.51.100.0/24 via \(Address.webGateway)",
                ] + (Address.timeServers + [Address.broker]).map { "addr add \($0)/24 dev eth0" }
            ),
        ]
    }
}
