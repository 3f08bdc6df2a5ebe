// SPDX-License-Identifier: GPL-3.0-or-later

/// The words and `KEY=VALUE` pairs of a line, such as those of an event.
public struct Fields: Hashable, Sendable {
    /// A `KEY=VALUE` pair.
    public struct Pair: Hashable, Sendable {
        /// Capital letters, digits and `_`.
        public let key: String
        /// The value without quotes.
        public let value: String

        /// Describes a pair.
        public init(key: String, value: String) {
            self.key = key
            self.value = value
        }
    }

    /// What stands before the pairs, and between them.
    public var words: [String]
    /// The pairs in their order.
    public var pairs: [Pair]

    /// More are never read from one line.
    public static let limit = 512

    /// Describes a line.
    public init(words: [String], pairs: [Pair] = []) {
        self.words = words
        self.pairs = pairs
    }

    /// Reads a line; `nil` when a quote is not closed, or when there are more than ``limit`` fields.
    ///
    /// - Parameters:
    ///   - text: the line.
    ///   - count: so many words come first, even if they look like a pair: a stream's target may.
    public init?(_ text: some StringProtocol, words count: Int = 0) {
        words = []
        pairs = []
        let bytes = Array(text.utf8)
        var place = 0
        while place < bytes.count {
            if bytes[place] == UInt8(ascii: " ") {
                place += 1
                continue
            }
            guard words.count + pairs.count < Self.limit else { return nil }
            let key = words.count < count ? nil : Self.key(bytes, place)
            if let key {
                let start = place + key.utf8.count + 1
                guard let (value, length) = Self.value(bytes[start...]) else { return nil }
                pairs.append(Pair(key: key, value: value))
                place = start + length
            } else {
                guard let (value, length) = Self.value(bytes[place...]) else { return nil }
                words.append(value)
                place += length
            }
        }
    }

    /// The value of the first pair with a key.
    public subscript(_ key: String) -> String? { pairs.first { $0.key == key }?.value }

    /// The line again: words and values that need quotes get them.
    public var text: String {
        (words.map(Self.quoted) + pairs.map { "\($0.key)=\(Self.quoted($0.value))" }).joined(separator: " ")
    }

    private static func quoted(_ value: String) -> String { needsQuotes(value) ? QuotedString.encode(value) : value }

    private static func needsQuotes(_ value: String) -> Bool {
        value.isEmpty
            || value.unicodeScalars.contains { $0.value <= 0x20 || $0.value == 0x7f || $0 == "\"" || $0 == "\\" }
    }

    private static func key(_ bytes: [UInt8], _ start: Int) -> String? {
        var place = start
        while place < bytes.count {
            switch bytes[place] {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"): break
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                if place == start { return nil }
            case UInt8(ascii: "="):
                return place > start ? String(decoding: bytes[start..<place], as: UTF8.self) : nil
            default: return nil
            }
            place += 1
        }
        return nil
    }

    /// A quoted string, or everything up to the next space.
    private static func value(_ bytes: ArraySlice<UInt8>) -> (String, Int)? {
        if bytes.first == UInt8(ascii: "\"") { return QuotedString.decode(bytes) }
        let end = bytes.firstIndex(of: UInt8(ascii: " ")) ?? bytes.endIndex
        return (String(decoding: bytes[..<end], as: UTF8.self), end - bytes.startIndex)
    }
}
