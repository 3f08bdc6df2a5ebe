// SPDX-License-Identifier: GPL-3.0-or-later
import Media
import Testing

@Suite struct GPTTests {
    static func sample(sectorSize: Int = 512) throws -> GPT {
        let unique = try #require(GUID("01234567-89ab-8def-8123-456789abcdef"))
        let other = try #require(GUID("11234567-89ab-8def-8123-456789abcdef"))
        return GPT(
            diskGUID: try #require(GUID("aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee")), sectorSize: sectorSize,
            sectorCount: 32768,
            partitions: [
                .init(type: .biosBoot, unique: other, firstSector: 2048, lastSector: 4095, name: "BIOS boot"),
                .init(type: .linuxData, unique: unique, firstSector: 4096, lastSector: 30000, name: "Système 😀"),
            ])
    }

    @Test("What was encoded is what is parsed", arguments: [512, 4096])
    func whatWasEncodedIs(sectorSize: Int) throws {
        let table = try Self.sample(sectorSize: sectorSize)
        let bytes = try table.encodedPrimary(bootCode: [0xeb, 0x63])
        #expect(bytes.count == Int(table.firstUsableSector) * sectorSize)
        #expect(Array(bytes[0..<2]) == [0xeb, 0x63])
        #expect(Array(bytes[510..<512]) == [0x55, 0xaa])
        #expect(try GPT(parsing: bytes, sectorSize: sectorSize) == table)
        let found = table.partition(unique: try #require(GUID("01234567-89AB-8DEF-8123-456789ABCDEF")))
        #expect(found?.number == 2)
        #expect(found?.partition.sectorCount == 25905)
    }

    @Test("The backup is a table too")
    func theBackupIsA() throws {
        let table = try Self.sample()
        let backup = try table.encodedBackup()
        #expect(table.backupOffset + UInt64(backup.count) == 32768 * 512)
        let header = try GPT.Header(parsing: Array(backup.suffix(512)), sectorSize: 512)
        #expect(header.entriesOffset == table.backupOffset)
        #expect(try GPT(header: header, entries: backup).partitions == table.partitions)
    }

    @Test("A flipped byte in header or entries is noticed")
    func aFlippedByteIn() throws {
        let table = try Self.sample()
        let bytes = try table.encodedPrimary()
        let covered = Array(512..<512 + 92) + Array(1024..<1024 + 128 * 128)
        for offset in covered where offset < 1024 || offset.isMultiple(of: 53) {
            var damaged = bytes
            damaged[offset] ^= 0x10
            #expect(throws: GPT.ParseError.self, "byte \(offset)") { try GPT(parsing: damaged) }
        }
        // Bytes that no checksum covers do not matter.
        var boot = bytes
        boot[3] ^= 0x10
        #expect(try GPT(parsing: boot) == table)
    }

    @Test("Any cut and any noise ends in an error and not in a trap")
    func anyCutAndAny() throws {
        let bytes = try Self.sample().encodedPrimary()
        for length in stride(from: 0, to: bytes.count, by: 97) {
            #expect(throws: GPT.ParseError.self) { try GPT(parsing: Array(bytes[..<length])) }
        }
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<200 {
            var noise = (0..<2048).map { _ in UInt8.random(in: 0...255, using: &generator) }
            noise.replaceSubrange(512..<520, with: Array("EFI PART".utf8))
            #expect(throws: GPT.ParseError.self) { try GPT(parsing: noise) }
        }
    }

    @Test("A disk without a table says so")
    func aDiskWithoutA() {
        #expect(throws: GPT.ParseError.absent) { try GPT(parsing: [UInt8](repeating: 0, count: 34 * 512)) }
        #expect(throws: GPT.ParseError.self) { try GPT(parsing: [UInt8](repeating: 0, count: 9000), sectorSize: 513) }
    }

    @Test("Hostile numbers with right checksums are refused")
    func hostileNumbersWithRight() throws {
        let bytes = try Self.sample().encodedPrimary()
        func header(_ offset: Int, _ value: [UInt8]) -> [UInt8] {
            var changed = bytes
            changed.replaceSubrange(512 + offset..<512 + offset + value.count, with: value)
            changed.replaceSubrange(528..<532, with: [0, 0, 0, 0])
            let size = Int(changed[524]) | Int(changed[525]) << 8
            let sum = Self.slowCRC(Array(changed[512..<512 + min(size, 512)]))
            changed.replaceSubrange(528..<532, with: (0..<4).map { UInt8(truncatingIfNeeded: sum >> (8 * $0)) })
            return changed
        }
        #expect(try GPT(parsing: header(0, [])) == Self.sample())
        let all = [UInt8](repeating: 0xff, count: 8)
        let cases: [(Int, [UInt8])] = [
            (12, [0xff, 0xff, 0xff, 0xff]), (12, [0, 0, 0, 0]), (12, [0, 16, 0, 0]),
            (72, all), (72, [0, 0, 0, 0, 0, 0, 0, 0x80]), (72, [0, 0, 0, 0, 0, 0, 0, 0]),
            (72, [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x3f, 0]),
            (80, [0xff, 0xff, 0xff, 0xff]), (80, [0, 0, 0, 0]), (84, [0, 0, 0, 0]), (84, [0xff, 0xff, 0xff, 0x7f]),
            (84, [129, 0, 0, 0]),
        ]
        for (offset, value) in cases {
            #expect(throws: GPT.ParseError.self, "\(offset) \(value)") { try GPT(parsing: header(offset, value)) }
        }
    }

    @Test("Tables that make no sense are not written")
    func tablesThatMakeNo() throws {
        var overlapping = try Self.sample()
        overlapping.entries[1]?.firstSector = 4095
        #expect(throws: GPT.EncodingError.overlap(1, 2)) { try overlapping.encodedPrimary() }
        var outside = try Self.sample()
        outside.entries[1]?.lastSector = 32768
        #expect(throws: GPT.EncodingError.outsideDisk(number: 2)) { try outside.encodedBackup() }
        var twice = try Self.sample()
        let first = try #require(twice.entries[0])
        twice.entries[1]?.unique = first.unique
        #expect(throws: GPT.EncodingError.identifier(number: 2)) { try twice.encodedPrimary() }
        var small = try Self.sample()
        small.sectorCount = 20
        #expect(throws: GPT.EncodingError.diskTooSmall(sectorCount: 20)) { try small.encodedPrimary() }
        #expect(throws: GPT.EncodingError.bootCodeTooLong(441)) {
            try Self.sample().encodedPrimary(bootCode: [UInt8](repeating: 1, count: 441))
        }
    }

