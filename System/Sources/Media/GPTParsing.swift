// SPDX-License-Identifier: GPL-3.0-or-later

extension GPT {
    /// Why bytes are not a partition table that can be trusted.
    public enum ParseError: Error, Hashable, Sendable, CustomStringConvertible {
        /// There is no `EFI PART` where a table begins: the disk simply has no GPT.
        case absent
        /// The bytes end before the table does.
        case truncated(needed: Int, found: Int)
        /// The checksum of the header is wrong.
        case headerChecksum(expected: UInt32, found: UInt32)
        /// The checksum of the entries is wrong.
        case entriesChecksum(expected: UInt32, found: UInt32)
        /// A number lies outside what the specification, or sense, allows.
        case outOfRange(field: String, value: UInt64)

        /// What is wrong, as a sentence.
        public var description: String {
            switch self {
            case .absent: "There is no GUID partition table here."
            case .truncated(let needed, let found):
                "The partition table needs \(needed) bytes and only \(found) could be read."
            case .headerChecksum(let expected, let found):
                "The partition table's header is damaged: its checksum is \(found) and should be \(expected)."
            case .entriesChecksum(let expected, let found):
                "The list of partitions is damaged: its checksum is \(found) and should be \(expected)."
            case .outOfRange(let field, let value):
                "The partition table is not valid: \(field) is \(value)."
            }
        }
    }

    /// The header of a table: it says where the entries are, which need not be right behind it.
    public struct Header: Hashable, Sendable {
        /// Identifies the disk.
        public let diskGUID: GUID
        /// Bytes in one logical block, as the caller said.
        public let sectorSize: Int
        /// Logical block of the other copy of the header; on a whole disk that is the last one.
        public let alternateSector: UInt64
        /// Byte offset of the entries on the disk.
        public let entriesOffset: UInt64
        /// Bytes of the entries: at most 1 MiB.
        public let entriesLength: Int
        let entrySize: Int
        let entriesChecksum: UInt32

        /// Reads a header.
        ///
        /// - Parameters:
        ///   - bytes: the logical block that holds it (or more).
        ///   - sectorSize: bytes in one logical block, 512 to 4096.
        /// - Throws: ``GPT/ParseError``.
        public init(parsing bytes: [UInt8], sectorSize: Int) throws(ParseError) {
            guard Self.isSectorSize(sectorSize) else {
                throw .outOfRange(field: "the sector size", value: UInt64(clamping: sectorSize))
            }
            guard bytes.count >= 92 else { throw .truncated(needed: 92, found: bytes.count) }
            guard Array(bytes[0..<8]) == Array("EFI PART".utf8) else { throw .absent }
            let size: UInt32 = try Self.read(bytes, at: 12)
            guard (92...UInt32(sectorSize)).contains(size) else {
                throw .outOfRange(field: "the header's size", value: UInt64(size))
            }
            guard var covered = bytes.bytes(at: 0, count: Int(size)) else {
                throw .truncated(needed: Int(size), found: bytes.count)
            }
            let stored: UInt32 = try Self.read(bytes, at: 16)
            covered.replace(at: 16, littleEndian: UInt32(0))
            let checksum = CRC32.checksum(covered)
            guard stored == checksum else { throw .headerChecksum(expected: checksum, found: stored) }

            let count: UInt32 = try Self.read(bytes, at: 80)
            guard (1...1024).contains(count) else {
                throw .outOfRange(field: "the number of entries", value: UInt64(count))
            }
            let entrySize: UInt32 = try Self.read(bytes, at: 84)
            guard (128...1024).contains(entrySize), entrySize.nonzeroBitCount == 1 else {
                throw .outOfRange(field: "the size of an entry", value: UInt64(entrySize))
            }
            let entriesSector: UInt64 = try Self.read(bytes, at: 72)
            guard entriesSector >= 1, entriesSector <= UInt64(Int64.max) / UInt64(sectorSize) else {
                throw .outOfRange(field: "the place of the entries", value: entriesSector)
            }
            guard let guid = bytes.bytes(at: 56, count: 16).flatMap(GUID.init(diskBytes:)) else {
                throw .truncated(needed: 72, found: bytes.count)
            }
            diskGUID = guid
            self.sectorSize = sectorSize
            alternateSector = try Self.read(bytes, at: 32)
            entriesOffset = entriesSector * UInt64(sectorSize)
            entriesLength = Int(count) * Int(entrySize)
            self.entrySize = Int(entrySize)
            entriesChecksum = try Self.read(bytes, at: 88)
        }

