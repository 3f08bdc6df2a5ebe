// SPDX-License-Identifier: GPL-3.0-or-later

/// Names for what is not on the allow-list: they help a person to find the program that sent it, and never let it pass.
extension Opinion {
    static func ipv4(_ packet: IPv4Packet) -> Opinion {
        if packet.isFragment {
            return Opinion(.fragment, "\(packet.source) → \(packet.destination), protocol \(packet.protocolNumber)")
        }
        return ip(packet.transport, packet.protocolNumber, "\(packet.source)", "\(packet.destination)")
    }

    static func ipv6(_ packet: IPv6Packet) -> Opinion {
        let line = "\(packet.source) → \(packet.destination)"
        switch packet.transport {
        case .icmp(133, _, _) where packet.protocolNumber == 58: return Opinion(.ipv6RouterSolicitation, line)
        case .icmp(134...137, _, _) where packet.protocolNumber == 58: return Opinion(.ipv6NeighbourDiscovery, line)
        case .icmp(let type, _, _) where packet.protocolNumber == 58 && [130, 131, 132, 143].contains(type):
            return Opinion(.ipv6ListenerReport, line)
        case .icmp, .tcp, .udp:
            var opinion = ip(packet.transport, packet.protocolNumber, "[\(packet.source)]", "[\(packet.destination)]")
            opinion.add(.ipv6, line)
            return opinion
        case .other, .malformed:
            return Opinion(.ipv6, "\(line), protocol \(packet.protocolNumber)")
        }
    }

    private static func ip(_ transport: Transport, _ number: UInt8, _ source: String, _ destination: String) -> Opinion
    {
        switch transport {
        case .udp(let datagram):
            Opinion(udp(datagram), "\(source):\(datagram.sourcePort) → \(destination):\(datagram.destinationPort)")
        case .tcp(let segment):
            Opinion(
                tcp(segment),
                "\(source):\(segment.sourcePort) → \(destination):\(segment.destinationPort)"
                    + (segment.payload.isEmpty ? "" : " '\(printable(segment.payload))'"))
        case .icmp(let type, let code, _):
            Opinion(.icmp, "\(source) → \(destination), type \(type), code \(code)")
        case .other: Opinion(number == 2 ? .igmp : .otherProtocol, "\(source) → \(destination), protocol \(number)")
        case .malformed(let reason): Opinion(.malformed, "\(source) → \(destination): \(reason)")
        }
    }

    private static func udp(_ datagram: UDPDatagram) -> Finding.Kind {
        // STUN's cookie (RFC 8489) tells it on whatever port.
        if datagram.payload.count >= 20, datagram.payload[4..<8].elementsEqual([0x21, 0x12, 0xA4, 0x42]) {
            return .stun
        }
        return switch datagram.destinationPort {
        case 53: .dns
        case 67, 68: .dhcpOther
        case 80, 443: .quic
        case 123: .ntp
        case 137, 138: .netbios
        case 546, 547: .dhcpV6
        case 853: .dnsOverTLS
        case 1900: .ssdp
        case 3478, 3479, 5349, 19302: .stun
        case 3702: .webServiceDiscovery
        case 5353: .mdns
        case 5355: .llmnr
        default: .otherUDP
        }
    }

    private static func tcp(_ segment: TCPSegment) -> Finding.Kind {
        let methods = ["GET ", "HEAD ", "POST ", "PUT ", "CONNECT ", "OPTIONS "]
        if methods.contains(where: { segment.payload.starts(with: $0.utf8) }) { return .plainHTTP }
        return switch segment.destinationPort {
        case 53: .dns
        case 80: .plainHTTP
        case 137, 139: .netbios
        case 853: .dnsOverTLS
        case 5353: .mdns
        case 5355: .llmnr
        default: .otherTCP
        }
    }
}
