// SPDX-License-Identifier: GPL-3.0-or-later
import Foundation

/// Looks for what must not be in a frame, in each of the forms in which programs write it.
struct Traces {
    let bytes: [UInt8]
    private let folded: [UInt8]

    init(bytes: [UInt8]) {
        self.bytes = bytes
        folded = bytes.map(Self.lower)
    }

    /// Whether a hardware address is there: as bytes, as text with colons, dashes, dots or nothing between, or stretched to
    /// an IPv6 interface identifier (RFC 4291, appendix A).
    func hold(_ address: MACAddress) -> Bool {
        let raw = address.bytes
        let identifier = [raw[0] ^ 2, raw[1], raw[2], 0xFF, 0xFE, raw[3], raw[4], raw[5]]
        if Self.find(raw, in: bytes) || Self.find(identifier, in: bytes) { return true }
        let pairs = raw.map(hexadecimal)
        let quads = stride(from: 0, to: 6, by: 2).map { pairs[$0] + pairs[$0 + 1] }
        let texts = [
            pairs.joined(separator: ":"), pairs.joined(separator: "-"), quads.joined(separator: "."), pairs.joined(),
        ]
        return texts.contains { hold($0) }
    }

    /// Whether a word is there in whatever case, as UTF-8 or UTF-16.
    func hold(_ word: String) -> Bool {
        let small = word.utf8.map(Self.lower)
        let wide = word.utf16.flatMap { [Self.lower(UInt8($0 & 0xFF)), UInt8($0 >> 8)] }
        return !small.isEmpty && (Self.find(small, in: folded) || Self.find(wide, in: folded))
    }

    private static func lower(_ byte: UInt8) -> UInt8 { (65...90).contains(byte) ? byte + 32 : byte }

    private static func find(_ needle: [UInt8], in bytes: [UInt8]) -> Bool {
        bytes.withUnsafeBytes { ByteSearch.first(needle, in: $0, from: 0) != nil }
    }
}

/// Finds bytes among bytes with C's functions: captures and memory dumps are large, and a debug build is slow.
enum ByteSearch {
    /// Where a needle begins, at or after a place; `nil` when it is not there or is empty.
    static func first(_ needle: [UInt8], in bytes: UnsafeRawBufferPointer, from place: Int) -> Int? {
        guard let head = needle.first, let base = bytes.baseAddress else { return nil }
        var start = place
        while start + needle.count <= bytes.count,
            let found = memchr(base + start, Int32(head), bytes.count - needle.count - start + 1)
        {
            if memcmp(found, needle, needle.count) == 0 { return UnsafeRawPointer(found) - base }
            start = UnsafeRawPointer(found) - base + 1
        }
        return nil
    }
}
