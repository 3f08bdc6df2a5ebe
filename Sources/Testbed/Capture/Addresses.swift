// SPDX-License-Identifier: GPL-3.0-or-later

/// The address of a network interface on Ethernet.
public struct MACAddress: Sendable, Hashable, CustomStringConvertible {
    /// Its six bytes.
    public let bytes: [UInt8]

    /// All stations.
    public static let broadcast = MACAddress(unchecked: [255, 255, 255, 255, 255, 255])
    /// No station: the empty address of ARP's and DHCP's fields.
    public static let zero = MACAddress(unchecked: [0, 0, 0, 0, 0, 0])

    private init(unchecked bytes: [UInt8]) { self.bytes = bytes }

    /// The address in six bytes; `nil` for any other number of bytes.
    public init?(_ bytes: some Collection<UInt8>) {
        guard bytes.count == 6 else { return nil }
        self.bytes = Array(bytes)
    }

    /// The address as text: six pairs of hexadecimal digits with `:` or `-` between them.
    public init?(_ text: String) {
        let parts = text.split(omittingEmptySubsequences: false) { $0 == ":" || $0 == "-" }
        let bytes = parts.compactMap { $0.count == 2 && $0.allSatisfy(\.isHexDigit) ? UInt8($0, radix: 16) : nil }
        guard parts.count == 6, bytes.count == 6 else { return nil }
        self.bytes = bytes
    }

    /// Whether it names a group of stations, all of them included.
    public var isGroup: Bool { bytes[0] & 1 == 1 }

    /// Six pairs of lower-case digits with colons.
    public var description: String { bytes.map(hexadecimal).joined(separator: ":") }
}

/// An address of the Internet's version 4.
public struct IPv4Address: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// The address as a number.
    public let value: UInt32

    /// 0.0.0.0: no address yet.
    public static let any = IPv4Address(0)
    /// 255.255.255.255: all on this link.
    public static let broadcast = IPv4Address(0xFFFF_FFFF)

    /// The address with a number.
    public init(_ value: UInt32) { self.value = value }

    /// The address as text, four decimal numbers with dots.
    public init?(_ text: String) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        let numbers = parts.compactMap { part in
            (1...3).contains(part.count) && part.allSatisfy { $0.isASCII && $0.isNumber } ? UInt8(part) : nil
        }
        guard parts.count == 4, numbers.count == 4 else { return nil }
        value = numbers.reduce(0) { $0 << 8 | UInt32($1) }
    }

    /// Orders by number.
    public static func < (left: Self, right: Self) -> Bool { left.value < right.value }

    /// Four decimal numbers with dots.
    public var description: String {
        [24, 16, 8, 0].map { String(value >> UInt32($0) & 0xFF) }.joined(separator: ".")
    }
}

/// A range of version 4 addresses: `192.0.2.0/24`.
public struct IPv4Network: Sendable, Hashable, CustomStringConvertible {
    /// The first address.
    public let address: IPv4Address
    /// How many leading bits are common, 0…32.
    public let prefix: Int

    /// The range as text, `192.0.2.0/24`; `nil` when it is none.
    public init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let address = IPv4Address(String(parts[0])), let prefix = Int(parts[1]),
            (0...32).contains(prefix)
        else { return nil }
        self.prefix = prefix
        self.address = IPv4Address(address.value & Self.mask(prefix))
    }

    /// Whether an address lies in the range.
    public func contains(_ other: IPv4Address) -> Bool { other.value & Self.mask(prefix) == address.value }

    /// The address that names all stations in the range.
    public var broadcast: IPv4Address { IPv4Address(address.value | ~Self.mask(prefix)) }

    /// Address and prefix.
    public var description: String { "\(address)/\(prefix)" }

    private static func mask(_ prefix: Int) -> UInt32 { prefix == 0 ? 0 : UInt32.max << UInt32(32 - prefix) }
}

/// An address of the Internet's version 6.
public struct IPv6Address: Sendable, Hashable, CustomStringConvertible {
    /// Its sixteen bytes.
    public let bytes: [UInt8]

    /// The address in sixteen bytes; `nil` for any other number of bytes.
    public init?(_ bytes: some Collection<UInt8>) {
        guard bytes.count == 16 else { return nil }
        self.bytes = Array(bytes)
    }

    /// Whether it names a group of stations.
    public var isMulticast: Bool { bytes[0] == 0xFF }

    /// Eight hexadecimal groups without leading zeros, not shortened further.
    public var description: String {
        stride(from: 0, to: 16, by: 2).map { String(UInt16(bytes[$0]) << 8 | UInt16(bytes[$0 + 1]), radix: 16) }
            .joined(separator: ":")
    }
}

/// A place that TCP or UDP can reach: an address and a port.
public struct Endpoint: Sendable, Hashable, CustomStringConvertible {
    /// The address.
    public let address: IPv4Address
    /// The port.
    public let port: UInt16

    /// An address and a port.
    public init(_ address: IPv4Address, _ port: UInt16) {
        self.address = address
        self.port = port
    }

    /// `address:port`.
    public var description: String { "\(address):\(port)" }
}

/// A byte in two lower-case hexadecimal digits.
func hexadecimal(_ byte: UInt8) -> String {
    let text = String(byte, radix: 16)
    return byte < 16 ? "0" + text : text
}
