// SPDX-License-Identifier: GPL-3.0-or-later
import Testing

@testable import Testbed

/// A frame that must be caught, and as what.
struct Leak: Sendable, CustomTestStringConvertible {
    let kind: Finding.Kind
    let frame: [UInt8]
    var line = ""
    var testDescription: String { "\(kind.rawValue) \(line)" }

    init(_ kind: Finding.Kind, _ frame: [UInt8], _ line: String = "") {
        self.kind = kind
        self.frame = frame
        self.line = line
    }

    static func udp(_ kind: Finding.Kind, _ port: Int, _ payload: [UInt8] = [1, 2, 3, 4]) -> Leak {
        Leak(kind, Craft.ip(Craft.ipv4(17, Craft.udp(port, payload), destination: Craft.web)), "\(port)/udp")
    }
    static func tcp(_ kind: Finding.Kind, _ port: Int, _ payload: String = "", to: [UInt8] = Craft.web) -> Leak {
        Leak(kind, Craft.ip(Craft.ipv4(6, Craft.tcp(port, Array(payload.utf8)), destination: to)), "\(port)/tcp")
    }
    static func dhcp(_ kind: Finding.Kind, _ message: [UInt8], _ line: String) -> Leak {
        Leak(kind, Craft.dhcp(message), line)
    }
    static func icmp6(_ kind: Finding.Kind, _ type: UInt8) -> Leak {
        Leak(kind, Craft.ip(Craft.ipv6(58, [type, 0, 0, 0, 0, 0, 0, 0])), "type \(type)")
    }

