// SPDX-License-Identifier: GPL-3.0-or-later

extension GPT {
    /// Why a table cannot be written.
    public enum EncodingError: Error, Hashable, Sendable, CustomStringConvertible {
        /// The sector size is not a power of two from 512 to 4096.
        case sectorSize(Int)
        /// The disk has no room for both tables and a sector between them.
        case diskTooSmall(sectorCount: UInt64)
        /// There are more partitions than ``GPT/entryCapacity``.
        case tooManyPartitions(Int)
        /// A partition does not lie between the tables.
        case outsideDisk(number: Int)
        /// Two partitions share sectors.
        case overlap(Int, Int)
        /// A name is longer than 36 UTF-16 code units.
        case nameTooLong(String)
        /// A partition's type or unique GUID is zero, or its unique GUID is used twice.
        case identifier(number: Int)
        /// The boot code is longer than 440 bytes.
        case bootCodeTooLong(Int)

        /// What is wrong, as a sentence.
        public var description: String {
            switch self {
            case .sectorSize(let size): "Sectors of \(size) bytes are not possible; use 512 or 4096."
            case .diskTooSmall(let count): "A disk of \(count) sectors has no room for a partition table."
            case .tooManyPartitions(let count):
                "\(count) partitions are too many for a partition table of \(GPT.entryCapacity)."
            case .outsideDisk(let number): "Partition \(number) does not lie between the two partition tables."
            case .overlap(let first, let second): "Partitions \(first) and \(second) share sectors."
            case .nameTooLong(let name): "The partition name '\(name)' is longer than 36 characters."
            case .identifier(let number): "Partition \(number) has no type, or no unique GUID of its own."
            case .bootCodeTooLong(let count): "Boot code of \(count) bytes does not fit into the 440 of a boot sector."
            }
        }
    }

    private var entriesSectors: UInt64 { UInt64(Self.entryCapacity * 128 / max(sectorSize, 512)) }

    /// The first logical block that a partition may use.
    public var firstUsableSector: UInt64 { 2 + entriesSectors }

    /// The last logical block that a partition may use; 0 when the disk is too small for a table.
    public var lastUsableSector: UInt64 { sectorCount > entriesSectors + 2 ? sectorCount - entriesSectors - 2 : 0 }

    /// The first bytes of the disk: boot sector with a protective MBR, header and entries, ``firstUsableSector`` logical
    /// blocks in all.
    ///
    /// - Parameter bootCode: what a BIOS runs: at most 440 bytes, put before the protective MBR's partition.
    /// - Returns: the bytes from the first of the disk on.
    /// - Throws: ``EncodingError``.
    public func encodedPrimary(bootCode: [UInt8] = []) throws(EncodingError) -> [UInt8] {
        try validate()
        guard bootCode.count <= 440 else { throw .bootCodeTooLong(bootCode.count) }
        var bytes = protectiveSector(bootCode: bootCode)
        let entries = encodedEntries
        bytes += header(at: 1, alternate: sectorCount - 1, entriesAt: 2, entries: entries)
        return bytes + entries
    }

    /// The last bytes of the disk: entries and header, to be written at ``backupOffset``.
    ///
    /// - Returns: the bytes up to the last of the disk.
    /// - Throws: ``EncodingError``.
    public func encodedBackup() throws(EncodingError) -> [UInt8] {
        try validate()
        let entries = encodedEntries
        let place = sectorCount - 1
        return entries + header(at: place, alternate: 1, entriesAt: place - entriesSectors, entries: entries)
    }

    /// The byte offset of the backup table; 0 when the disk is too small for one.
    public var backupOffset: UInt64 { lastUsableSector == 0 ? 0 : (lastUsableSector + 1) * UInt64(sectorSize) }

    private func validate() throws(EncodingError) {
        guard Header.isSectorSize(sectorSize) else { throw .sectorSize(sectorSize) }
        guard sectorCount >= 2 * (entriesSectors + 2), sectorCount <= UInt64(Int64.max) / UInt64(sectorSize) else {
            throw .diskTooSmall(sectorCount: sectorCount)
        }
        guard entries.count <= Self.entryCapacity else { throw .tooManyPartitions(entries.count) }
        var seen: [(number: Int, partition: Partition)] = []
        for (index, entry) in entries.enumerated() {
            guard let entry else { continue }
            let number = index + 1
            guard entry.firstSector <= entry.lastSector, entry.firstSector >= firstUsableSector,
                entry.lastSector <= lastUsableSector
            else { throw .outsideDisk(number: number) }
            guard entry.type != .zero, entry.unique != .zero else { throw .identifier(number: number) }
            guard entry.name.utf16.count <= 36 else { throw .nameTooLong(entry.name) }
            for other in seen {
                guard entry.unique != other.partition.unique else { throw .identifier(number: number) }
                guard
                    entry.firstSector > other.partition.lastSector || entry.lastSector < other.partition.firstSector
                else { throw .overlap(other.number, number) }
            }
            seen.append((number, entry))
        }
    }

    private func protectiveSector(bootCode: [UInt8]) -> [UInt8] {
        var sector = [UInt8](repeating: 0, count: sectorSize)
        sector.replaceSubrange(0..<bootCode.count, with: bootCode)
        // One partition of type EE over everything. UEFI specification 2.10, section 5.2.3.
        let record: [UInt8] = [0x00, 0x00, 0x02, 0x00, 0xee, 0xff, 0xff, 0xff]
        sector.replaceSubrange(446..<454, with: record)
        sector.replace(at: 454, littleEndian: UInt32(1))
        sector.replace(at: 458, littleEndian: UInt32(clamping: sectorCount - 1))
        sector[510] = 0x55
        sector[511] = 0xaa
        return sector
    }

    private var encodedEntries: [UInt8] {
        var bytes: [UInt8] = []
        for entry in entries {
            var record: [UInt8] = []
            if let entry {
                record += entry.type.diskBytes + entry.unique.diskBytes
                record.append(littleEndian: entry.firstSector)
                record.append(littleEndian: entry.lastSector)
                record.append(littleEndian: entry.attributes)
                for unit in entry.name.utf16 { record.append(littleEndian: unit) }
            }
            bytes += record + [UInt8](repeating: 0, count: 128 - record.count)
        }
        return bytes + [UInt8](repeating: 0, count: Self.entryCapacity * 128 - bytes.count)
    }

    private func header(at place: UInt64, alternate: UInt64, entriesAt: UInt64, entries: [UInt8]) -> [UInt8] {
        var bytes = Array("EFI PART".utf8)
        bytes.append(littleEndian: UInt32(0x0001_0000))
        bytes.append(littleEndian: UInt32(92))
        bytes.append(littleEndian: UInt32(0))
        bytes.append(littleEndian: UInt32(0))
        bytes.append(littleEndian: place)
        bytes.append(littleEndian: alternate)
        bytes.append(littleEndian: firstUsableSector)
        bytes.append(littleEndian: lastUsableSector)
        bytes += diskGUID.diskBytes
        bytes.append(littleEndian: entriesAt)
        bytes.append(littleEndian: UInt32(Self.entryCapacity))
        bytes.append(littleEndian: UInt32(128))
        bytes.append(littleEndian: CRC32.checksum(entries))
        bytes.replace(at: 16, littleEndian: CRC32.checksum(bytes))
        return bytes + [UInt8](repeating: 0, count: sectorSize - bytes.count)
    }
}
