// SPDX-License-Identifier: GPL-3.0-or-later
import SystemPackage

/// Looks for many patterns at once in a file of any size, with a few MiB of memory.
public struct PatternSearch: Sendable {
    /// What is looked for.
    public let patterns: [Pattern]
    /// How many bytes are read at once.
    let piece: Int
    private let table: AnchorTable
    private let margin: Int

    /// A search for patterns.
    public init(_ patterns: [Pattern]) { self.init(patterns, piece: 4 << 20) }

    init(_ patterns: [Pattern], piece: Int) {
        self.patterns = patterns
        self.piece = piece
        table = AnchorTable(patterns)
        // A multiple of four, so that words keep their places when bytes are carried over.
        margin = ((patterns.map(\.bytes.count).max() ?? 0) + 16 + 3) / 4 * 4
    }

    /// Counts what is in a file.
    ///
    /// - Parameters:
    ///   - path: A memory dump, a disk image, or any other file.
    ///   - progress: Is told bytes done and bytes in all, now and then.
    /// - Returns: A tally for each pattern, in their order.
    /// - Throws: `Errno` when the file cannot be read, `CancellationError`.
    public func tallies(
        in path: FilePath, progress: (Int, Int) -> Void = { _, _ in }
    ) throws -> [Tally] {
        let file = try FileDescriptor.open(path, .readOnly, options: .closeOnExec)
        defer { try? file.close() }
        let total = Int(try file.seek(offset: 0, from: .end))
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 2 * margin + piece, alignment: 64)
        defer { buffer.deallocate() }
        var run = Run(count: patterns.count)
        var base = 0
        var filled = 0
        var next = 0
        while true {
            try Task.checkCancellation()
            let count = try file.read(
                fromAbsoluteOffset: Int64(base + filled),
                into: UnsafeMutableRawBufferPointer(rebasing: buffer[filled...]))
            filled += count
            let isLast = count == 0
            let limit = isLast ? filled : max(next, filled - margin)
            let bytes = UnsafeRawBufferPointer(rebasing: buffer[..<filled])
            next = scan(bytes, from: next, to: limit, base: base, run: &run)
            progress(base + filled, total)
            if isLast { break }
            // What lies before the next word may be the beginning of what it belongs to.
            let kept = max(0, (next - margin) / 4 * 4)
            guard kept > 0, let start = buffer.baseAddress else { continue }
            start.copyMemory(from: start + kept, byteCount: filled - kept)
            base += kept
            filled -= kept
            next -= kept
            run.lastEnd -= kept
        }
        return run.result
    }

    /// Counts what is in bytes.
    public func tallies(in bytes: [UInt8]) -> [Tally] {
        var run = Run(count: patterns.count)
        bytes.withUnsafeBytes { _ = scan($0, from: 0, to: $0.count, base: 0, run: &run) }
        return run.result
    }

    // MARK: The loop

    /// What was found so far.
    private struct Run {
        var tallies: [Tally]
        /// A bit for each number seen, for each pattern.
        var numbers: [[UInt64]]
        /// Where the last find ended, in the buffer: nothing is counted twice.
        var lastEnd = 0

        init(count: Int) {
            tallies = Array(repeating: Tally(), count: count)
            numbers = Array(repeating: [], count: count)
        }

        var result: [Tally] {
            zip(tallies, numbers).map { tally, bits in
                var tally = tally
                tally.numbers = bits.reduce(0) { $0 + $1.nonzeroBitCount }
                return tally
            }
        }
    }

    private struct Find {
        let pattern: Int
        let range: Range<Int>
    }

    /// Looks at the words from a place on, which is a multiple of four; returns the place of the first that it did not look at.
    private func scan(_ bytes: UnsafeRawBufferPointer, from first: Int, to limit: Int, base: Int, run: inout Run)
        -> Int
    {
        guard let start = bytes.baseAddress else { return first }
        let last = min(limit, bytes.count - 3)
        var place = first
        while place < last {
            let hit = table.withFilter { Self.nextWord(start, from: place, to: last, filter: $0) } ?? last
            guard hit < last else { return max(hit, place) }
            place = hit + 4
            let word = UInt32(littleEndian: start.loadUnaligned(fromByteOffset: hit, as: UInt32.self))
            guard let find = longest(bytes, at: hit, word: word, lowest: max(0, run.lastEnd)) else { continue }
            count(find, bytes, base: base, run: &run)
            run.lastEnd = find.range.upperBound
            place = max(place, (find.range.upperBound + 3) / 4 * 4)
        }
        return place
    }

    /// The place of the next word that may be one of a pattern.
    @inline(__always)
    private static func nextWord(
        _ start: UnsafeRawPointer, from first: Int, to last: Int, filter: UnsafePointer<UInt64>
    ) -> Int {
        var place = first
        while place < last {
            let word = UInt32(littleEndian: start.loadUnaligned(fromByteOffset: place, as: UInt32.self))
            let bit = AnchorTable.bit(of: word)
            if filter[bit >> 6] & (1 << UInt64(bit & 63)) != 0 { return place }
            place += 4
        }
        return place
    }

    /// The longest piece of a pattern around a word.
    private func longest(_ bytes: UnsafeRawBufferPointer, at place: Int, word: UInt32, lowest: Int) -> Find? {
        var best: Find?
        for index in table.range(of: word) {
            let candidate = table.places[index]
            let pattern = patterns[Int(candidate.pattern)].bytes
            let range = pattern.withUnsafeBufferPointer { pattern in
                var low = place
                var high = place + 4
                var offset = Int(candidate.offset)
                while offset > 0, low > lowest, bytes[low - 1] == pattern[offset - 1] {
                    low -= 1
                    offset -= 1
                }
                offset = Int(candidate.offset) + 4
                while offset < pattern.count, high < bytes.count, bytes[high] == pattern[offset] {
                    high += 1
                    offset += 1
                }
                return low..<high
            }
            guard range.count >= patterns[Int(candidate.pattern)].leastFragment, range.count > best?.range.count ?? 0
            else { continue }
            best = Find(pattern: Int(candidate.pattern), range: range)
        }
        return best
    }

    private func count(_ find: Find, _ bytes: UnsafeRawBufferPointer, base: Int, run: inout Run) {
        let pattern = patterns[find.pattern]
        let isWhole = find.range.count == pattern.bytes.count
        if isWhole {
            run.tallies[find.pattern].whole += 1
        } else {
            run.tallies[find.pattern].fragments += 1
        }
        if run.tallies[find.pattern].places.count < Tally.mostPlaces {
            run.tallies[find.pattern].places.append(base + find.range.lowerBound)
        }
        guard isWhole, pattern.isNumbered, let number = Self.number(bytes, at: find.range.upperBound) else { return }
        let slot = number >> 6
        if run.numbers[find.pattern].count <= slot {
            let missing = slot + 1 - run.numbers[find.pattern].count
            run.numbers[find.pattern] += Array(repeating: 0, count: max(missing, 1024))
        }
        run.numbers[find.pattern][slot] |= 1 << UInt64(number & 63)
    }

    /// Eight hexadecimal digits; `nil` when it is something else or larger than any number that is planted.
    private static func number(_ bytes: UnsafeRawBufferPointer, at place: Int) -> Int? {
        guard place + 8 <= bytes.count else { return nil }
        var value = 0
        for byte in bytes[place..<place + 8] {
            switch byte {
            case 48...57: value = value << 4 | Int(byte - 48)
            case 97...102: value = value << 4 | Int(byte - 87)
            default: return nil
            }
        }
        return value < 1 << 27 ? value : nil
    }
}
