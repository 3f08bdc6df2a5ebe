// SPDX-License-Identifier: GPL-3.0-or-later

/// What a neighbour in the local network may send to a machine to find it, question it or mislead it. An ordinary computer answers
/// much of it; a machine under test answers only who-has questions for its own address.
public struct HostileNeighbour: Sendable {
    /// The neighbour's hardware address.
    public static let hardware = MACAddress([0x02, 0xDE, 0xAD, 0xBE, 0xEF, 0x66]) ?? .zero

    private let me: (hardware: [UInt8], address: [UInt8])
    private let victim: (hardware: [UInt8], address: [UInt8])
    private let router: (hardware: [UInt8], address: [UInt8])

    /// A neighbour of a machine.
    ///
    /// - Parameters:
    ///   - hardware: The machine's hardware address.
    ///   - address: The machine's address.
    ///   - router: The router's hardware address and address.
    ///   - attacker: The neighbour's own address.
    public init(
        of hardware: MACAddress, at address: IPv4Address, router: (MACAddress, IPv4Address),
        attacker: IPv4Address
    ) {
        me = (Self.hardware.bytes, attacker.bytes)
        victim = (hardware.bytes, address.bytes)
        self.router = (router.0.bytes, router.1.bytes)
    }

    /// All of it.
    public var everything: [[UInt8]] {
        arpScan + routerAdvertisements + nameQuestions + pings + misleadingICMP + tcpScan + udpScan + linkLayer
    }

    private static let everybody = [UInt8](repeating: 0xFF, count: 6)
    private static let noHardware = [UInt8](repeating: 0, count: 6)
    private static let linkLocal: [UInt8] = [0xFE, 0x80] + [UInt8](repeating: 0, count: 13) + [0x66]

    /// Who-has questions for all of a network, also for addresses of the machine's other interfaces, and lies about the router.
    public var arpScan: [[UInt8]] {
        let own: [[UInt8]] = [[10, 77, 0, 1], [10, 77, 0, 2], [10, 77, 0, 5], [127, 0, 0, 1], [172, 16, 5, 100]]
        let all = (1..<255).map { victim.address[..<3] + [UInt8($0)] } + own
        let questions = all.map { arp(1, from: me.address, to: Array($0), Self.everybody) }
        // RFC 5227: a probe for the machine's own address. It would have to defend it.
        let probe = arp(1, from: [0, 0, 0, 0], to: victim.address, Self.everybody)
        // "I am the router", unasked, as question and as answer.
        let lies = [
            arp(1, from: router.address, to: router.address, Self.everybody),
            arp(2, from: router.address, to: victim.address, victim.hardware),
            arp(2, from: router.address, to: router.address, Self.everybody),
        ]
        return questions + [probe] + lies
    }

    /// A router for IPv6, a server for DHCPv6, questions for neighbours and groups, pings by IPv6.
    public var routerAdvertisements: [[UInt8]] {
        let all: [UInt8] = [0xFF, 0x02] + [UInt8](repeating: 0, count: 13) + [1]
        let own = addressByEUI64
        let prefix: [UInt8] = [0x20, 0x01, 0x0D, 0xB8, 0x66] + [UInt8](repeating: 0, count: 11)
        // RFC 4861: hop limit 64, managed and other, an hour; source, MTU, prefix with autonomous; RFC 8106: name server.
        let options: [UInt8] =
            [1, 1] + me.hardware + [5, 1, 0, 0, 0, 0, 5, 0] + [
                3, 4, 64, 0xC0, 0, 1, 0x51, 0x80, 0, 0, 0x38, 0x40, 0, 0, 0, 0,
            ]
            + prefix + [25, 3, 0, 0, 0, 0, 7, 8] + prefix[..<15] + [0x53]
        let advertisement = FrameBytes.icmpv6(
            from: Self.linkLocal, to: all, 134, [64, 0xC0, 0x0E, 0x10, 0, 0, 0, 0, 0, 0, 0, 0] + options)
        let solicitation = FrameBytes.icmpv6(
            from: Self.linkLocal, to: own, 135, [0, 0, 0, 0] + own + [1, 1] + me.hardware)
        let listeners = FrameBytes.icmpv6(
            from: Self.linkLocal, to: all, 130, [3, 232, 0, 0] + [UInt8](repeating: 0, count: 16))
        let ping = FrameBytes.icmpv6(from: Self.linkLocal, to: all, 128, [1, 2, 3, 4] + Array("hello".utf8))
        let pingOwn = FrameBytes.icmpv6(from: Self.linkLocal, to: own, 128, [1, 2, 3, 4])
        let advertise = FrameBytes.udpv6(
            from: (Self.linkLocal, 547), to: (own, 546), [2, 1, 2, 3, 0, 1, 0, 10, 0, 3, 0, 1] + me.hardware)
        let group: [UInt8] = [0x33, 0x33, 0, 0, 0, 1]
        return [
            v6(group, advertisement), v6(victim.hardware, advertisement), v6(victim.hardware, solicitation),
            v6(group, listeners), v6(group, ping), v6(victim.hardware, pingOwn), v6(victim.hardware, advertise),
        ]
    }

