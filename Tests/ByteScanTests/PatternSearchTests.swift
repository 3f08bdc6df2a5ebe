// SPDX-License-Identifier: GPL-3.0-or-later
import Foundation
import SystemPackage
import Testing

@testable import ByteScan

@Suite("Looking for patterns")
struct PatternSearchTests {
    /// Letters and digits by chance, the same each time.
    static func marker(_ seed: UInt64, length: Int = 56) -> [UInt8] {
        var state = seed
        return (0..<length).map { _ in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789".utf8)[Int(state >> 33) % 62]
        }
    }

    static func noise(_ count: Int, seed: UInt64 = 7) -> [UInt8] {
        var state = seed
        return (0..<count).map { _ in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return UInt8(truncatingIfNeeded: state >> 40)
        }
    }

    /// Much noise in little time: the same MiB again and again, each turned a little.
    static func muchNoise(_ mebibytes: Int) -> [UInt8] {
        let one = noise(1 << 18)
        return (0..<mebibytes * 4).reduce(into: []) { $0 += one[$1...] + one[..<$1] }
    }

    static func record(_ marker: [UInt8], _ number: Int) -> [UInt8] {
        marker + Array(String(format: "%08x", number).utf8)
    }

    func withFile<Value>(_ bytes: [UInt8], _ body: (FilePath) throws -> Value) throws -> Value {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        try Data(bytes).write(to: path)
        defer { try? FileManager.default.removeItem(at: path) }
        return try body(FilePath(path.path))
    }

    @Test("a copy is found wherever it lies: at any place in a word, across pages and across the pieces that are read")
    func everywhere() throws {
        let marker = Self.marker(1)
        let pattern = try Pattern("one", bytes: marker, leastFragment: 8, isNumbered: true)
        let search = PatternSearch([pattern], piece: 4096)
        for place in Array(0...9) + Array(4090...4101) + Array(4190...4300) + [16_384 - 64] {
            var bytes = Self.noise(16_384)
            bytes.replaceSubrange(place..<place + 64, with: Self.record(marker, 42))
            let tally = try withFile(bytes) { try search.tallies(in: $0)[0] }
            #expect(tally.whole == 1 && tally.fragments == 0 && tally.numbers == 1, "at \(place): \(tally)")
            #expect(tally.places == [place])
        }
    }

    @Test("any eight bytes of a marker are found, and seven are not")
    func parts() throws {
        let marker = Self.marker(2)
        let search = PatternSearch([try Pattern("one", bytes: marker, leastFragment: 8)], piece: 4096)
        for (count, expected) in [(8, 1), (9, 1), (55, 1), (7, 0)] {
            for start in 0...(56 - count) {
                var bytes = [UInt8](repeating: 0, count: 256)
                bytes.replaceSubrange(101 + start..<101 + start + count, with: marker[start..<start + count])
                let tally = search.tallies(in: bytes)[0]
                #expect(tally.fragments == expected && tally.whole == 0, "\(count) bytes from \(start)")
            }
        }
    }

