// SPDX-License-Identifier: GPL-3.0-or-later
import Foundation
import SystemPackage
import Testbed
import Testing

/// What the local network sees of a session, and what it cannot do to it.
extension SystemTests.Session {
    @Test("each network card has a random hardware address, is in the firewall's set, and the user is told")
    func interfaces() async throws {
        let report = try await output("cat /run/needletail/interfaces/eth0")
        let lines = report.split(separator: "\n").map(String.init)
        #expect(lines.contains("result=randomised") && lines.contains("policy=random"), "\(report)")
        #expect(lines.contains("name=eth0") && lines.contains("driver=e1000e"), "\(report)")
        #expect(try await output("stat -c %U%a /run/needletail/interfaces/eth0") == "root644")
        #expect(try await output("nft list set inet needletail interfaces").contains("\"eth0\""))
        let link = try await output("ip -o link show eth0")
        let burnt = "52:54:00:4e:54:01"
        #expect(link.contains("permaddr \(burnt)") && !link.contains("link/ether \(burnt)"), "\(link)")
        #expect(try await output("NetworkManager --print-config | grep cloned-mac | sort -u").contains("=random"))
    }

    @Test("the user finds the card's own address nowhere")
    func ownAddressIsHidden() async throws {
        let search =
            "grep -rlsIi -e 52:54:00:4e:54:01 -e 5254004e5401 /run/udev /run/needletail /run/systemd /run/NetworkManager /proc/net /var/lib /etc"
        #expect(try await asUser("\(search); true").output.isEmpty)
        #expect(try await asUser("cat /sys/class/net/*/address").output.contains("52:54:00:4e:54:01") == false)
        // The detector: root finds it in the kernel's log.
        #expect(try await output("dmesg | grep -ci 52:54:00:4e:54:01 || true") != "0")
    }

    @Test("a neighbour who scans, questions and misleads gets no answer, and pages still come through Tor")
    func neighbour() async throws {
        let trial = try session()
        let lease = try #require(try trial.network.router.leases().last)
        let sender = try await FrameSender(in: trial.network.sandbox)
        let before = try PcapFile(readingFrom: trial.capture.fromGuest).frames.count
        let heard = try PcapFile(readingFrom: trial.capture.toGuest).frames.count
        let neighbour = HostileNeighbour(
            of: try #require(MACAddress(lease.hardwareAddress)), at: try #require(IPv4Address(lease.address)),
            router: (try #require(MACAddress("02:00:5e:00:02:01")), try #require(IPv4Address(Address.router))),
            attacker: try #require(IPv4Address(LocalNetwork.attacker)))
        try await sender.send(neighbour.everything)
        try await sender.send(neighbour.everything)
        try await Task.sleep(for: .seconds(3))
        await sender.stop()
        // They arrived …
        #expect(try PcapFile(readingFrom: trial.capture.toGuest).frames.count - heard > 800)
        // … and nothing came back to the neighbour but "this address is mine". Who says on a local network that he is the
        // router is believed, there is no proof either way; what he gets of it is Tor's own connections, encrypted, to relays.
        let relays = Set(trial.tor.relays.compactMap { IPv4Address($0.address) })
        let answers = try PcapFile(readingFrom: trial.capture.fromGuest).frames.dropFirst(before).filter {
            Frame($0.bytes)?.destination == HostileNeighbour.hardware
        }
        for answer in answers {
            if case .ipv4(let packet)? = Frame(answer.bytes)?.content, relays.contains(packet.destination) { continue }
            guard case .arp(let message)? = Frame(answer.bytes)?.content else {
                Issue.record("The machine answered: \(answer.bytes.map { String($0, radix: 16) })")
                continue
            }
            #expect("\(message.sender)" == lease.address, "\(message)")
        }
        #expect(try await output("ip -6 addr; ip -6 route; ip route | grep \(LocalNetwork.attacker) || true") == "")
        #expect(trial.tor.exitAddresses.contains(try await trial.fetchPage()))
    }

    @Test("asking for an address tells the network nothing: the same few options as everybody")
    func addressRequest() async throws {
        let frames = try PcapFile(readingFrom: session().capture.fromGuest).frames
        var kinds: Set<UInt8> = []
        for frame in frames {
            guard let content = Frame(frame.bytes), case .ipv4(let packet) = content.content,
                case .udp(let datagram) = packet.transport, datagram.destinationPort == 67,
                let message = DHCPMessage(datagram.payload)
            else { continue }
            kinds.insert(message.kind ?? 0)
            print("DHCP \(message.kind ?? 0):", message.options.map { "\($0.code)=\($0.value)" }.joined(separator: " "))
            #expect(message.strayBytes.isEmpty)
            #expect(Set(message.options.map(\.code)).isSubset(of: [50, 53, 54, 55, 57]), "\(message.options)")
        }
        #expect(kinds.isSuperset(of: [1, 3]))
    }
}
