// SPDX-License-Identifier: GPL-3.0-or-later

/// A message to or from the kernel's network code: a header, a fixed part that the message's type decides, and attributes.
/// See `man 7 netlink` and the kernel's `Documentation/userspace-api/netlink/intro.rst`.
///
/// Numbers are in the byte order of the computer, unless a protocol says otherwise.
public struct KernelMessage: Sendable, Hashable {
    /// What the message is for, as the protocol numbers it.
    public var type: UInt16
    /// `NLM_F_…` bits.
    public var flags: Flags
    /// In an attribute's number: it holds attributes (`NLA_F_NESTED`). What is older than this bit does without it.
    public static let nested: UInt16 = 0x8000
    /// The fixed part, followed by the attributes.
    public private(set) var body: [UInt8]

    /// The bits of a request. See `man 7 netlink`.
    public struct Flags: OptionSet, Sendable, Hashable {
        /// The kernel's bits.
        public let rawValue: UInt16
        /// Wraps the kernel's bits.
        public init(rawValue: UInt16) { self.rawValue = rawValue }
        /// A request (`NLM_F_REQUEST`).
        public static let request = Flags(rawValue: 0x001)
        /// Asks for an answer also when all went well (`NLM_F_ACK`).
        public static let acknowledge = Flags(rawValue: 0x004)
        /// Asks for all objects of a kind (`NLM_F_DUMP`).
        public static let dump = Flags(rawValue: 0x300)
        /// Makes the object, and fails when it is there already (`NLM_F_CREATE`, `NLM_F_EXCL`).
        public static let create = Flags(rawValue: 0x600)
        /// Makes the object, unless it is there already (`NLM_F_CREATE`).
        public static let ensure = Flags(rawValue: 0x400)
        /// In an answer: what was listed changed meanwhile (`NLM_F_DUMP_INTR`).
        static let interrupted = Flags(rawValue: 0x010)
    }

    /// A message without attributes.
    ///
    /// - Parameters:
    ///   - type: the protocol's number for it.
    ///   - flags: beside ``Flags/request``.
    ///   - fixed: the fixed part; it is padded to four bytes.
    public init(type: UInt16, flags: Flags, fixed: [UInt8]) {
        self.type = type
        self.flags = flags.union(.request)
        body = Self.padded(fixed)
    }

    init(answer type: UInt16, flags: Flags, body: [UInt8]) {
        self.type = type
        self.flags = flags
        self.body = body
    }

    /// Adds an attribute with bytes.
    public mutating func add(_ attribute: UInt16, _ value: [UInt8]) {
        body += Self.bytes(UInt16(clamping: value.count + 4)) + Self.bytes(attribute) + Self.padded(value)
    }

    /// Adds an attribute with a number of 32 bits.
    public mutating func add(_ attribute: UInt16, _ value: UInt32) { add(attribute, Self.bytes(value)) }

    /// Adds an attribute with text, which ends in a zero byte.
    public mutating func add(_ attribute: UInt16, text: String) { add(attribute, Array(text.utf8) + [0]) }

    /// Adds an attribute that holds attributes.
    ///
    /// - Parameters:
    ///   - attribute: its number.
    ///   - fixed: what stands before the attributes inside.
    ///   - fill: adds them.
    public mutating func add(_ attribute: UInt16, fixed: [UInt8] = [], nesting fill: (inout KernelMessage) -> Void) {
        var inner = KernelMessage(type: 0, flags: [], fixed: fixed)
        fill(&inner)
        add(attribute, inner.body)
    }

    /// The message as it goes over the socket.
    ///
    /// - Parameter sequence: the number by which the answer is known.
    /// - Returns: header and body.
    public func encoded(sequence: UInt32) -> [UInt8] {
        Self.bytes(UInt32(clamping: body.count + 16)) + Self.bytes(type) + Self.bytes(flags.rawValue)
            + Self.bytes(sequence) + Self.bytes(UInt32(0)) + body
    }

    /// The attributes behind a fixed part.
    ///
    /// - Parameter length: the length of the fixed part in bytes.
    /// - Returns: numbers, without the bits for nesting and byte order, and values; what is malformed ends the list.
    public func attributes(after length: Int) -> [(type: UInt16, value: [UInt8])] {
        Self.attributes(in: Array(body.dropFirst(length)))
    }

    /// The attributes in a nested attribute's value.
    public static func attributes(in bytes: [UInt8]) -> [(type: UInt16, value: [UInt8])] {
        var result: [(UInt16, [UInt8])] = []
        var place = 0
        while place + 4 <= bytes.count {
            let length = Int(UInt16(kernelBytes: bytes[place..<place + 2]))
            guard length >= 4, place + length <= bytes.count else { break }
            let type = UInt16(kernelBytes: bytes[place + 2..<place + 4]) & 0x3fff
            result.append((type, Array(bytes[place + 4..<place + length])))
            place += (length + 3) & ~3
        }
        return result
    }

    /// A number in the byte order of the computer, which for this system is always the one with the smallest byte first.
    public static func bytes<Number: FixedWidthInteger>(_ number: Number) -> [UInt8] {
        withUnsafeBytes(of: number.littleEndian) { Array($0) }
    }

    private static func padded(_ bytes: [UInt8]) -> [UInt8] {
        bytes + [UInt8](repeating: 0, count: (4 - bytes.count % 4) % 4)
    }
}

extension FixedWidthInteger {
    /// The number that ``KernelMessage/bytes(_:)`` took apart.
    init(kernelBytes bytes: ArraySlice<UInt8>) {
        self = bytes.reversed().reduce(0) { $0 << 8 | Self(truncatingIfNeeded: $1) }
    }
}