    /// mDNS, LLMNR, NetBIOS, SSDP, WS-Discovery and DNS, to the machine and to their groups.
    public var nameQuestions: [[UInt8]] {
        let services = FrameBytes.question("_services._dns-sd._udp.local", type: 12)
        let host = FrameBytes.question("host.local", type: 255)
        let label = FrameBytes.question("host", type: 1)
        // RFC 1001: "*" in NetBIOS's spelling, a request for the table of names.
        let netbios: [UInt8] =
            [0x12, 0x34, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 32] + Array(("CK" + String(repeating: "A", count: 30)).utf8)
            + [0, 0, 0x21, 0, 1]
        let ssdp = Array(
            "M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: \"ssdp:discover\"\r\nMX: 1\r\nST: ssdp:all\r\n\r\n"
                .utf8)
        let questions: [(Int, [UInt8], [UInt8])] = [
            (5353, [224, 0, 0, 251], services), (5353, [224, 0, 0, 251], host), (5355, [224, 0, 0, 252], label),
            (137, [victim.address[0], victim.address[1], victim.address[2], 255], netbios),
            (1900, [239, 255, 255, 250], ssdp), (3702, [239, 255, 255, 250], Array("<Probe/>".utf8)),
            (53, victim.address, FrameBytes.question("web.example", type: 1)),
        ]
        return questions.flatMap { port, group, payload in
            [(group, hardware(of: group)), (victim.address, victim.hardware)].map { address, hardware in
                v4(hardware, FrameBytes.udp(from: (me.address, port), to: (address, port), ttl: 255, payload))
            }
        }
    }

    /// Echo, timestamp and mask requests, to the machine, to all, and through a group.
    public var pings: [[UInt8]] {
        let all: [[UInt8]] = [
            victim.address, [255, 255, 255, 255], [224, 0, 0, 1],
            [victim.address[0], victim.address[1], victim.address[2], 255],
        ]
        return all.flatMap { address in
            [
                (UInt8(8), [UInt8](repeating: 7, count: 24)), (13, [UInt8](repeating: 0, count: 16)),
                (17, [0, 1, 0, 1, 0, 0, 0, 0]),
            ]
            .map { type, rest in
                v4(hardware(of: address), FrameBytes.icmp(from: me.address, to: address, type, 0, rest))
            }
        }
    }

    /// Redirects, router advertisements (RFC 1256), a question for groups (IGMP), source quench, and "unreachable" for a relay.
    public var misleadingICMP: [[UInt8]] {
        let relay: [UInt8] = [198, 51, 100, 21]
        let inner = Array(
            FrameBytes.tcp(from: (victim.address, 40000), to: (relay, TorRelay.onionPort), flags: 2).prefix(28))
        let from = router.address
        var query: [UInt8] = [0x11, 10, 0, 0, 0, 0, 0, 0]
        query.replaceSubrange(2..<4, with: FrameBytes.checksum(query))
        return [
            FrameBytes.icmp(from: from, to: victim.address, 5, 1, me.address + inner),
            FrameBytes.icmp(from: from, to: victim.address, 5, 0, me.address + inner),
            FrameBytes.icmp(
                from: from, to: [224, 0, 0, 1], 9, 0, [1, 2, 7, 8] + me.address + [0x7F, 0xFF, 0xFF, 0xFF]),
            FrameBytes.icmp(from: from, to: victim.address, 4, 0, [0, 0, 0, 0] + inner),
            FrameBytes.icmp(from: from, to: victim.address, 3, 1, [0, 0, 0, 0] + inner),
            FrameBytes.icmp(from: from, to: victim.address, 3, 4, [0, 0, 0, 0x44] + inner),
            FrameBytes.ipv4(2, from: from, to: [224, 0, 0, 1], ttl: 1, query),
        ].map { v4(victim.hardware, $0) }
    }

