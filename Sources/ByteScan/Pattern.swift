// SPDX-License-Identifier: GPL-3.0-or-later

/// Bytes that are looked for among gigabytes, whole or in part.
public struct Pattern: Sendable, Hashable {
    /// How text may stand in memory.
    public enum Spelling: Sendable, Hashable, CaseIterable {
        /// A byte a character.
        case plain
        /// Two bytes a character, the lower first: JavaScript, Qt, Windows file systems.
        case utf16
        /// Four bytes a character: the Unicode half of a Linux console.
        case utf32
        /// A character and its colour, light grey on black: the other half of a Linux console, and VGA's text mode.
        case cells

        /// Which bytes one byte of the text becomes.
        func spelling(of byte: UInt8) -> [UInt8] {
            switch self {
            case .plain: [byte]
            case .utf16: [byte, 0]
            case .utf32: [byte, 0, 0, 0]
            case .cells: [byte, 7]
            }
        }
    }

    /// Why bytes cannot be looked for.
    public struct Failure: Error, Sendable, CustomStringConvertible {
        /// A sentence for a person.
        public let description: String
    }

    /// The fewest bytes that can be told from chance in gigabytes.
    public static let leastLength = 8
    /// The most bytes.
    public static let mostLength = 4096

    /// What it is; several patterns may share a name and are then counted together in reports.
    public let name: String
    /// The bytes.
    public let bytes: [UInt8]
    /// How many bytes in a row count as a part of it; as many as it has when parts do not count.
    public let leastFragment: Int
    /// Whether each copy is followed by its number in 8 hexadecimal digits, so that different copies can be told apart.
    public let isNumbered: Bool

    /// A pattern.
    ///
    /// - Parameters:
    ///   - name: What it is.
    ///   - bytes: 8 to 4096 bytes, of at least 4 different values.
    ///   - leastFragment: How many bytes in a row count as a part of it, at least 8. Only for bytes made by chance: parts of
    ///     names and addresses stand everywhere. No parts when `nil`.
    ///   - isNumbered: Whether 8 hexadecimal digits follow each copy.
    /// - Throws: ``Failure`` when it would be found by chance everywhere.
    public init(_ name: String, bytes: [UInt8], leastFragment: Int? = nil, isNumbered: Bool = false) throws(Failure) {
        guard (Self.leastLength...Self.mostLength).contains(bytes.count) else {
            throw Failure(
                description: "'\(name)' has \(bytes.count) bytes. Look for \(Self.leastLength) to \(Self.mostLength).")
        }
        guard Set(bytes).count >= 4 else {
            throw Failure(description: "'\(name)' is too uniform: it would be found by chance. Take other bytes.")
        }
        self.name = name
        self.bytes = bytes
        self.leastFragment = min(max(leastFragment ?? bytes.count, Self.leastLength), bytes.count)
        self.isNumbered = isNumbered
    }

    /// The same in another spelling; numbers are not read there.
    ///
    /// - Throws: ``Failure`` when it becomes too long.
    public func spelled(_ spelling: Spelling) throws(Failure) -> Pattern {
        guard spelling != .plain else { return self }
        let wide = bytes.flatMap { spelling.spelling(of: $0) }
        let factor = wide.count / bytes.count
        return try Pattern(name, bytes: wide, leastFragment: leastFragment * factor)
    }
}

/// How often a pattern was found.
public struct Tally: Sendable, Hashable {
    /// How many places are kept.
    public static let mostPlaces = 16

    /// Whole copies, overlaps not counted.
    public var whole = 0
    /// Parts of at least the pattern's least length that are no whole copy.
    public var fragments = 0
    /// How many different numbers followed whole copies: how many of the planted copies are there.
    public var numbers = 0
    /// Where the first of them begin, in bytes from the file's beginning.
    public var places: [Int] = []

    /// Nothing found.
    public init() {}

    /// Copies and parts.
    public var all: Int { whole + fragments }
    /// Whether nothing was found.
    public var isEmpty: Bool { all == 0 }

    /// Counts together. Numbers add up: the patterns are different ones.
    public static func + (one: Tally, other: Tally) -> Tally {
        var sum = one
        sum.whole += other.whole
        sum.fragments += other.fragments
        sum.numbers += other.numbers
        sum.places = Array((one.places + other.places).sorted().prefix(mostPlaces))
        return sum
    }
}
