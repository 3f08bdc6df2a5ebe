// SPDX-License-Identifier: GPL-3.0-or-later

/// A place in bytes that somebody else wrote: each step forward is checked, and what is not there is `nil`.
struct ByteCursor {
    private(set) var rest: ArraySlice<UInt8>

    init(_ bytes: some Collection<UInt8>) { rest = Array(bytes)[...] }
    init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

    var isAtEnd: Bool { rest.isEmpty }
    var count: Int { rest.count }

    mutating func take(_ count: Int) -> ArraySlice<UInt8>? {
        guard count >= 0, count <= rest.count else { return nil }
        defer { rest = rest.dropFirst(count) }
        return rest.prefix(count)
    }

    mutating func byte() -> UInt8? { rest.popFirst() }

    /// A 16-bit number in network order.
    mutating func big16() -> UInt16? {
        take(2).map { $0.reduce(0) { $0 << 8 | UInt16($1) } }
    }

    /// A 32-bit number in network order.
    mutating func big32() -> UInt32? {
        take(4).map { $0.reduce(0) { $0 << 8 | UInt32($1) } }
    }

    /// A 32-bit number in the order that the file's first bytes told.
    mutating func word(littleEndian: Bool) -> UInt32? {
        big32().map { littleEndian ? $0.byteSwapped : $0 }
    }

    /// A 16-bit number in the order that the file's first bytes told.
    mutating func half(littleEndian: Bool) -> UInt16? {
        big16().map { littleEndian ? $0.byteSwapped : $0 }
    }
}
