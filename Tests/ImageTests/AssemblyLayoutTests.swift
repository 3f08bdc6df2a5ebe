// SPDX-License-Identifier: GPL-3.0-or-later
import Media
import Testing

@testable import Image

@Suite struct AssemblyLayoutTests {
    static let system = GUID("01234567-89ab-8def-8123-456789abcdef") ?? .zero

    @Test func aStickHasItsThreePartitionsInOrder() throws {
        let layout = StickLayout(firmwareSize: 65 << 20, systemSize: 5000 * 4096)
        let start = try layout.table(system: Self.system).encodedPrimary()
        let table = try GPT(parsing: start)
        #expect(table.partitions.map(\.type) == [.biosBoot, .efiSystem, .linuxData])
        #expect(table.partitions.map(\.firstSector) == [2048, 4096, 4096 + 65 * 2048])
        #expect(table.partitions.map(\.sectorCount) == [2048, 65 * 2048, 5000 * 8])
        #expect(table.partition(unique: Self.system)?.number == 3)
        #expect(table.sectorCount == layout.sectorCount)
    }

    @Test(arguments: [4096, 1_044_480, 1_048_576, 1_052_672, 268_419_072, 314_572_800] as [UInt64])
    func thereIsRoomForTheBackupTableBehindAnySystem(size: UInt64) throws {
        let layout = StickLayout(firmwareSize: 34 << 20, systemSize: size)
        let table = layout.table(system: Self.system)
        #expect(table.backupOffset >= layout.system.offset + size)
        #expect(try table.encodedBackup().count == 33 * 512)
        #expect(layout.sectorCount % 2048 == 0)
        #expect(layout.system.first % 2048 == 0)
    }

    @Test func twoVersionsAreTwoDisks() {
        let other = GUID("11234567-89ab-8def-8123-456789abcdef") ?? .zero
        #expect(MediumIdentity.disk(of: Self.system) != MediumIdentity.disk(of: other))
        #expect(MediumIdentity.disk(of: Self.system) != Self.system)
        #expect(Set([MediumIdentity.biosBoot, MediumIdentity.firmware, .zero]).count == 3)
    }

    @Test func anOldBIOSFindsAnActiveEntryAndUEFIAnUntouchedOne() throws {
        let layout = StickLayout(firmwareSize: 34 << 20, systemSize: 4096)
        let before = try layout.table(system: Self.system).encodedPrimary()
        var after = before
        ProtectiveRecord.activate(&after)
        #expect(Array(after[446..<462]) == Array(before[446..<462]))
        #expect(after[446] == 0 && after[450] == 0xee)
        #expect(after[462] == 0x80 && after[466] == 0)
        #expect(after[510...] == before[510...])
        #expect(try GPT(parsing: after) == GPT(parsing: before))
    }

    @Test(arguments: [0, 1, 30, 33, 60, 66, 120, 250, 600] as [UInt64])
    func aFAT32SystemIsOneAndHasRoom(mebibytes: UInt64) {
        let content = mebibytes << 20
        let geometry = FATGeometry(.fat32, content: content, reserve: 5 << 20)
        let cluster = UInt64(geometry.sectorsPerCluster * 512)
        // 32 reserved sectors and two tables of four bytes a cluster; whole sectors.
        let clusters = (geometry.size - 32 * 512) / (cluster + 8) - 1
        #expect(clusters >= 65525)
        #expect(clusters * cluster >= content + 5 << 20)
        #expect(geometry.size % (1 << 20) == 0)
        #expect(geometry.size <= max(35 << 20, content + (5 << 20) + content / 40 + (3 << 20)))
    }

    @Test func foldersComeBeforeWhatIsInThem() {
        let files = ["EFI/BOOT/a", "EFI/BOOT/b", "EFI/debian/c", "needletail/d", "e"]
        let partition = FirmwarePartition(
            buildRoot: BuildRoot(root: "/r", epoch: 0),
            files: files.map { FirmwarePartition.File(path: $0, source: "/x") }, kind: .small, reserve: 0)
        #expect(partition.folders == ["EFI", "EFI/BOOT", "EFI/debian", "needletail"])
    }

    @Test func theImageForUEFIIsFoundInABootCatalogue() throws {
        var record = [UInt8](repeating: 0, count: 2048)
        record.replaceSubrange(1..<7, with: Array("CD001".utf8) + [1])
        record.replaceSubrange(7..<30, with: Array("EL TORITO SPECIFICATION".utf8))
        record[0x47] = 0x22
        record[0x48] = 0x01
        #expect(try DiscImage.catalogue(bootRecord: record) == 0x122)
        record[0] = 1
        #expect(throws: MediaFailure.self) { try DiscImage.catalogue(bootRecord: record) }

        var catalogue = [UInt8](repeating: 0, count: 2048)
        catalogue[0] = 1
        catalogue.replaceSubrange(32..<44, with: [0x88, 0, 0, 0, 0, 0, 4, 0, 99, 0, 0, 0])
        #expect(throws: MediaFailure.self) { try DiscImage.firmwareImage(catalogue: catalogue) }
        catalogue.replaceSubrange(64..<68, with: [0x91, 0xef, 1, 0])
        catalogue.replaceSubrange(96..<108, with: [0x88, 0, 0, 0, 0, 0, 0, 32, 0x34, 0x12, 0, 0])
        #expect(try DiscImage.firmwareImage(catalogue: catalogue) == 0x1234)
        catalogue[65] = 0
        #expect(throws: MediaFailure.self) { try DiscImage.firmwareImage(catalogue: catalogue) }
        #expect(DiscImage.volumeSize(blocks: 0x0102_0304) == [4, 3, 2, 1, 1, 2, 3, 4])
    }
}
