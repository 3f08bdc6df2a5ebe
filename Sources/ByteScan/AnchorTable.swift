// SPDX-License-Identifier: GPL-3.0-or-later

/// Which patterns a word of four bytes may be part of.
///
/// Any run of seven bytes holds a word whose place is a multiple of four. So it is enough to look at a quarter of the places: at
/// each, whether the four bytes there are four bytes of a pattern, at any offset in it. A bitmap says no for nearly all.
struct AnchorTable: Sendable {
    /// A place in a pattern.
    struct Place: Sendable {
        let pattern: Int32
        let offset: Int32
    }

    private static let bits = 19

    private let filter: [UInt64]
    private let words: [UInt32]
    /// Where the places of a word begin in `places`; one more than there are words.
    private let starts: [Int32]
    let places: [Place]

    init(_ patterns: [Pattern]) {
        var found: [UInt32: [Place]] = [:]
        for (index, pattern) in patterns.enumerated() {
            // A whole copy covers, wherever it lies, one of its first four words; a part may be any.
            let last = pattern.leastFragment == pattern.bytes.count ? 3 : pattern.bytes.count - 4
            for offset in 0...last {
                let word = (0..<4).reduce(UInt32(0)) { $0 | UInt32(pattern.bytes[offset + $1]) << (8 * UInt32($1)) }
                // Zeros are everywhere. A part of eight bytes that has no other word is not worth the time.
                guard word != 0 || last == 3 else { continue }
                found[word, default: []].append(Place(pattern: Int32(index), offset: Int32(offset)))
            }
        }
        words = found.keys.sorted()
        var filter = [UInt64](repeating: 0, count: 1 << (Self.bits - 6))
        var starts: [Int32] = [0]
        var places: [Place] = []
        for word in words {
            let bit = Self.bit(of: word)
            filter[bit >> 6] |= 1 << UInt64(bit & 63)
            places += found[word] ?? []
            starts.append(Int32(places.count))
        }
        self.filter = filter
        self.starts = starts
        self.places = places
    }

    @inline(__always)
    static func bit(of word: UInt32) -> Int { Int((word &* 0x9E37_79B1) >> UInt32(32 - bits)) }

    /// The bitmap, for the innermost loop.
    func withFilter<Value>(_ body: (UnsafePointer<UInt64>) -> Value) -> Value? {
        filter.withUnsafeBufferPointer { buffer in buffer.baseAddress.map { body($0) } }
    }

    /// The places of a word, as a range of `places`; empty when no pattern has it.
    func range(of word: UInt32) -> Range<Int> {
        var low = 0
        var high = words.count
        while low < high {
            let middle = (low + high) / 2
            if words[middle] < word { low = middle + 1 } else { high = middle }
        }
        guard low < words.count, words[low] == word else { return 0..<0 }
        return Int(starts[low])..<Int(starts[low + 1])
    }
}
