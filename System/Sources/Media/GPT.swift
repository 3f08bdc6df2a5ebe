// SPDX-License-Identifier: GPL-3.0-or-later

/// A GUID partition table: what partitions a medium has. UEFI specification 2.10, chapter 5.
///
/// The builder makes one and encodes it; the boot stage parses the one on every disk that it meets, whoever wrote it.
/// So parsing bounds every number before it is used, and checks both checksums.
public struct GPT: Hashable, Sendable {
    /// Identifies the disk.
    public var diskGUID: GUID
    /// Bytes in one logical block: a power of two from 512 to 4096.
    public var sectorSize: Int
    /// Logical blocks of the whole disk, backup table included.
    public var sectorCount: UInt64
    /// The partitions in the order of their numbers; the first is partition 1. `nil` is an unused number.
    public var entries: [Partition?]

    /// How many entries an encoded table has room for. 128 is what the specification asks for at the least.
    public static let entryCapacity = 128

    /// Makes a table; its size and its partitions are judged when it is encoded.
    ///
    /// - Parameters:
    ///   - diskGUID: identifies the disk.
    ///   - sectorSize: bytes in one logical block.
    ///   - sectorCount: logical blocks of the whole disk.
    ///   - partitions: partition 1 and those after it.
    public init(diskGUID: GUID, sectorSize: Int = 512, sectorCount: UInt64, partitions: [Partition]) {
        self.diskGUID = diskGUID
        self.sectorSize = sectorSize
        self.sectorCount = sectorCount
        entries = partitions
    }

    init(diskGUID: GUID, sectorSize: Int, sectorCount: UInt64, entries: [Partition?]) {
        self.diskGUID = diskGUID
        self.sectorSize = sectorSize
        self.sectorCount = sectorCount
        self.entries = entries
    }

    /// The partitions that exist, in the order of their numbers.
    public var partitions: [Partition] { entries.compactMap { $0 } }

    /// The partition with a unique GUID.
    ///
    /// - Parameter unique: the GUID looked for.
    /// - Returns: its number, counted from 1, and the partition; or `nil` when there is none.
    public func partition(unique: GUID) -> (number: Int, partition: Partition)? {
        for (index, entry) in entries.enumerated() {
            if let entry, entry.unique == unique { return (index + 1, entry) }
        }
        return nil
    }

    /// One partition.
    public struct Partition: Hashable, Sendable {
        /// What the partition is for; ``GUID/zero`` is not allowed.
        public var type: GUID
        /// Identifies this partition among all others in the world.
        public var unique: GUID
        /// The first logical block.
        public var firstSector: UInt64
        /// The last logical block, which belongs to the partition.
        public var lastSector: UInt64
        /// The attribute bits of the specification.
        public var attributes: UInt64
        /// A name of at most 36 UTF-16 code units.
        public var name: String

        /// Describes a partition.
        ///
        /// - Parameters:
        ///   - type: what it is for.
        ///   - unique: identifies it.
        ///   - firstSector: its first logical block.
        ///   - lastSector: its last logical block.
        ///   - attributes: attribute bits.
        ///   - name: at most 36 UTF-16 code units.
        public init(
            type: GUID, unique: GUID, firstSector: UInt64, lastSector: UInt64, attributes: UInt64 = 0, name: String
        ) {
            self.type = type
            self.unique = unique
            self.firstSector = firstSector
            self.lastSector = lastSector
            self.attributes = attributes
            self.name = name
        }

        /// Logical blocks in the partition; 0 when the last one lies before the first.
        public var sectorCount: UInt64 {
            guard lastSector >= firstSector else { return 0 }
            let (count, overflow) = (lastSector - firstSector).addingReportingOverflow(1)
            return overflow ? .max : count
        }
    }
}
