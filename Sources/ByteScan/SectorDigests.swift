// SPDX-License-Identifier: GPL-3.0-or-later
import SystemPackage

/// A digest of each sector of a disk image, to be compared with those of another time.
///
/// 64 bits each, against chance and not against somebody who builds collisions: who changes a sector here does not know them.
public struct SectorDigests: Sendable, Hashable {
    /// Bytes in a sector.
    public static let sector = 512

    /// The digests, in the order of the sectors. What follows the last whole sector counts as one that ends in zeros.
    public let values: [UInt64]

    /// Reads an image.
    ///
    /// - Parameters:
    ///   - path: The image, in raw format.
    ///   - progress: Is told bytes done and bytes in all, now and then.
    /// - Throws: `Errno` when it cannot be read, `CancellationError`.
    public init(of path: FilePath, progress: (Int, Int) -> Void = { _, _ in }) throws {
        let file = try FileDescriptor.open(path, .readOnly, options: .closeOnExec)
        defer { try? file.close() }
        let total = Int(try file.seek(offset: 0, from: .end))
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 4 << 20, alignment: 64)
        defer { buffer.deallocate() }
        var values: [UInt64] = []
        values.reserveCapacity((total + Self.sector - 1) / Self.sector)
        var place = 0
        while place < total {
            try Task.checkCancellation()
            var filled = 0
            while filled < buffer.count {
                let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[filled...])
                let count = try file.read(fromAbsoluteOffset: Int64(place + filled), into: rest)
                guard count > 0 else { break }
                filled += count
            }
            guard filled > 0 else { break }
            let whole = (filled + Self.sector - 1) / Self.sector * Self.sector
            for index in filled..<whole { buffer[index] = 0 }
            for start in stride(from: 0, to: whole, by: Self.sector) { values.append(Self.digest(buffer, at: start)) }
            place += filled
            progress(place, total)
        }
        self.values = values
    }

    /// The sectors that differ, those that only one of them has among them.
    ///
    /// - Parameter later: The digests of another time.
    /// - Returns: Ranges of sector numbers, ascending, as long as they can be.
    public func changes(to later: SectorDigests) -> [Range<Int>] {
        var ranges: [Range<Int>] = []
        let count = max(values.count, later.values.count)
        var start: Int?
        for index in 0..<count {
            let isSame =
                index < values.count && index < later.values.count && values[index] == later.values[index]
            if isSame, let first = start {
                ranges.append(first..<index)
                start = nil
            } else if !isSame, start == nil {
                start = index
            }
        }
        if let first = start { ranges.append(first..<count) }
        return ranges
    }

    /// Multiplies and folds, two words at a time.
    @inline(__always)
    private static func digest(_ bytes: UnsafeMutableRawBufferPointer, at start: Int) -> UInt64 {
        var state: UInt64 = 0x9E37_79B9_7F4A_7C15
        for place in stride(from: start, to: start + sector, by: 16) {
            let one = bytes.loadUnaligned(fromByteOffset: place, as: UInt64.self) ^ 0xA076_1D64_78BD_642F
            let other = bytes.loadUnaligned(fromByteOffset: place + 8, as: UInt64.self) ^ state
            let product = one.multipliedFullWidth(by: other)
            // The place goes in too, and a product of zero does not swallow what came before.
            state = (product.high ^ product.low) &+ state.rotated(by: 23) &+ UInt64(place - start)
        }
        return state
    }
}

extension UInt64 {
    @inline(__always)
    fileprivate func rotated(by count: UInt64) -> UInt64 { self << count | self >> (64 - count) }
}
