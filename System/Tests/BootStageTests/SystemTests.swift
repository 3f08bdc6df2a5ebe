// SPDX-License-Identifier: GPL-3.0-or-later
import Media
import Testing

@testable import BootStage
@testable import Disks

@Suite("From the medium to the system")
struct SystemTests {
    static func configuration(salt: [UInt8] = [1, 2]) throws -> BootConfiguration {
        try BootConfiguration(
            version: "1", fileSystem: .erofs, systemPartition: try #require(GUID(derivedFromHash: Array(0..<16))),
            dataSize: 1_048_576, hashSize: 16_384, rootHash: [UInt8](repeating: 0xab, count: 32), salt: salt,
            buildDate: 0)
    }

    @Test("the table for dm-verity has the hashes behind the superblock and no options")
    func verityTable() throws {
        let root = String(repeating: "ab", count: 32)
        #expect(
            DeviceTable.verity(device: "/dev/dm-0", configuration: try Self.configuration())
                == "1 /dev/dm-0 /dev/dm-0 4096 4096 256 257 sha256 \(root) 0102")
        #expect(DeviceTable.verity(device: "/dev/x", configuration: try Self.configuration(salt: [])).hasSuffix(" -"))
        #expect(DeviceTable.linear(device: "/dev/sr0", firstSector: 64) == "/dev/sr0 64")
    }

    static func partition(_ first: UInt64, _ last: UInt64) -> GPT.Partition {
        .init(type: .linuxData, unique: .efiSystem, firstSector: first, lastSector: last, name: "")
    }

    @Test("a system that fits its partition and disk to the last byte is taken, one byte less is not")
    func extents() throws {
        let configuration = try Self.configuration()
        let sectors: UInt64 = (1_048_576 + 16_384) / 512
        let end = (100 + sectors) * 512
        let whole = Self.partition(100, 99 + sectors)
        let extent = try SystemExtent(whole, sectorSize: 512, diskSize: end, configuration: configuration)
        #expect(extent.offset == 51_200)
        #expect(extent.length == 1_064_960)
        #expect(throws: BootFailure.self) {
            try SystemExtent(whole, sectorSize: 512, diskSize: end - 1, configuration: configuration)
        }
        let short = Self.partition(100, 98 + sectors)
        let failure = #expect(throws: BootFailure.self) {
            try SystemExtent(short, sectorSize: 512, diskSize: end, configuration: configuration)
        }
        #expect(failure?.code == "system-cut-short")
        let absurd = Self.partition(UInt64.max - 1, UInt64.max)
        #expect(throws: BootFailure.self) {
            try SystemExtent(absurd, sectorSize: 4096, diskSize: end, configuration: configuration)
        }
    }

    @Test("the report is JSON whatever a drive calls itself")
    func report() {
        let disk = Disk(name: "sda", bus: .usb, isRemovable: true, size: 1, model: "A\"\\\u{1}", location: .init())
        let report = BootReport(
            version: "0.1.0", disk: disk, isToRAM: false, phases: [("start", 2.5), ("medium", 10.0004)])
        #expect(report.json.contains(#""phases": {"start": 2.500, "medium": 10.000}"#))
        #expect(report.json.contains(#""model": "A\"\\\u0001""#))
    }

    static let failures: [BootFailure] = [
        .incomplete("x"), .tooLittleMemory(found: 1, needed: 2), .mediumNotFound(seen: []),
        .mediumNotFound(seen: ["One (sda): is empty", "Two (sdb)"]), .severalMedia(["A (sda)", "B (sdb)"]),
        .mediumRemoved("x"), .systemCutShort("x"), .verityMissing("x"),
        .systemDamaged(String(repeating: "y", count: 2000)),
        .noMemoryForToRAM(needed: 1, available: 0), .root("x"), .firewall("x"), .namespaces("x"), .handover("x"),
    ]

    @Test("every failure has a page that fits a text screen and says how to switch off", arguments: failures)
    func pages(failure: BootFailure) {
        let lines = FailureScreen.lines(failure, version: "0.1.0")
        #expect(lines.count <= 25)
        #expect(lines.allSatisfy { $0.count <= 76 && $0.utf8.allSatisfy { (0x20...0x7e).contains($0) } })
        #expect(lines.last == Message.switchOff)
        #expect(lines.contains { $0.contains("Nothing was changed on this computer") })
    }

    @Test("text is wrapped at blanks, lists keep their indent and long words are cut")
    func wrapping() {
        #expect(FailureScreen.wrapped("aa bb cc", width: 5) == ["aa bb", "cc"])
        #expect(FailureScreen.wrapped("  - aa bb", width: 7) == ["  - aa", "  bb"])
        #expect(FailureScreen.wrapped("abcdefg", width: 3) == ["abc", "def", "g"])
        #expect(FailureScreen.wrapped("", width: 3) == [""])
    }

    @Test("sizes read as on the package of a stick")
    func sizes() {
        #expect(Disk.decimalSize(15_376_000_000) == "15.3 GB")
        #expect(Disk.decimalSize(999) == "0 kB")
        #expect(Disk.decimalSize(2_000_000_000_000) == "2.0 TB")
    }
}