    static let services: [Leak] = [
        .udp(.dns, 53), .tcp(.dns, 53), .tcp(.dnsOverTLS, 853), .udp(.dnsOverTLS, 853), .udp(.ntp, 123),
        .udp(.mdns, 5353), .udp(.llmnr, 5355), .udp(.netbios, 137), .udp(.ssdp, 1900), .udp(.webServiceDiscovery, 3702),
        .udp(.quic, 443), .udp(.stun, 3478), .udp(.dhcpV6, 547), .udp(.otherUDP, 51820), .udp(.dhcpOther, 67),
        .udp(.stun, 50000, [0, 1, 0, 0, 0x21, 0x12, 0xA4, 0x42] + [UInt8](repeating: 7, count: 12)),
        .tcp(.plainHTTP, 80), .tcp(.plainHTTP, 8080, "GET /check HTTP/1.1\r\n"), .tcp(.otherTCP, 443),
        .tcp(.otherTCP, 9001), .tcp(.otherTCP, 9002, to: Craft.relay), .tcp(.otherTCP, 9001, to: Craft.gateway),
    ]
    static let packets: [Leak] = [
        Leak(.icmp, Craft.ip(Craft.ipv4(1, [8, 0, 0, 0, 1, 2, 3, 4]))),
        Leak(.igmp, Craft.ip(Craft.ipv4(2, [0x16, 0, 0, 0, 224, 0, 0, 251], destination: [224, 0, 0, 251]))),
        Leak(.otherProtocol, Craft.ip(Craft.ipv4(132, [1, 2, 3, 4])), "SCTP"),
        Leak(.otherProtocol, Craft.ip(Craft.ipv4(47, [1, 2, 3, 4])), "GRE"),
        Leak(.fragment, Craft.ip(Craft.ipv4(6, Craft.tcp(9001), fragment: 0x2000)), "first piece, to a relay"),
        Leak(.fragment, Craft.ip(Craft.ipv4(6, Craft.tcp(9001), fragment: 0x0007)), "later piece, to a relay"),
        Leak(.ipOptions, Craft.ip(Craft.ipv4(6, Craft.tcp(9001), options: [7, 4, 4, 0])), "record route"),
        Leak(.sourceAddress, Craft.ip(Craft.ipv4(6, Craft.tcp(9001), source: [10, 0, 0, 9])), "another network's"),
        Leak(.sourceAddress, Craft.ip(Craft.ipv4(6, Craft.tcp(9001), source: Craft.gateway)), "the router's"),
        Leak(.malformed, Craft.ip(Array(Craft.ipv4(6, Craft.tcp(9001)).dropLast(4))), "shorter than it says"),
        Leak(.malformed, Craft.ip(Craft.ipv4(6, [1, 2, 3])), "no TCP header"),
        Leak(.malformed, [1, 2, 3], "no header"),
        Leak(.strayBytes, Craft.ip(Craft.ipv4(6, Craft.tcp(9001)) + Array("hidden".utf8)), "after the packet"),
        .icmp6(.ipv6RouterSolicitation, 133), .icmp6(.ipv6NeighbourDiscovery, 135),
        .icmp6(.ipv6NeighbourDiscovery, 136),
        .icmp6(.ipv6ListenerReport, 143), .icmp6(.icmp, 128),
        Leak(
            .ipv6ListenerReport, Craft.ip(Craft.ipv6(0, [58, 0, 5, 2, 0, 0, 1, 0, 143, 0, 0, 0, 0, 0, 0, 0])),
            "behind a hop-by-hop header"),
        Leak(.ipv6, Craft.ip(Craft.ipv6(6, Craft.tcp(9001)))), Leak(.ipv6, Craft.ip(Craft.ipv6(59, []))),
        Leak(.mdns, Craft.ip(Craft.ipv6(17, Craft.udp(5353))), "IPv6"),
        Leak(.lldp, Craft.ethernet(0x88CC, [2, 7, 4, 1, 2, 3, 4, 5, 6])),
        Leak(.unknownEtherType, Craft.ethernet(0x888E, [1, 1, 0, 0]), "802.1X"),
        Leak(.unknownEtherType, Craft.ethernet(0x8863, [0x11, 9, 0, 0]), "PPPoE"),
        Leak(.logicalLink, Craft.ethernet(38, [0x42, 0x42, 3]), "spanning tree"),
        Leak(.vlan, Craft.ethernet(0x8100, [0, 7, 8, 0] + Craft.ipv4(6, Craft.tcp(9001)))),
        Leak(.arp, Craft.arp(1, target: [192, 0, 2, 99]), "asks for a neighbour"),
        Leak(.arp, Craft.arp(1, sender: [0, 0, 0, 0], target: [169, 254, 3, 4]), "link-local"),
        Leak(.arp, Craft.arp(2, sender: Craft.gateway, target: [192, 0, 2, 99]), "plays the router"),
        Leak(.arp, Craft.arp(1, target: Craft.gateway, hardware: [2, 9, 9, 9, 9, 9]), "in another's name"),
        Leak(.arp, Craft.arp(3, target: Craft.gateway), "reverse ARP"),
    ]
    static let dhcp: [Leak] = [
        .dhcp(.dhcpHostName, Craft.dhcpMessage([Craft.option(12, Array("laptop".utf8))]), "host name"),
        .dhcp(.dhcpHostName, Craft.dhcpMessage([Craft.option(81, [0, 0, 0] + Array("laptop".utf8))]), "full name"),
        .dhcp(.dhcpVendorClass, Craft.dhcpMessage([Craft.option(60, Array("dhcpcd-5".utf8))]), "vendor class"),
        .dhcp(.dhcpClientIdentifier, Craft.dhcpMessage([Craft.option(61, [255, 1, 2, 3, 4, 0, 2, 9])]), "DUID"),
        .dhcp(.dhcpOption, Craft.dhcpMessage([Craft.option(93, [0, 7])]), "client's architecture"),
        .dhcp(
            .dhcpHostName,
            Craft.dhcpMessage([Craft.option(52, [2])], serverName: Craft.option(12, Array("laptop".utf8)) + [255]),
            "host name hidden in the server name's field"),
        .dhcp(.strayBytes, Craft.dhcpMessage(serverName: Array("laptop".utf8)), "server name without option 52"),
        .dhcp(.strayBytes, Craft.dhcpMessage() + Array("laptop".utf8), "after the end"),
        .dhcp(.dhcpOther, Craft.dhcpMessage(hardware: [2, 9, 9, 9, 9, 9]), "another's hardware address"),
        .dhcp(.dhcpOther, Craft.dhcpMessage(kind: 2), "plays the server"),
        .dhcp(.dhcpOther, Array("not DHCP at all".utf8), "something else"),
        Leak(.dhcpOther, Craft.dhcp(Craft.dhcpMessage(), destination: Craft.web), "to a web server"),
        Leak(.sourceAddress, Craft.dhcp(Craft.dhcpMessage(), source: [10, 0, 0, 9]), "from another network"),
    ]
}