    /// Another way to the same number, so that the test does not lean on the code under test.
    static func slowCRC(_ bytes: [UInt8]) -> UInt32 {
        var crc: UInt32 = 0xffff_ffff
        for byte in bytes {
            crc ^= UInt32(byte)
            for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xedb8_8320 : crc >> 1 }
        }
        return ~crc
    }
}

@Suite struct GUIDTests {
    @Test("Text and bytes on disk are those of the UEFI specification")
    func textAndBytesOn() throws {
        let efi = try #require(GUID("C12A7328-F81F-11D2-BA4B-00A0C93EC93B"))
        #expect(efi == .efiSystem)
        #expect(efi.description == "c12a7328-f81f-11d2-ba4b-00a0c93ec93b")
        #expect(Array(efi.diskBytes[0..<8]) == [0x28, 0x73, 0x2a, 0xc1, 0x1f, 0xf8, 0xd2, 0x11])
        #expect(GUID(diskBytes: efi.diskBytes) == efi)
        #expect(GUID.biosBoot.diskBytes == Array("Hah!IdontNeedEFI".utf8))
    }

    @Test(
        "Anything else is not a GUID",
        arguments: [
            "", "c12a7328", "c12a7328-f81f-11d2-ba4b-00a0c93ec93", "c12a7328-f81f-11d2-ba4b-00a0c93ec93bb",
            "c12a7328f81f11d2ba4b00a0c93ec93b", "g12a7328-f81f-11d2-ba4b-00a0c93ec93b",
            "c12a7328-f81f-11d2-ba4b--0a0c93ec93b",
        ])
    func anythingElseIsNot(text: String) {
        #expect(GUID(text) == nil)
    }

    @Test("A hash gives a version 8 GUID and a short one none")
    func aHashGivesA() {
        #expect(
            GUID(derivedFromHash: [UInt8](repeating: 0xff, count: 32))?.description
                == "ffffffff-ffff-8fff-bfff-ffffffffffff")
        #expect(GUID(derivedFromHash: [1, 2, 3]) == nil)
    }
}
