// SPDX-License-Identifier: GPL-3.0-or-later
import Foundation

@testable import Testbed

/// Crafts frames byte by byte, by the RFCs and not with the parser under test.
enum Craft {
    static let guest: [UInt8] = [0x02, 0x11, 0x22, 0x33, 0x44, 0x55]
    static let router: [UInt8] = [0x02, 0xAA, 0xAA, 0xAA, 0xAA, 0x01]
    static let everybody = [UInt8](repeating: 0xFF, count: 6)
    static let address: [UInt8] = [192, 0, 2, 57]
    static let gateway: [UInt8] = [192, 0, 2, 1]
    static let relay: [UInt8] = [198, 51, 100, 7]
    static let web: [UInt8] = [203, 0, 113, 80]

    static func pair(_ value: Int) -> [UInt8] { [UInt8(value >> 8 & 255), UInt8(value & 255)] }

    static func ethernet(
        _ type: Int, _ payload: [UInt8], to: [UInt8] = router, from: [UInt8] = guest
    ) -> [UInt8] { to + from + pair(type) + payload }

    static func arp(
        _ operation: Int, sender: [UInt8] = address, target: [UInt8], hardware: [UInt8] = guest, from: [UInt8] = guest
    ) -> [UInt8] {
        ethernet(
            0x0806, [0, 1, 8, 0, 6, 4] + pair(operation) + hardware + sender + [0, 0, 0, 0, 0, 0] + target,
            to: everybody, from: from)
    }

    static func ipv4(
        _ number: UInt8, _ payload: [UInt8], source: [UInt8] = address, destination: [UInt8] = relay,
        options: [UInt8] = [], fragment: Int = 0x4000
    ) -> [UInt8] {
        var header: [UInt8] = [UInt8(0x45 + options.count / 4), 0] + pair(20 + options.count + payload.count)
        header += [0, 1] + pair(fragment) + [64, number, 0, 0] + source + destination + options
        let sum = stride(from: 0, to: header.count, by: 2).reduce(0) { $0 + Int(header[$1]) << 8 + Int(header[$1 + 1]) }
        let folded = (sum & 0xFFFF) + sum >> 16
        header.replaceSubrange(10..<12, with: pair(0xFFFF - ((folded & 0xFFFF) + folded >> 16)))
        return header + payload
    }

    static func ipv6(_ number: UInt8, _ payload: [UInt8], destination: [UInt8]? = nil) -> [UInt8] {
        let local: [UInt8] = [0xFE, 0x80, 0, 0, 0, 0, 0, 0, 0, 0x11, 0x22, 1, 2, 3, 4, 5]
        return [0x60, 0, 0, 0] + pair(payload.count) + [number, 255] + local
            + (destination ?? [0xFF, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2]) + payload
    }

    static func udp(_ port: Int, _ payload: [UInt8] = [1, 2, 3, 4], from source: Int = 40000) -> [UInt8] {
        pair(source) + pair(port) + pair(8 + payload.count) + [0, 0] + payload
    }

    static func tcp(_ port: Int, _ payload: [UInt8] = [], flags: UInt8 = 2, options: [UInt8] = []) -> [UInt8] {
        pair(41000) + pair(port) + [0, 0, 0, 1, 0, 0, 0, 0, UInt8((5 + options.count / 4) << 4), flags]
            + [0xFF, 0xFF, 0, 0, 0, 0] + options + payload
    }

    static func option(_ code: UInt8, _ value: [UInt8]) -> [UInt8] { [code, UInt8(value.count)] + value }

    static func dhcpMessage(
        _ options: [[UInt8]] = [], kind: UInt8 = 1, hardware: [UInt8] = guest, serverName: [UInt8] = []
    ) -> [UInt8] {
        [1, 1, 6, 0, 9, 9, 9, 9, 0, 0, 0, 0] + [UInt8](repeating: 0, count: 16) + hardware
            + [UInt8](repeating: 0, count: 10) + serverName + [UInt8](repeating: 0, count: 192 - serverName.count)
            + [0x63, 0x82, 0x53, 0x63] + option(53, [kind]) + options.flatMap { $0 } + [255]
    }

    static func dhcp(
        _ message: [UInt8], source: [UInt8] = [0, 0, 0, 0], destination: [UInt8] = [255, 255, 255, 255],
        from: [UInt8] = guest
    ) -> [UInt8] {
        ethernet(
            0x0800, ipv4(17, udp(67, message, from: 68), source: source, destination: destination), to: everybody,
            from: from)
    }

    static func ip(_ packet: [UInt8]) -> [UInt8] { ethernet(packet[0] >> 4 == 6 ? 0x86DD : 0x0800, packet) }

    /// What a well-behaved guest sends.
    static let good: [[UInt8]] = [
        dhcp(dhcpMessage([option(55, [1, 3, 6, 15]), option(61, [1] + guest), option(57, [5, 192])])),
        dhcp(dhcpMessage([option(50, address), option(54, gateway)], kind: 3)),
        dhcp(dhcpMessage(kind: 3), source: address, destination: gateway),
        arp(1, sender: [0, 0, 0, 0], target: address),
        arp(1, sender: address, target: address),
        arp(1, target: gateway),
        arp(2, target: gateway),
        ip(ipv4(6, tcp(9001, options: [2, 4, 5, 180]))),
        ip(ipv4(6, tcp(9001, Array("\u{16}\u{3}\u{1} some bytes".utf8), flags: 24))),
        ip(ipv4(6, tcp(9001, flags: 4))),
    ]

    /// 192.0.2.0/24 with a router and one relay.
    static func network() -> AllowList {
        guard let local = IPv4Network("192.0.2.0/24"), let router = IPv4Address("192.0.2.1"),
            let relay = IPv4Address("198.51.100.7")
        else { preconditionFailure("addresses of the documentation are addresses") }
        return AllowList.needletail(localNetwork: local, routers: [router], relays: [Endpoint(relay, 9001)])
    }

    static func capture(_ frames: [[UInt8]]) -> [CapturedFrame] {
        frames.enumerated().map {
            CapturedFrame(nanoseconds: 1_800_000_000_000_000_000 + UInt64($0.offset) * 250_000_000, bytes: $0.element)
        }
    }
}

/// Numbers that are the same in each run, so that a failure can be run again (SplitMix64).
struct FixedNumbers: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
        return value ^ value >> 31
    }
}
