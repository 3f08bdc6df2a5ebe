// SPDX-License-Identifier: GPL-3.0-or-later

/// Turns the bytes of Tor's control port into messages. It does no input or output of its own.
///
/// Whatever is fed to it, it holds at most ``Limits/bytes`` and a line, and never fails but by throwing.
public struct ReplyParser: Sendable {
    /// How much of one message is accepted.
    public struct Limits: Sendable, Hashable {
        /// Bytes of one line outside data.
        public var line = 65_536
        /// Lines of one message, those of data not counted.
        public var lines = 8192
        /// Bytes of one message. A consensus has 3 MB.
        public var bytes = 8 << 20

        /// The usual limits.
        public init() {}
    }

    private let limits: Limits
    private var line: [UInt8] = []
    private var lines: [Reply.Line] = []
    private var data: [UInt8]?
    private var opened: (status: Int, text: String)?
    private var size = 0
    private var failure: ProtocolFailure?

    /// A parser at the start of a connection.
    public init(limits: Limits = Limits()) { self.limits = limits }

    /// Takes the next bytes, cut anywhere.
    ///
    /// - Returns: the messages that are whole now.
    /// - Throws: ``ProtocolFailure``; then this and every later call, since the place in the conversation is lost.
    public mutating func append(_ bytes: some Collection<UInt8>) throws(ProtocolFailure) -> [Reply] {
        if let failure { throw failure }
        do throws(ProtocolFailure) {
            return try parse(bytes)
        } catch {
            failure = error
            line = []
            lines = []
            data = nil
            throw error
        }
    }

    private mutating func parse(_ bytes: some Collection<UInt8>) throws(ProtocolFailure) -> [Reply] {
        var replies: [Reply] = []
        var rest = bytes[...]
        while let end = rest.firstIndex(of: 0x0a) {
            try add(rest[..<end])
            size += 1
            rest = rest[rest.index(after: end)...]
            if let reply = try endLine() { replies.append(reply) }
            line.removeAll(keepingCapacity: line.capacity <= 4096)
        }
        try add(rest)
        return replies
    }

    private mutating func add(_ part: some Collection<UInt8>) throws(ProtocolFailure) {
        // In data a line may be as long as the message: descriptors of onion services have no short lines.
        let limit = data == nil ? limits.line : limits.bytes
        guard line.count + part.count <= limit else { throw .longLine(limit: limit) }
        size += part.count
        guard size <= limits.bytes else { throw .longReply(limit: limits.bytes) }
        line += part
    }

    /// Takes the line as whole.
    private mutating func endLine() throws(ProtocolFailure) -> Reply? {
        let hasReturn = line.last == 0x0d
        if hasReturn { line.removeLast() }
        if data != nil {
            takeDataLine(hasReturn: hasReturn)
            return nil
        }
        guard hasReturn else { throw .bareLineFeed }
        guard line.count >= 4, let status = Self.status(line) else { throw .malformedLine }
        let text = String(decoding: line[4...], as: UTF8.self).printable
        if let first = lines.first, (first.status >= 600) != (status >= 600) { throw .mixedReply }
        guard lines.count < limits.lines else { throw .manyLines(limit: limits.lines) }
        switch line[3] {
        case UInt8(ascii: "-"):
            lines.append(Reply.Line(status: status, text: text))
            return nil
        case UInt8(ascii: "+"):
            opened = (status, text)
            data = []
            return nil
        case UInt8(ascii: " "):
            let reply = Reply(lines, last: Reply.Line(status: status, text: text))
            lines = []
            size = 0
            return reply
        default:
            throw .malformedLine
        }
    }

    private mutating func takeDataLine(hasReturn: Bool) {
        if hasReturn, line == [UInt8(ascii: ".")], let opened {
            lines.append(Reply.Line(status: opened.status, text: opened.text, data: data))
            data = nil
            return
        }
        if line.first == UInt8(ascii: ".") { line.removeFirst() }
        data?.append(contentsOf: line)
        data?.append(0x0a)
    }

    private static func status(_ line: [UInt8]) -> Int? {
        var status = 0
        for byte in line[..<3] {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
            status = status * 10 + Int(byte - UInt8(ascii: "0"))
        }
        return (200..<700).contains(status) ? status : nil
    }
}
