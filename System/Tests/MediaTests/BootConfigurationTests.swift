// SPDX-License-Identifier: GPL-3.0-or-later
import Media
import Testing

@Suite struct BootConfigurationTests {
    static let text = """
        version=0.1.0
        filesystem=erofs            # or squashfs
        system-partition=01234567-89ab-8def-8123-456789abcdef

        # sizes
        data-size=1048576
        hash-size=16384
        root-hash=00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff
        salt=00
        build-date=1700000000
        """

    @Test("A configuration is read, and what is written is read again")
    func aConfigurationIsRead() throws {
        let configuration = try BootConfiguration(parsing: Self.text)
        #expect(configuration.version == "0.1.0")
        #expect(configuration.fileSystem == .erofs)
        #expect(configuration.dataSize == 1_048_576)
        #expect(configuration.rootHash.prefix(3) == [0, 0x11, 0x22])
        #expect(configuration.buildDate == 1_700_000_000)
        #expect(try BootConfiguration(parsing: configuration.formatted()) == configuration)
    }

    @Test(
        "A wrong value is refused with its key and line",
        arguments: [
            ("data-size=1048576", "data-size=1048577"), ("data-size=1048576", "data-size=0"),
            ("data-size=1048576", "data-size=-4096"), ("hash-size=16384", "hash-size=20480"),
            ("filesystem=erofs            # or squashfs", "filesystem=ext4"), ("salt=00", "salt=0"),
            ("build-date=1700000000", "build-date=-1"), ("version=0.1.0", "version=0.1 0"),
            ("version=0.1.0", "version="),
            ("root-hash=0011", "root-hash=11"), ("system-partition=0123", "system-partition=123"),
        ])
    func aWrongValueIs(good: String, bad: String) throws {
        let text = Self.text.replacing(good, with: bad)
        let key = String(bad.prefix { $0 != "=" })
        let line =
            try #require(text.split(separator: "\n", omittingEmptySubsequences: false).firstIndex { $0.hasPrefix(bad) })
            + 1
        let failure = #expect(throws: BootConfiguration.Failure.self) { try BootConfiguration(parsing: text) }
        #expect(failure?.description.hasPrefix("boot.conf, line \(line): '\(key)'") == true)
    }

    @Test("Missing, repeated and unknown keys are refused")
    func missingRepeatedAndUnknown() throws {
        #expect(throws: BootConfiguration.Failure.missingKey("salt")) {
            try BootConfiguration(parsing: Self.text.replacing("salt=00\n", with: ""))
        }
        #expect(throws: BootConfiguration.Failure.repeatedKey(line: 11, key: "salt", first: 9)) {
            try BootConfiguration(parsing: Self.text + "\nsalt=11")
        }
        #expect(throws: BootConfiguration.Failure.unknownKey(line: 11, key: "debug")) {
            try BootConfiguration(parsing: Self.text + "\ndebug=1")
        }
        #expect(throws: BootConfiguration.Failure.notAPair(line: 11, text: "hello")) {
            try BootConfiguration(parsing: Self.text + "\nhello")
        }
    }

    @Test("The hash area has the size that veritysetup gives it")
    func theHashAreaHas() {
        // Superblock only; one block of hashes; 256 blocks need two and a root; 128² + 1 need three levels.
        #expect(Verity.hashAreaSize(dataSize: 4096) == 4096)
        #expect(Verity.hashAreaSize(dataSize: 128 * 4096) == 2 * 4096)
        #expect(Verity.hashAreaSize(dataSize: 256 * 4096) == 4 * 4096)
        #expect(Verity.hashAreaSize(dataSize: 16385 * 4096) == (1 + 129 + 2 + 1) * 4096)
        #expect(Verity.hashAreaSize(dataSize: 1) == nil)
    }

    @Test("A superblock is told from zeros and noise")
    func aSuperblockIsTold() {
        var block = [UInt8](repeating: 0, count: 4096)
        #expect(Verity.Superblock(parsing: block) == nil)
        block.replaceSubrange(0..<8, with: Array("verity\0\0".utf8))
        block[8] = 1
        block[12] = 1
        block.replaceSubrange(32..<38, with: Array("sha256".utf8))
        block[65] = 0x10
        block[69] = 0x10
        block[72] = 9
        block[80] = 2
        block[88] = 0xaa
        let superblock = Verity.Superblock(parsing: block)
        #expect(superblock?.algorithm == "sha256")
        #expect(superblock?.dataBlocks == 9)
        #expect(superblock?.salt == [0xaa, 0])
        #expect(superblock?.dataBlockSize == 4096)
        block[81] = 0xff
        #expect(Verity.Superblock(parsing: block) == nil)
        #expect(Verity.Superblock(parsing: Array(block[..<100])) == nil)
    }
}
