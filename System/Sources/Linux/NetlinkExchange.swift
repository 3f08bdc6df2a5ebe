// SPDX-License-Identifier: GPL-3.0-or-later
import CLinux
import Glibc

/// The bytes of a netlink message or attribute while they are put together. See `man 7 netlink`.
struct NetlinkBytes {
    private(set) var bytes: [UInt8] = []

    mutating func add(_ value: UInt8) { bytes.append(value) }
    mutating func add(_ value: UInt16) { withUnsafeBytes(of: value) { bytes += $0 } }
    mutating func add(_ value: UInt32) { withUnsafeBytes(of: value) { bytes += $0 } }
    mutating func addBigEndian(_ value: UInt16) { add(value.bigEndian) }

    /// An attribute: length, type, value, and zeros up to a multiple of four.
    mutating func add(_ type: UInt16, _ value: [UInt8]) {
        add(UInt16(clamping: value.count + 4))
        add(type)
        bytes += value
        pad()
    }

    /// An attribute with text that ends in a zero.
    mutating func add(_ type: UInt16, _ text: String) { add(type, Array(text.utf8) + [0]) }

    /// An attribute made of attributes.
    mutating func add(_ type: UInt16, _ fill: (inout NetlinkBytes) -> Void) {
        var inner = NetlinkBytes()
        fill(&inner)
        add(type | UInt16(NLA_F_NESTED), inner.bytes)
    }

    /// A message: length, type, flags, sequence number, no port, content.
    mutating func addMessage(
        _ type: UInt16, flags: Int32, sequence: UInt32, _ fill: (inout NetlinkBytes) -> Void
    ) {
        var inner = NetlinkBytes()
        fill(&inner)
        add(UInt32(clamping: inner.bytes.count + 16))
        add(type)
        add(UInt16(clamping: flags))
        add(sequence)
        add(UInt32(0))
        bytes += inner.bytes
        pad()
    }

    private mutating func pad() { while bytes.count % 4 != 0 { bytes.append(0) } }

    private let NLA_F_NESTED = 1 << 15
}

/// A message of the kernel, taken apart.
struct NetlinkMessage {
    let type: UInt16
    let sequence: UInt32
    let content: ArraySlice<UInt8>

    /// The messages of one datagram; what is cut or lies about its length ends the list.
    static func all(in datagram: [UInt8]) -> [NetlinkMessage] {
        var rest = datagram[...]
        var messages: [NetlinkMessage] = []
        while rest.count >= 16 {
            let start = rest.startIndex
            let length = Int(UInt32(littleEndianBytes: rest[start..<start + 4]))
            guard (16...rest.count).contains(length) else { break }
            messages.append(
                NetlinkMessage(
                    type: UInt16(littleEndianBytes: rest[start + 4..<start + 6]),
                    sequence: UInt32(littleEndianBytes: rest[start + 8..<start + 12]),
                    content: rest[start + 16..<start + length]))
            rest = rest.dropFirst((length + 3) & ~3)
        }
        return messages
    }

    /// The attributes after a fixed header, by type; of two with the same type the last counts.
    func attributes(after header: Int) -> [UInt16: ArraySlice<UInt8>] {
        var rest = content.dropFirst(header)
        var found: [UInt16: ArraySlice<UInt8>] = [:]
        while rest.count >= 4 {
            let start = rest.startIndex
            let length = Int(UInt16(littleEndianBytes: rest[start..<start + 2]))
            guard (4...rest.count).contains(length) else { break }
            // The upper two bits are flags.
            let type = UInt16(littleEndianBytes: rest[start + 2..<start + 4]) & 0x3fff
            found[type] = rest[start + 4..<start + length]
            rest = rest.dropFirst((length + 3) & ~3)
        }
        return found
    }
}

extension FixedWidthInteger {
    /// The number that bytes in the machine's order (little-endian, as on every computer that the image is for) make.
    init(littleEndianBytes bytes: ArraySlice<UInt8>) {
        self = bytes.reversed().reduce(0) { $0 << 8 | Self(truncatingIfNeeded: $1) }
    }
}

/// Questions to the kernel over netlink, one after the other.
struct NetlinkExchange: ~Copyable {
    enum Family: Int32 {
        /// Interfaces, addresses, routes: `man 7 rtnetlink`.
        case route = 0
        /// The firewall.
        case netfilter = 12
    }

    private let socket: File
    private let subject: String
    private var sequence: UInt32 = 0

    init(_ family: Family, about subject: String) throws(SystemCallFailure) {
        socket = File(
            adopting: try check("socket", "netlink \(family)") { clinux_exchange_open(family.rawValue) },
            path: "netlink \(family)")
        self.subject = subject
    }

    mutating func nextSequence() -> UInt32 {
        sequence += 1
        return sequence
    }

    /// Sends one message and waits for the answer to it: the answering message, or `nil` when the kernel only says "done".
    mutating func ask(
        _ call: String, _ type: UInt16, flags: Int32, _ fill: (inout NetlinkBytes) -> Void
    ) throws(SystemCallFailure) -> NetlinkMessage? {
        let number = nextSequence()
        var request = NetlinkBytes()
        request.addMessage(type, flags: flags | 1, sequence: number, fill)
        try send(request.bytes, call)
        return try answer(to: number, call)
    }

    mutating func send(_ bytes: [UInt8], _ call: String) throws(SystemCallFailure) {
        let descriptor = socket.descriptor
        _ = try check(call, subject) {
            bytes.withUnsafeBytes { clinux_exchange_send(descriptor, $0.baseAddress, $0.count) }
        }
    }

    /// Waits for the answer to a message; an error of the kernel's becomes a failure.
    mutating func answer(to number: UInt32, _ call: String) throws(SystemCallFailure) -> NetlinkMessage? {
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        let descriptor = socket.descriptor
        // A bound, so that nothing can keep this going: no answer needs more datagrams.
        for _ in 0..<64 {
            let count = try check(call, subject) {
                buffer.withUnsafeMutableBytes { clinux_exchange_receive(descriptor, $0.baseAddress, $0.count) }
            }
            for message in NetlinkMessage.all(in: Array(buffer[..<count])) {
                guard message.type == 2 else {
                    if message.sequence == number { return message }
                    continue
                }
                guard message.content.count >= 4 else { continue }
                let start = message.content.startIndex
                let code = Int32(bitPattern: UInt32(littleEndianBytes: message.content[start..<start + 4]))
                // An error of an earlier message is one of this exchange too: a batch is refused at its beginning.
                guard code == 0 else {
                    throw SystemCallFailure(call: call, object: subject, number: ErrorNumber(rawValue: 0 &- code))
                }
                if message.sequence == number { return nil }
            }
        }
        throw SystemCallFailure(call: call, object: subject, number: .wouldBlock)
    }
}
