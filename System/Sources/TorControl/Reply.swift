// SPDX-License-Identifier: GPL-3.0-or-later

/// One whole message of Tor: the answer to a command, or an event (control-spec 2.3).
public struct Reply: Hashable, Sendable {
    /// One line of it.
    public struct Line: Hashable, Sendable {
        /// The status, 200 to 699.
        public let status: Int
        /// What follows the status. Bytes that are not UTF-8, and control characters, are replaced by U+FFFD.
        public let text: String
        /// The data that follows a line with `+`: dots unstuffed, lines ended by one line feed each.
        public let data: [UInt8]?

        /// Describes a line.
        public init(status: Int, text: String, data: [UInt8]? = nil) {
            self.status = status
            self.text = text
            self.data = data
        }
    }

    /// At least one line.
    public let lines: [Line]

    /// A reply of several lines.
    ///
    /// - Parameters:
    ///   - first: the first lines.
    ///   - last: the one that ends it.
    public init(_ first: [Line] = [], last: Line) { lines = first + [last] }

    /// The status of the last line, which is the status of the whole.
    public var status: Int { lines.last?.status ?? 0 }
    /// The text of the last line.
    public var text: String { lines.last?.text ?? "" }
    /// Whether the command succeeded.
    public var isPositive: Bool { (200..<300).contains(status) }
    /// Whether this is an event.
    public var isEvent: Bool { (600..<700).contains(status) }

    /// The `KEY=VALUE` lines of a positive answer to GETINFO or GETCONF, in Tor's order; a key may come more than once. The value is
    /// the data where there is some, and `nil` for a key without `=` (an option at its default).
    public var values: [(key: String, value: String?)] {
        lines.compactMap { line in
            guard line.status == 250 else { return nil }
            guard let equals = line.text.firstIndex(of: "=") else { return (line.text, nil) }
            let key = String(line.text[..<equals])
            if let data = line.data {
                let text = String(decoding: data, as: UTF8.self)
                return (key, text.hasSuffix("\n") ? String(text.dropLast()) : text)
            }
            return (key, String(line.text[line.text.index(after: equals)...]))
        }
    }

    /// The message in the protocol's bytes. What it says cannot add a line: control characters were replaced when it was made, and
    /// are replaced here again.
    public var encoded: [UInt8] {
        var bytes: [UInt8] = []
        for (place, line) in lines.enumerated() {
            let isLast = place == lines.count - 1
            bytes += "\(line.status)\(line.data != nil ? "+" : isLast ? " " : "-")\(line.text.printable)\r\n".utf8
            if let data = line.data {
                bytes += DataBlock.encode(data)
                // A data block never ends a reply: control-spec 2.3.
                if isLast { bytes += "\(line.status) OK\r\n".utf8 }
            }
        }
        return bytes
    }
}

/// Text of several lines within a message, ended by a line with a dot alone.
enum DataBlock {
    static func encode(_ data: [UInt8]) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(data.count + data.count / 32 + 8)
        var lines = data.split(separator: 0x0a, omittingEmptySubsequences: false)
        if lines.last?.isEmpty == true { lines.removeLast() }
        for line in lines {
            if line.first == UInt8(ascii: ".") { bytes.append(UInt8(ascii: ".")) }
            bytes += line.last == 0x0d ? line.dropLast() : line
            bytes += [0x0d, 0x0a]
        }
        bytes += ".\r\n".utf8
        return bytes
    }
}
