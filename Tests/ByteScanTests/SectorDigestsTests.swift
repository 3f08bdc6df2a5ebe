// SPDX-License-Identifier: GPL-3.0-or-later
import Foundation
import SystemPackage
import Testing

@testable import ByteScan

@Suite("Digests of sectors")
struct SectorDigestsTests {
    func digests(_ bytes: [UInt8]) throws -> SectorDigests {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        try Data(bytes).write(to: path)
        defer { try? FileManager.default.removeItem(at: path) }
        return try SectorDigests(of: FilePath(path.path))
    }

    @Test("a single bit that changed names its sector, wherever it is")
    func oneBit() throws {
        var bytes = PatternSearchTests.noise(64 * 512)
        for index in 0..<32 * 512 { bytes[index] = 0 }
        let before = try digests(bytes)
        #expect(before.values.count == 64)
        for place in [0, 511, 512, 5 * 512 + 77, 31 * 512 + 8, 32 * 512, 63 * 512 + 511] {
            var other = bytes
            other[place] ^= 0x10
            #expect(before.changes(to: try digests(other)) == [place / 512..<place / 512 + 1], "byte \(place)")
        }
        #expect(before.changes(to: try digests(bytes)).isEmpty)
    }

    @Test("neighbouring sectors are one range, and a longer or shorter disk is a change")
    func ranges() throws {
        let bytes = PatternSearchTests.noise(10 * 512)
        let before = try digests(bytes)
        var other = bytes
        for sector in [2, 3, 4, 9] { other[sector * 512] ^= 1 }
        #expect(before.changes(to: try digests(other)) == [2..<5, 9..<10])
        #expect(before.changes(to: try digests(bytes + [1])) == [10..<11])
        #expect(before.changes(to: try digests(Array(bytes.dropLast(1024)))) == [8..<10])
    }

    @Test("swapped words and sectors are changes")
    func swapped() throws {
        let bytes = PatternSearchTests.noise(512)
        var other = bytes
        for index in 0..<8 { other.swapAt(index, index + 8) }
        #expect(try digests(bytes).changes(to: try digests(other)) == [0..<1])
        other = bytes
        for index in 0..<16 { other.swapAt(index, index + 16) }
        #expect(try digests(bytes).changes(to: try digests(other)) == [0..<1])
    }
}
