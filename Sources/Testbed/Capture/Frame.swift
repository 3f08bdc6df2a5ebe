// SPDX-License-Identifier: GPL-3.0-or-later

/// A frame taken apart, as far as its bytes make sense.
///
/// Parsing never fails as a whole: what cannot be understood becomes `.malformed` or `.other`, so that a judge that only
/// lets pass what it knows catches it.
public struct Frame: Sendable, Hashable {
    /// To whom.
    public let destination: MACAddress
    /// From whom.
    public let source: MACAddress
    /// The tags of virtual networks, outermost first (their lower 12 bits).
    public let vlans: [UInt16]
    /// The number that tells the kind of what is inside.
    public let etherType: UInt16
    /// What is inside.
    public let content: Content
    /// Bytes after what is inside: padding, or something hidden.
    public let trailer: [UInt8]

    /// What a frame carries.
    public enum Content: Sendable, Hashable {
        /// A question for, or an answer with, a neighbour's address.
        case arp(ARPMessage)
        /// Internet, version 4.
        case ipv4(IPv4Packet)
        /// Internet, version 6.
        case ipv6(IPv6Packet)
        /// 802.3 with a length instead of a type (spanning tree, IS-IS, NetBIOS frames …).
        case lengthEncoded([UInt8])
        /// A type that is not taken apart.
        case other([UInt8])
        /// Bytes that contradict themselves; the reason ends a sentence.
        case malformed(String)
    }

    /// Takes a frame apart; `nil` when it is too short to have addresses and a type.
    public init?(_ bytes: some Collection<UInt8>) {
        var cursor = ByteCursor(bytes)
        guard let to = cursor.take(6).flatMap({ MACAddress($0) }),
            let from = cursor.take(6).flatMap({ MACAddress($0) }),
            var type = cursor.big16()
        else { return nil }
        var vlans: [UInt16] = []
        // 802.1Q, 802.1ad and the older numbers for stacked tags.
        while [0x8100, 0x88A8, 0x9100, 0x9200].contains(type), let tag = cursor.big16(), let next = cursor.big16() {
            vlans.append(tag & 0x0FFF)
            type = next
        }
        destination = to
        source = from
        self.vlans = vlans
        etherType = type
        (content, trailer) = Self.parse(type: type, cursor: cursor)
    }

    private static func parse(type: UInt16, cursor: ByteCursor) -> (Content, [UInt8]) {
        var cursor = cursor
        switch type {
        case 0x0806:
            guard let message = ARPMessage(&cursor) else {
                return (.malformed("an ARP message that is cut or odd"), [])
            }
            return (.arp(message), Array(cursor.rest))
        case 0x0800:
            switch IPv4Packet.parse(&cursor) {
            case .success(let packet): return (.ipv4(packet), Array(cursor.rest))
            case .failure(let flaw): return (.malformed(flaw.reason), [])
            }
        case 0x86DD:
            switch IPv6Packet.parse(&cursor) {
            case .success(let packet): return (.ipv6(packet), Array(cursor.rest))
            case .failure(let flaw): return (.malformed(flaw.reason), [])
            }
        case 0...1535: return (.lengthEncoded(Array(cursor.rest)), [])
        default: return (.other(Array(cursor.rest)), [])
        }
    }
}

/// Why bytes are not the packet that they claim to be, as the end of a sentence.
struct Flaw: Error {
    let reason: String
    init(_ reason: String) { self.reason = reason }
}

/// ARP between Ethernet and version 4 addresses (RFC 826).
public struct ARPMessage: Sendable, Hashable {
    /// 1: who has; 2: a reply.
    public let operation: UInt16
    /// Who says it.
    public let senderHardware: MACAddress
    /// The sender's address; 0.0.0.0 in a probe.
    public let sender: IPv4Address
    /// Who is meant, zero in a question.
    public let targetHardware: MACAddress
    /// The address that is asked for.
    public let target: IPv4Address

    init?(_ cursor: inout ByteCursor) {
        guard cursor.big16() == 1, cursor.big16() == 0x0800, cursor.byte() == 6, cursor.byte() == 4,
            let operation = cursor.big16(),
            let senderHardware = cursor.take(6).flatMap({ MACAddress($0) }), let sender = cursor.big32(),
            let targetHardware = cursor.take(6).flatMap({ MACAddress($0) }), let target = cursor.big32()
        else { return nil }
        self.operation = operation
        self.senderHardware = senderHardware
        self.sender = IPv4Address(sender)
        self.targetHardware = targetHardware
        self.target = IPv4Address(target)
    }
}