        static func isSectorSize(_ size: Int) -> Bool { (512...4096).contains(size) && size.nonzeroBitCount == 1 }

        private static func read<Value: FixedWidthInteger>(_ bytes: [UInt8], at offset: Int) throws(ParseError) -> Value
        {
            guard let value = bytes.littleEndian(at: offset, as: Value.self) else {
                throw .truncated(needed: offset + Value.bitWidth / 8, found: bytes.count)
            }
            return value
        }
    }

    /// Reads a table from its header and the bytes of its entries.
    ///
    /// A partition may reach beyond the end of the disk, as on a stick that was not written to the end: who uses the
    /// partition must compare. Partitions may overlap.
    ///
    /// - Parameters:
    ///   - header: the header that was read first.
    ///   - entries: the ``Header/entriesLength`` bytes at ``Header/entriesOffset``.
    /// - Throws: ``GPT/ParseError``.
    public init(header: Header, entries: [UInt8]) throws(ParseError) {
        guard let list = entries.bytes(at: 0, count: header.entriesLength) else {
            throw .truncated(needed: header.entriesLength, found: entries.count)
        }
        let checksum = CRC32.checksum(list)
        guard checksum == header.entriesChecksum else {
            throw .entriesChecksum(expected: checksum, found: header.entriesChecksum)
        }
        var found: [Partition?] = []
        for offset in stride(from: 0, to: list.count, by: header.entrySize) {
            guard let entry = list.bytes(at: offset, count: 128) else {
                throw .truncated(needed: offset + 128, found: list.count)
            }
            found.append(try Partition(parsing: entry, sectorSize: header.sectorSize))
        }
        while let last = found.last, last == nil { found.removeLast() }
        self.init(
            diskGUID: header.diskGUID, sectorSize: header.sectorSize,
            sectorCount: header.alternateSector == .max ? .max : header.alternateSector + 1, entries: found)
    }

    /// Reads a primary table from the first bytes of a disk.
    ///
    /// - Parameters:
    ///   - bytes: the disk from its first byte on, with the entries in it: 32 KiB do for a usual disk of 512-byte
    ///     sectors.
    ///   - sectorSize: bytes in one logical block.
    /// - Throws: ``GPT/ParseError``.
    public init(parsing bytes: [UInt8], sectorSize: Int = 512) throws(ParseError) {
        guard Header.isSectorSize(sectorSize) else {
            throw .outOfRange(field: "the sector size", value: UInt64(clamping: sectorSize))
        }
        guard let sector = bytes.bytes(at: sectorSize, count: sectorSize) else {
            throw .truncated(needed: 2 * sectorSize, found: bytes.count)
        }
        let header = try Header(parsing: sector, sectorSize: sectorSize)
        let needed = header.entriesOffset.addingReportingOverflow(UInt64(header.entriesLength))
        guard !needed.overflow, needed.partialValue <= UInt64(bytes.count),
            let list = bytes.bytes(at: Int(header.entriesOffset), count: header.entriesLength)
        else { throw .truncated(needed: Int(clamping: needed.partialValue), found: bytes.count) }
        try self.init(header: header, entries: list)
    }
}

extension GPT.Partition {
    /// Reads one entry of 128 bytes; `nil` when it is unused.
    fileprivate init?(parsing entry: [UInt8], sectorSize: Int) throws(GPT.ParseError) {
        guard let type = entry.bytes(at: 0, count: 16).flatMap(GUID.init(diskBytes:)),
            let unique = entry.bytes(at: 16, count: 16).flatMap(GUID.init(diskBytes:)),
            let first = entry.littleEndian(at: 32, as: UInt64.self),
            let last = entry.littleEndian(at: 40, as: UInt64.self),
            let attributes = entry.littleEndian(at: 48, as: UInt64.self)
        else { throw .truncated(needed: 128, found: entry.count) }
        guard type != .zero else { return nil }
        guard first <= last else { throw .outOfRange(field: "a partition's first sector", value: first) }
        // The end in bytes has to fit the signed offsets of Linux's system calls.
        guard last < UInt64(Int64.max) / UInt64(sectorSize) else {
            throw .outOfRange(field: "a partition's last sector", value: last)
        }
        let units = (0..<36).compactMap { entry.littleEndian(at: 56 + 2 * $0, as: UInt16.self) }
        self.init(
            type: type, unique: unique, firstSector: first, lastSector: last, attributes: attributes,
            name: String(decoding: units.prefix { $0 != 0 }, as: UTF16.self))
    }
}