@Suite("The judge of captured frames")
struct CaptureJudgeTests {
    let judge = Judge(allowList: Craft.network())

    @Test("what a well-behaved guest sends is allowed and counted by kind")
    func allowed() {
        let verdict = judge.verdict(on: Craft.capture(Craft.good))
        #expect(verdict.findings == [])
        #expect(verdict.allowed == ["DHCP": 3, "ARP": 4, "Tor": 3])
        #expect(verdict.frames == 10)
        #expect("\(verdict)".contains("Nothing else left the guest."))
    }

    @Test("each leak is caught by its name, among good frames", arguments: Leak.services + Leak.packets + Leak.dhcp)
    func caught(_ leak: Leak) throws {
        let verdict = judge.verdict(on: Craft.capture(Craft.good + [leak.frame]))
        #expect(verdict.findingsByKind[leak.kind] == 1, "\(verdict)")
        #expect(!verdict.isClean)
        #expect(verdict.allowed.values.reduce(0, +) == Craft.good.count)
        let finding = try #require(verdict.findings.first)
        #expect(finding.seconds == 2.5)
        #expect(finding.nanoseconds == 1_800_000_002_500_000_000)
        #expect("\(verdict)".contains("+2.500 s"))
    }

    @Test("every kind of finding is shown to be found by some test")
    func nothingUntested() {
        let here: Set<Finding.Kind> = [.captureIncomplete, .hardwareAddress, .identity, .tcpTimestamp]
        let crafted = Set((Leak.services + Leak.packets + Leak.dhcp).map(\.kind))
        #expect(here.union(crafted) == Set(Finding.Kind.allCases))
    }

    @Test("every IP protocol but TCP to a relay and DHCP is caught", arguments: [4, 6])
    func protocols(version: Int) {
        for number in UInt8.min...UInt8.max where version == 6 || number != 6 {
            let payload = [UInt8](repeating: 0, count: 40)
            let packet = version == 4 ? Craft.ipv4(number, payload) : Craft.ipv6(number, payload)
            #expect(!judge.verdict(on: Craft.capture([Craft.ip(packet)])).isClean, "protocol \(number)")
        }
    }

    @Test("the hardware's address is found in headers, in payloads and in every spelling")
    func hardwareAddress() {
        let burnt: [UInt8] = [0x52, 0x54, 0x00, 0xAB, 0xCD, 0xEF]
        var judge = judge
        judge.hardwareAddresses = [MACAddress("52:54:00:ab:cd:ef")!]
        func payload(_ bytes: [UInt8]) -> [UInt8] { Craft.ip(Craft.ipv4(6, Craft.tcp(9001, bytes, flags: 24))) }
        let frames = [
            Craft.ethernet(0x0800, Craft.ipv4(6, Craft.tcp(9001)), from: burnt),
            Craft.arp(2, target: Craft.gateway, hardware: burnt),
            Craft.dhcp(Craft.dhcpMessage([Craft.option(61, [1] + burnt)])),
            payload(burnt), payload(Array("52:54:00:AB:CD:EF".utf8)), payload(Array("52-54-00-ab-cd-ef".utf8)),
            payload(Array("525400abcdef".utf8)), payload(Array("5254.00ab.cdef".utf8)),
            payload([0x50, 0x54, 0x00, 0xFF, 0xFE, 0xAB, 0xCD, 0xEF]),
        ]
        for frame in frames {
            #expect(judge.verdict(on: Craft.capture([frame])).findingsByKind[.hardwareAddress] == 1)
        }
        #expect(judge.verdict(on: Craft.capture(Craft.good)).isClean)
        // Without the check the same frame from a relay's client passes: it is the check that finds it.
        #expect(self.judge.verdict(on: Craft.capture([frames[0]])).isClean)
    }