    /// The ports that a scanner tries first, all of Tor's, and some high ones, by SYN, ACK, FIN and nothing at all.
    public var tcpScan: [[UInt8]] {
        let ports =
            Array(1...200) + [389, 443, 445, 548, 631, 993, 1080, 1716, 3128, 3389, 5000, 5353, 5355, 5900, 6000, 8080]
            + [9001, 9030, 9040, 9050, 9051, 9150, 9151, 22000, 32768, 40000, 50000, 65535]
        return ports.map {
            v4(victim.hardware, FrameBytes.tcp(from: (me.address, 45000), to: (victim.address, $0), flags: 2))
        }
            + [9040, 9050, 9150, 53, 22, 80].flatMap { port in
                [UInt8(0x10), 1, 0, 0x29, 0x12].map { flags in
                    v4(
                        victim.hardware,
                        FrameBytes.tcp(from: (me.address, 45001), to: (victim.address, port), flags: flags))
                }
            }
            // Through the machine: addresses that only it knows, sent to its hardware address.
            + [[10, 77, 0, 1], [10, 77, 0, 2], [127, 0, 0, 1]].flatMap { (address: [UInt8]) in
                [53, 9040, 9050, 9150].map { port in
                    v4(victim.hardware, FrameBytes.tcp(from: (me.address, 45002), to: (address, port), flags: 2))
                }
            }
    }

    /// The same by UDP.
    public var udpScan: [[UInt8]] {
        let ports = [
            7, 19, 53, 67, 68, 69, 111, 123, 137, 161, 500, 520, 546, 631, 1194, 1434, 1900, 4500, 5353, 51820, 60000,
        ]
        return ports.flatMap { port in
            [victim.address, [10, 77, 0, 1], [10, 77, 0, 2]].map { address in
                v4(victim.hardware, FrameBytes.udp(from: (me.address, 45003), to: (address, port), [0, 1, 2, 3]))
            }
        }
    }

    /// LLDP, spanning tree, 802.1X, a loopback test, wake-up calls: what switches and their imitators send.
    public var linkLayer: [[UInt8]] {
        let lldp: [UInt8] = [2, 7, 4] + me.hardware + [4, 3, 7, 0x65, 0x31, 6, 2, 0, 120, 0, 0]
        let bridge: [UInt8] = [0x42, 0x42, 3, 0, 0, 0, 0, 0] + [UInt8](repeating: 0, count: 30)
        let identity: [UInt8] = [1, 0, 0, 5, 1, 1, 0, 5, 1]
        let magic = Self.everybody + (0..<16).flatMap { _ in victim.hardware }
        return [
            FrameBytes.ethernet(0x88CC, to: [1, 0x80, 0xC2, 0, 0, 0x0E], from: me.hardware, lldp),
            FrameBytes.ethernet(bridge.count, to: [1, 0x80, 0xC2, 0, 0, 0], from: me.hardware, bridge),
            FrameBytes.ethernet(0x888E, to: victim.hardware, from: me.hardware, identity),
            FrameBytes.ethernet(0x9000, to: victim.hardware, from: me.hardware, [0, 0, 1, 0] + me.hardware),
            FrameBytes.ethernet(0x0842, to: victim.hardware, from: me.hardware, magic),
            FrameBytes.ethernet(
                0x8100, to: victim.hardware, from: me.hardware,
                [0, 5, 8, 6]
                    + FrameBytes.arp(
                        1, from: (me.hardware, me.address), to: (Self.noHardware, victim.address))),
        ]
    }

    // MARK: Parts

    private func v4(_ to: [UInt8], _ packet: [UInt8]) -> [UInt8] {
        FrameBytes.ethernet(0x0800, to: to, from: me.hardware, packet)
    }

    private func v6(_ to: [UInt8], _ packet: [UInt8]) -> [UInt8] {
        FrameBytes.ethernet(0x86DD, to: to, from: me.hardware, packet)
    }

    private func arp(_ operation: Int, from sender: [UInt8], to target: [UInt8], _ hardware: [UInt8]) -> [UInt8] {
        FrameBytes.ethernet(
            0x0806, to: hardware, from: me.hardware,
            FrameBytes.arp(operation, from: (me.hardware, sender), to: (Self.noHardware, target)))
    }

    /// Where an address's frames go: a group's, everybody's, or the machine's.
    private func hardware(of address: [UInt8]) -> [UInt8] {
        if address[0] & 0xF0 == 0xE0 { return [1, 0, 0x5E, address[1] & 0x7F, address[2], address[3]] }
        return address[3] == 255 ? Self.everybody : victim.hardware
    }

    /// The address that the machine would have by IPv6 (RFC 4291, appendix A).
    private var addressByEUI64: [UInt8] {
        let hardware = victim.hardware
        return [0xFE, 0x80, 0, 0, 0, 0, 0, 0, hardware[0] ^ 2, hardware[1], hardware[2], 0xFF, 0xFE] + hardware[3...]
    }
}

extension IPv4Address {
    var bytes: [UInt8] { [24, 16, 8, 0].map { UInt8(value >> UInt32($0) & 0xFF) } }
}
