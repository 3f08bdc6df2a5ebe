// SPDX-License-Identifier: GPL-3.0-or-later

/// A packet of the Internet's version 4 (RFC 791).
public struct IPv4Packet: Sendable, Hashable {
    /// From whom.
    public let source: IPv4Address
    /// To whom.
    public let destination: IPv4Address
    /// The protocol's number.
    public let protocolNumber: UInt8
    /// The header's options, undecoded.
    public let options: [UInt8]
    /// Whether the packet is a piece of a larger one (the first piece included).
    public let isFragment: Bool
    /// What it carries; a piece of a larger packet is `.other`.
    public let transport: Transport

    static func parse(_ cursor: inout ByteCursor) -> Result<IPv4Packet, Flaw> {
        guard let first = cursor.rest.first else { return .failure(Flaw("an empty IPv4 packet")) }
        let header = Int(first & 0x0F) * 4
        guard first >> 4 == 4 else { return .failure(Flaw("an IPv4 packet with version \(first >> 4)")) }
        guard header >= 20, var fields = cursor.take(header).map({ ByteCursor($0) }), fields.take(2) != nil,
            let total = fields.big16(), fields.take(2) != nil, let fragment = fields.big16(), fields.byte() != nil,
            let number = fields.byte(), fields.take(2) != nil, let source = fields.big32(),
            let destination = fields.big32()
        else { return .failure(Flaw("an IPv4 header that is cut")) }
        guard let payload = cursor.take(Int(total) - header) else {
            return .failure(Flaw("an IPv4 packet whose length of \(total) bytes cannot be"))
        }
        // More-fragments flag, or an offset.
        let isFragment = fragment & 0x3FFF != 0
        return .success(
            IPv4Packet(
                source: IPv4Address(source), destination: IPv4Address(destination), protocolNumber: number,
                options: Array(fields.rest), isFragment: isFragment,
                transport: isFragment ? .other(Array(payload)) : Transport(number, payload)))
    }
}

/// A packet of the Internet's version 6 (RFC 8200).
public struct IPv6Packet: Sendable, Hashable {
    /// From whom.
    public let source: IPv6Address
    /// To whom.
    public let destination: IPv6Address
    /// The number of the protocol after all extension headers.
    public let protocolNumber: UInt8
    /// The numbers of the extension headers that were walked through.
    public let extensions: [UInt8]
    /// What it carries; a piece of a larger packet is `.other`.
    public let transport: Transport

    static func parse(_ cursor: inout ByteCursor) -> Result<IPv6Packet, Flaw> {
        guard let first = cursor.big32(), let length = cursor.big16(), var next = cursor.byte(), cursor.byte() != nil,
            let source = cursor.take(16).flatMap({ IPv6Address($0) }),
            let destination = cursor.take(16).flatMap({ IPv6Address($0) })
        else { return .failure(Flaw("an IPv6 header that is cut")) }
        guard first >> 28 == 6 else { return .failure(Flaw("an IPv6 packet with version \(first >> 28)")) }
        guard var payload = cursor.take(Int(length)).map({ ByteCursor($0) }) else {
            return .failure(Flaw("an IPv6 packet whose length of \(length) bytes cannot be"))
        }
        var extensions: [UInt8] = []
        var isFragment = false
        // Hop-by-hop, routing, destination options and fragment: the next header's number, then a length in 8 bytes.
        while [0, 43, 44, 60].contains(next), !isFragment {
            extensions.append(next)
            isFragment = next == 44
            guard let following = payload.byte(), let eights = payload.byte(),
                payload.take(isFragment ? 6 : Int(eights) * 8 + 6) != nil
            else { return .failure(Flaw("an IPv6 extension header that is cut")) }
            next = following
        }
        return .success(
            IPv6Packet(
                source: source, destination: destination, protocolNumber: next, extensions: extensions,
                transport: isFragment ? .other(Array(payload.rest)) : Transport(next, payload.rest)))
    }
}

/// What a packet carries.
public enum Transport: Sendable, Hashable {
    /// A datagram.
    case udp(UDPDatagram)
    /// A piece of a connection.
    case tcp(TCPSegment)
    /// A control message: version 4's when the protocol is 1, version 6's when it is 58.
    case icmp(type: UInt8, code: UInt8, payload: [UInt8])
    /// A protocol that is not taken apart, or a piece of a larger packet.
    case other([UInt8])
    /// Bytes that contradict themselves; the reason ends a sentence.
    case malformed(String)

    init(_ number: UInt8, _ bytes: ArraySlice<UInt8>) {
        var cursor = ByteCursor(bytes)
        switch number {
        case 1, 58:
            if let type = cursor.byte(), let code = cursor.byte(), cursor.take(2) != nil {
                self = .icmp(type: type, code: code, payload: Array(cursor.rest))
            } else {
                self = .malformed("an ICMP message that is cut")
            }
        case 6: self = TCPSegment(cursor).map { .tcp($0) } ?? .malformed("a TCP header that is cut")
        case 17: self = UDPDatagram(cursor).map { .udp($0) } ?? .malformed("a UDP datagram whose length cannot be")
        default: self = .other(Array(bytes))
        }
    }
}

/// A datagram (RFC 768).
public struct UDPDatagram: Sendable, Hashable {
    /// The sender's port.
    public let sourcePort: UInt16
    /// The receiver's port.
    public let destinationPort: UInt16
    /// The data.
    public let payload: [UInt8]
    /// Bytes between the datagram's end and the packet's: something hidden.
    public let trailer: [UInt8]

    init?(_ bytes: ByteCursor) {
        var cursor = bytes
        guard let from = cursor.big16(), let to = cursor.big16(), let length = cursor.big16(), cursor.big16() != nil,
            let payload = cursor.take(Int(length) - 8)
        else { return nil }
        sourcePort = from
        destinationPort = to
        self.payload = Array(payload)
        trailer = Array(cursor.rest)
    }
}

/// A piece of a TCP connection (RFC 9293).
public struct TCPSegment: Sendable, Hashable {
    /// The sender's port.
    public let sourcePort: UInt16
    /// The receiver's port.
    public let destinationPort: UInt16
    /// The number of the first byte.
    public let sequence: UInt32
    /// FIN 1, SYN 2, RST 4, PSH 8, ACK 16, URG 32.
    public let flags: UInt8
    /// The kinds of the header's options, in order, without padding.
    public let optionKinds: [UInt8]
    /// The data.
    public let payload: [UInt8]

    /// Whether it tells the sender's uptime to anyone on the way (option 8).
    public var hasTimestamp: Bool { optionKinds.contains(8) }

    init?(_ bytes: ByteCursor) {
        var cursor = bytes
        guard let from = cursor.big16(), let to = cursor.big16(), let sequence = cursor.big32(), cursor.big32() != nil,
            let offset = cursor.byte(), let flags = cursor.byte(), cursor.take(6) != nil,
            var options = cursor.take(Int(offset >> 4) * 4 - 20).map({ ByteCursor($0) })
        else { return nil }
        var kinds: [UInt8] = []
        while let kind = options.byte(), kind != 0 {
            if kind == 1 { continue }
            kinds.append(kind)
            guard let length = options.byte(), options.take(Int(length) - 2) != nil else { break }
        }
        sourcePort = from
        destinationPort = to
        self.sequence = sequence
        self.flags = flags
        optionKinds = kinds
        payload = Array(cursor.rest)
    }
}
