// SPDX-License-Identifier: GPL-3.0-or-later
import Media

/// The names and GUIDs that media carry. They are the same for everybody: a random one would tell one download from another.
enum MediumIdentity {
    /// The BIOS boot partition of every stick.
    static let biosBoot = fixed("0b105b00-7e1d-4a11-8c3e-4e6565646c65")
    /// The EFI system partition of every medium.
    static let firmware = fixed("0ef15e5b-7e1d-4a11-8c3e-4e6565646c65")

    /// The GUID of a whole disk, which differs where the system differs: Windows, for one, takes a second disk with the same
    /// GUID off-line.
    static func disk(of system: GUID) -> GUID {
        var bytes = system.diskBytes
        bytes[15] ^= 0xff
        return GUID(diskBytes: bytes) ?? system
    }

    static func firmwarePartition(_ extent: StickLayout.Extent) -> GPT.Partition {
        GPT.Partition(
            type: .efiSystem, unique: firmware, firstSector: extent.first, lastSector: extent.last,
            name: "EFI system partition")
    }

    static func systemPartition(_ extent: StickLayout.Extent, unique: GUID) -> GPT.Partition {
        GPT.Partition(
            type: .linuxData, unique: unique, firstSector: extent.first, lastSector: extent.last,
            attributes: Attributes.readOnly | Attributes.notMountedByItself, name: "system")
    }

    /// Attribute bits that Linux and Windows share for data partitions.
    private enum Attributes {
        static let readOnly: UInt64 = 1 << 60
        static let notMountedByItself: UInt64 = 1 << 63
    }

    private static func fixed(_ text: StaticString) -> GUID { GUID(text.description) ?? .zero }
}

/// The first sector's partition list, which a GPT disk has only for programs that do not know GPT.
enum ProtectiveRecord {
    /// Adds an entry that is marked active, and uses no sector, to the list in a disk's first sector.
    ///
    /// Some BIOSes start no disk without an active entry. The flag may not be on the protective entry itself, for then some
    /// UEFI firmware does not see the GPT any more; an entry of type 0, which all take for empty, satisfies both. The
    /// hybrid images of most distributions do the same (xorriso's `--mbr-force-bootable`).
    static func activate(_ firstSectors: inout [UInt8]) {
        firstSectors[462] = 0x80
        // xorriso gives its entry one block, the first: a length of 0 is not accepted everywhere.
        firstSectors[474] = 1
    }
}