    @Test("names of host and user are found in whatever case, also as UTF-16")
    func identity() {
        var judge = judge
        judge.words = ["Margaret", "amy"]
        func relay(_ text: String) -> [CapturedFrame] {
            Craft.capture([Craft.ip(Craft.ipv4(6, Craft.tcp(9001, Array(text.utf8), flags: 24)))])
        }
        #expect(judge.verdict(on: relay("x MARGARET x")).findingsByKind == [.identity: 1])
        #expect(judge.verdict(on: relay("m\0a\0r\0g\0a\0r\0e\0t\0")).findingsByKind == [.identity: 1])
        #expect(judge.verdict(on: relay("x Amy x")).isClean, "short words are chance in encrypted bytes")
        let name = Craft.dhcp(Craft.dhcpMessage([Craft.option(55, Array("AMY".utf8))]))
        #expect(judge.verdict(on: Craft.capture([name])).findingsByKind == [.identity: 1])
    }

    @Test("TCP timestamps are found when they are forbidden")
    func timestamps() {
        var judge = judge
        let stamp: [UInt8] = [1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0]
        let frames = Craft.capture([Craft.ip(Craft.ipv4(6, Craft.tcp(9001, options: stamp)))])
        #expect(judge.verdict(on: frames).isClean)
        judge.forbidsTCPTimestamps = true
        #expect(judge.verdict(on: frames).findingsByKind == [.tcpTimestamp: 1])
    }

    @Test("a frame that the capture cut is no evidence")
    func cutFrame() {
        let frame = CapturedFrame(bytes: Craft.good[7], originalLength: 1500)
        #expect(judge.verdict(on: [frame]).findingsByKind == [.captureIncomplete: 1])
    }

    @Test("frames of the host's side are not judged, and only they")
    func sides() {
        let answer = Craft.ethernet(0x0800, Craft.ipv4(17, Craft.udp(68)), to: Craft.guest, from: Craft.router)
        var judge = judge
        judge.guestFrames = .notFrom([MACAddress(Craft.router)!])
        let verdict = judge.verdict(on: Craft.capture(Craft.good + [answer]))
        #expect(verdict.isClean)
        #expect(verdict.ignored == 1)
        judge.guestFrames = .from([MACAddress(Craft.guest)!])
        #expect(judge.verdict(on: Craft.capture(Craft.good + [answer])).isClean)
        judge.guestFrames = .all
        #expect(!judge.verdict(on: Craft.capture(Craft.good + [answer])).isClean)
    }

    @Test("a list without an exception catches what that exception would let pass")
    func smallerList() {
        for (index, name) in ["DHCP", "ARP", "Tor"].enumerated() {
            var list = Craft.network()
            list.exceptions.remove(at: index)
            let verdict = Judge(allowList: list).verdict(on: Craft.capture(Craft.good))
            #expect(verdict.allowed[name] == nil)
            #expect(verdict.findings.count >= 3)
        }
    }

    @Test("tcpdump's last words tell what it missed", arguments: [("4 packets dropped by kernel\n", 4), ("", nil)])
    func dropped(log: String, count: Int?) {
        #expect(
            FrameCapture.droppedFrames(inLog: "12 packets captured\n12 packets received by filter\n\(log)") == count)
        #expect(
            FrameCapture.droppedFrames(inLog: "0 packets dropped by kernel\n3 packets dropped by interface") == 3)
    }
}
