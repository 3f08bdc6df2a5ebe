// SPDX-License-Identifier: GPL-3.0-or-later

/// Frames put together byte by byte, with the checksums without which nobody would look at them.
enum FrameBytes {
    static func pair(_ value: Int) -> [UInt8] { [UInt8(value >> 8 & 255), UInt8(value & 255)] }

    static func ethernet(_ type: Int, to: [UInt8], from: [UInt8], _ payload: [UInt8]) -> [UInt8] {
        let frame = to + from + pair(type) + payload
        return frame + [UInt8](repeating: 0, count: max(0, 60 - frame.count))
    }

    /// RFC 1071.
    static func checksum(_ bytes: [UInt8]) -> [UInt8] {
        var sum = 0
        for index in stride(from: 0, to: bytes.count, by: 2) {
            sum += Int(bytes[index]) << 8 + (index + 1 < bytes.count ? Int(bytes[index + 1]) : 0)
        }
        while sum > 0xFFFF { sum = (sum & 0xFFFF) + sum >> 16 }
        return pair(0xFFFF - sum)
    }

    static func ipv4(_ number: UInt8, from: [UInt8], to: [UInt8], ttl: UInt8 = 64, _ payload: [UInt8]) -> [UInt8] {
        var header: [UInt8] = [0x45, 0] + pair(20 + payload.count) + [0x12, 0x34, 0, 0, ttl, number, 0, 0] + from + to
        header.replaceSubrange(10..<12, with: checksum(header))
        return header + payload
    }

    static func udp(from: ([UInt8], Int), to: ([UInt8], Int), ttl: UInt8 = 64, _ payload: [UInt8]) -> [UInt8] {
        var datagram = pair(from.1) + pair(to.1) + pair(8 + payload.count) + [0, 0] + payload
        datagram.replaceSubrange(6..<8, with: checksum(from.0 + to.0 + [0, 17] + pair(datagram.count) + datagram))
        return ipv4(17, from: from.0, to: to.0, ttl: ttl, datagram)
    }

    static func tcp(from: ([UInt8], Int), to: ([UInt8], Int), flags: UInt8) -> [UInt8] {
        var segment = pair(from.1) + pair(to.1) + [1, 2, 3, 4, 0, 0, 0, 0, 0x50, flags, 0xFF, 0xFF, 0, 0, 0, 0]
        segment.replaceSubrange(16..<18, with: checksum(from.0 + to.0 + [0, 6] + pair(segment.count) + segment))
        return ipv4(6, from: from.0, to: to.0, segment)
    }

    static func icmp(from: [UInt8], to: [UInt8], _ type: UInt8, _ code: UInt8, _ rest: [UInt8]) -> [UInt8] {
        var message = [type, code, 0, 0] + rest
        message.replaceSubrange(2..<4, with: checksum(message))
        return ipv4(1, from: from, to: to, message)
    }

    static func ipv6(_ number: UInt8, from: [UInt8], to: [UInt8], hops: UInt8 = 255, _ payload: [UInt8]) -> [UInt8] {
        [0x60, 0, 0, 0] + pair(payload.count) + [number, hops] + from + to + payload
    }

    static func icmpv6(from: [UInt8], to: [UInt8], _ type: UInt8, _ rest: [UInt8]) -> [UInt8] {
        var message = [type, 0, 0, 0] + rest
        let pseudo = from + to + [0, 0] + pair(message.count) + [0, 0, 0, 58]
        message.replaceSubrange(2..<4, with: checksum(pseudo + message))
        return ipv6(58, from: from, to: to, message)
    }

    static func udpv6(from: ([UInt8], Int), to: ([UInt8], Int), _ payload: [UInt8]) -> [UInt8] {
        var datagram = pair(from.1) + pair(to.1) + pair(8 + payload.count) + [0, 0] + payload
        let pseudo = from.0 + to.0 + [0, 0] + pair(datagram.count) + [0, 0, 0, 17]
        datagram.replaceSubrange(6..<8, with: checksum(pseudo + datagram))
        return ipv6(17, from: from.0, to: to.0, datagram)
    }

    static func arp(_ operation: Int, from: ([UInt8], [UInt8]), to: ([UInt8], [UInt8])) -> [UInt8] {
        [0, 1, 8, 0, 6, 4] + pair(operation) + from.0 + from.1 + to.0 + to.1
    }

    /// A question in DNS's form for one name.
    static func question(_ name: String, type: Int) -> [UInt8] {
        let labels = name.split(separator: ".").flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) }
        return [0x12, 0x34, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0] + labels + [0] + pair(type) + [0, 1]
    }
}