    @Test("one copy among millions of others is found, and each is counted once")
    func oneAmongMillions() throws {
        let common = Self.marker(3)
        let rare = Self.marker(4)
        let count = 2_000_000
        let rarePlace = 1_234_567
        // A debug build is slow: a thousand records at once, then the digits that count the thousands.
        let digits = Array("0123456789abcdef".utf8)
        let block = (0..<4096).flatMap { common + Array(String(format: "%08x", $0).utf8) }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count * 64)
        while bytes.count < count * 64 { bytes += block }
        bytes.removeLast(bytes.count - count * 64)
        bytes.withUnsafeMutableBufferPointer { bytes in
            for number in 4096..<count {
                bytes[number * 64 + 58] = digits[number >> 20]
                bytes[number * 64 + 59] = digits[number >> 16 & 15]
                bytes[number * 64 + 60] = digits[number >> 12 & 15]
            }
        }
        bytes.replaceSubrange(rarePlace * 64..<rarePlace * 64 + 56, with: rare)
        let search = PatternSearch([
            try Pattern("common", bytes: common, leastFragment: 8, isNumbered: true),
            try Pattern("rare", bytes: rare, leastFragment: 8, isNumbered: true),
        ])
        let tallies = try withFile(bytes) { try search.tallies(in: $0) }
        #expect(tallies[0].whole == count - 1 && tallies[0].numbers == count - 1 && tallies[0].fragments == 0)
        #expect(tallies[1].whole == 1 && tallies[1].numbers == 1 && tallies[1].places == [rarePlace * 64])
    }

    @Test("copies of the same number count as one number, and what is no number counts as none")
    func numbers() throws {
        let marker = Self.marker(5)
        let search = PatternSearch([try Pattern("one", bytes: marker, leastFragment: 8, isNumbered: true)])
        let bytes =
            Self.record(marker, 1) + Self.record(marker, 1) + Self.record(marker, 2) + marker + Array("no digits".utf8)
        let tally = search.tallies(in: bytes)[0]
        #expect(tally.whole == 4 && tally.numbers == 2)
    }

    @Test("nothing is found where nothing was planted: zeros, noise, and a marker turned round")
    func nothing() throws {
        let markers = (10..<40).map { Self.marker(UInt64($0)) }
        let search = PatternSearch(try markers.map { try Pattern("one", bytes: $0, leastFragment: 8) })
        let bytes = Self.muchNoise(4) + [UInt8](repeating: 0, count: 1 << 20) + Array(markers[0].reversed())
        let found = search.tallies(in: bytes).filter { !$0.isEmpty }
        #expect(found.isEmpty)
    }

    @Test("text is found as it stands on consoles and in programs that use more bytes a character")
    func spellings() throws {
        let marker = Self.marker(6)
        for spelling in Pattern.Spelling.allCases {
            let pattern = try Pattern("one", bytes: marker, leastFragment: 8).spelled(spelling)
            var bytes = Self.noise(4096)
            let text: [UInt8] =
                switch spelling {
                case .plain: marker
                case .utf16: marker.flatMap { [$0, 0] }
                case .utf32: marker.flatMap { [$0, 0, 0, 0] }
                case .cells: marker.flatMap { [$0, 7] }
                }
            bytes.replaceSubrange(1001..<1001 + text.count, with: text)
            #expect(PatternSearch([pattern]).tallies(in: bytes)[0].whole == 1, "\(spelling)")
        }
    }

    @Test("what is not made by chance is found whole only")
    func wholeOnly() throws {
        let address = Array("http://203.0.113.80/a-page-of-the-session".utf8)
        let search = PatternSearch([try Pattern("address", bytes: address)])
        for shift in 0..<8 {
            let bytes = Self.noise(100 + shift) + address + Array("http://203.0.113.80/another".utf8)
            let tally = search.tallies(in: bytes)[0]
            #expect(tally.whole == 1 && tally.fragments == 0)
        }
    }

    @Test("what would be found by chance cannot be looked for")
    func refused() {
        #expect(throws: Pattern.Failure.self) { try Pattern("short", bytes: [1, 2, 3, 4, 5, 6, 7]) }
        #expect(throws: Pattern.Failure.self) { try Pattern("uniform", bytes: Array(repeating: 0, count: 64)) }
        #expect(throws: Errno.self) { try PatternSearch([]).tallies(in: "/nowhere/at/all") }
    }

    @Test("gigabytes take seconds: zeros and noise, with a hundred patterns")
    func speed() throws {
        let patterns = try (0..<100).map {
            try Pattern("one", bytes: Self.marker(UInt64($0 + 100)), leastFragment: 8)
        }
        let bytes = Self.muchNoise(16) + [UInt8](repeating: 0, count: 48 << 20)
        let start = ContinuousClock.now
        let found = PatternSearch(patterns).tallies(in: bytes).filter { !$0.isEmpty }
        #expect(found.isEmpty)
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        #expect(seconds < 5, "Was it compiled without optimisation?")
    }
}
