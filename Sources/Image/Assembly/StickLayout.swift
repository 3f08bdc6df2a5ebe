// SPDX-License-Identifier: GPL-3.0-or-later
import Media

/// What lies where on a stick: BIOS boot │ EFI system partition │ system, each at whole mebibytes.
struct StickLayout: Equatable {
    /// A range of sectors of 512 bytes.
    struct Extent: Equatable {
        /// The first sector.
        let first: UInt64
        /// How many.
        let count: UInt64
        /// Bytes from the start of the medium.
        var offset: UInt64 { first * 512 }
        /// The last sector.
        var last: UInt64 { first + count - 1 }
    }

    /// GRUB's core image for a BIOS.
    let biosBoot: Extent
    /// Shim, GRUB, kernel and initramfs.
    let firmware: Extent
    /// The system image, with no padding behind it.
    let system: Extent
    /// All sectors of the image.
    let sectorCount: UInt64

    /// Sectors in a mebibyte: sticks erase in blocks of that order, and 4096-byte sectors fit into it.
    private static let mebibyte: UInt64 = 2048

    /// Lays partitions out.
    ///
    /// - Parameters:
    ///   - firmwareSize: bytes of the EFI system partition; a multiple of 512.
    ///   - systemSize: bytes of the system image; a multiple of 4096.
    init(firmwareSize: UInt64, systemSize: UInt64) {
        biosBoot = Extent(first: Self.mebibyte, count: Self.mebibyte)
        firmware = Extent(first: 2 * Self.mebibyte, count: firmwareSize / 512)
        system = Extent(first: Self.aligned(firmware.last + 1), count: systemSize / 512)
        // Behind the system lies the backup table: 33 sectors; whole mebibytes, for tools that write in blocks.
        sectorCount = Self.aligned(system.last + 1 + 33)
    }

    /// The partition table.
    func table(system unique: GUID) -> GPT {
        GPT(
            diskGUID: MediumIdentity.disk(of: unique), sectorCount: sectorCount,
            partitions: [
                GPT.Partition(
                    type: .biosBoot, unique: MediumIdentity.biosBoot, firstSector: biosBoot.first,
                    lastSector: biosBoot.last, name: "BIOS boot"),
                MediumIdentity.firmwarePartition(firmware),
                MediumIdentity.systemPartition(system, unique: unique),
            ])
    }

    static func aligned(_ sector: UInt64) -> UInt64 { (sector + mebibyte - 1) / mebibyte * mebibyte }
}
