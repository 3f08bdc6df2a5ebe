// SPDX-License-Identifier: GPL-3.0-or-later
import ByteScan
import Commands
import Foundation
import SystemPackage

/// The disks of somebody's computer, whose every sector has to be the same after a session as before.
public struct DiskSet: Sendable {
    /// How a disk is built in.
    public enum Bus: String, Sendable, Hashable, CaseIterable {
        /// SATA.
        case sata
        /// NVMe.
        case nvme
        /// A disk on USB that says that it is fixed, as large ones do.
        case usbFixed = "usb-fixed"

        var attachment: Drive.Attachment {
            switch self {
            case .sata: .ahci
            case .nvme: .nvme
            case .usbFixed: .usbDisk(.xhci)
            }
        }
    }

    /// A part of a disk.
    public struct Part: Sendable, Hashable {
        /// What is there; "the table" for what stands before and behind the partitions.
        public let name: String
        /// Its sectors.
        public let sectors: Range<Int>
    }

    /// A disk.
    public struct Disk: Sendable {
        /// Its name in the machine.
        public let name: String
        /// Its image.
        public let image: FilePath
        /// How it is connected.
        public let attachment: Drive.Attachment
        /// Its parts.
        public let parts: [Part]
        /// Each sector before the session.
        public let digests: SectorDigests

        /// The disk as a machine's drive. What the guest writes goes to the image itself: there it is seen.
        public var drive: Drive { Drive(name, image: image, as: attachment, writes: .kept) }

        /// A disk as it stands in a file.
        ///
        /// - Throws: `Errno` when the file cannot be read.
        init(_ name: String, image: FilePath, as attachment: Drive.Attachment, parts: [Part] = []) throws {
            self.name = name
            self.image = image
            self.attachment = attachment
            self.parts = parts
            digests = try SectorDigests(of: image)
        }

        /// Names changed sectors by the part that they are in.
        ///
        /// - Parameter ranges: Sectors, as `SectorDigests.changes` gives them.
        /// - Returns: A sentence a range and part.
        public func describe(_ ranges: [Range<Int>]) -> [String] {
            ranges.flatMap { range -> [String] in
                let hit = parts.compactMap { part -> String? in
                    let common = range.clamped(to: part.sectors)
                    guard !common.isEmpty else { return nil }
                    let start = common.lowerBound - part.sectors.lowerBound
                    let words =
                        common.count == 1 ? "sector \(start)" : "sectors \(start) to \(start + common.count - 1)"
                    return "\(name): \(words) of \(part.name)"
                }
                return hit.isEmpty ? ["\(name): sectors \(range.lowerBound) to \(range.upperBound - 1)"] : hit
            }
        }

        /// Reads the disk again.
        ///
        /// - Returns: Which sectors are not as before.
        /// - Throws: `Errno` when the image cannot be read.
        public func changes() throws -> [Range<Int>] { digests.changes(to: try SectorDigests(of: image)) }
    }

    /// What is not as before.
    public struct Changes: Sendable {
        /// How many sectors.
        public var sectors = 0
        /// A sentence for each range of them.
        public var sentences: [String] = []

        /// What is not as before on some disks.
        ///
        /// - Throws: `Errno` when an image cannot be read.
        init(on disks: [Disk]) throws {
            for disk in disks {
                let ranges = try disk.changes()
                sectors += ranges.reduce(0) { $0 + $1.count }
                sentences += disk.describe(ranges)
            }
        }
    }

    /// The disks.
    public let disks: [Disk]

    /// Makes the disks: each bus gets one with everything in partitions, with other identities than those of the others.
    ///
    /// - Parameters:
    ///   - folder: Where the images go; they take some 200 MB.
    ///   - buses: Which disks.
    ///   - contents: What stands in their partitions.
    ///   - stick: The image of a stick of which another copy is built in; none when `nil`.
    /// - Throws: `CommandFailure` when a tool is missing or fails, `Errno`.
    public init(
        in folder: FilePath, buses: [Bus] = Bus.allCases, contents: [DiskContent] = DiskContent.allCases,
        copyOf stick: FilePath? = nil
    ) async throws {
        try FileManager.default.createDirectory(atPath: folder.string, withIntermediateDirectories: true)
        var disks: [Disk] = []
        for bus in buses { disks.append(try await Self.partitioned(bus, contents: contents, in: folder)) }
        if let stick {
            disks.append(try await Self.anotherCopy(of: stick, in: folder))
        }
        self.disks = disks
    }

    /// The disks as a machine's drives.
    public var drives: [Drive] { disks.map(\.drive) }

    /// Reads all disks again.
    ///
    /// - Returns: What is not as before.
    /// - Throws: `Errno` when an image cannot be read.
    public func changes() throws -> Changes { try Changes(on: disks) }

    /// Another stick of the system as a disk, with encrypted storage behind it.
    private static func anotherCopy(of stick: FilePath, in folder: FilePath) async throws -> Disk {
        let (name, align, storage) = ("another-copy", 2048, DiskContent.luks)
        let image = folder.appending("\(name).img")
        _ = try await Command("cp", ["--sparse=always", "--reflink=auto", stick.string, image.string]).output()
        let file = try FileDescriptor.open(image, .readWrite, options: .closeOnExec)
        defer { try? file.close() }
        let start = (Int(try file.seek(offset: 0, from: .end)) / 512 + align - 1) / align * align
        let end = start + storage.size / 512
        try file.resize(to: Int64((end + align) * 512))
        _ = try await Command("sfdisk", ["--quiet", "--no-reread", "--append", image.string]).output(
            input: "start=\(start), size=\(end - start), type=\(storage.type), name=storage\n")
        let piece = folder.appending("piece")
        try await storage.make(at: piece, work: folder)
        try copy(piece, to: file, at: start * 512)
        try FileManager.default.removeItem(atPath: piece.string)
        let parts = [
            Part(name: "the system", sectors: 0..<start), Part(name: "the storage", sectors: start..<end),
            Part(name: "the table's copy", sectors: end..<end + align),
        ]
        return try Disk(name, image: image, as: Bus.sata.attachment, parts: parts)
    }

    private static func partitioned(_ bus: Bus, contents: [DiskContent], in folder: FilePath) async throws -> Disk {
        let image = folder.appending("\(bus.rawValue).img")
        let file = try FileDescriptor.open(
            image, .readWrite, options: [.create, .truncate, .closeOnExec], permissions: .ownerReadWrite)
        defer { try? file.close() }
        let align = 2048
        var next = align
        var parts: [Part] = []
        var table = "label: gpt\n"
        for content in contents {
            let sectors = content.size / 512
            parts.append(Part(name: content.rawValue, sectors: next..<next + sectors))
            table += "start=\(next), size=\(sectors), type=\(content.type), name=\(content.rawValue)\n"
            next += sectors
        }
        try file.resize(to: Int64((next + align) * 512))
        _ = try await Command("sfdisk", ["--quiet", "--no-reread", image.string]).output(input: table)
        for (content, part) in zip(contents, parts) {
            let piece = folder.appending("piece")
            try await content.make(at: piece, work: folder)
            try copy(piece, to: file, at: part.sectors.lowerBound * 512)
            try FileManager.default.removeItem(atPath: piece.string)
        }
        let end = next + align
        parts += [Part(name: "the table", sectors: 0..<align), Part(name: "the table's copy", sectors: next..<end)]
        return try Disk(bus.rawValue, image: image, as: bus.attachment, parts: parts)
    }

    /// Copies a file into another; zeros stay holes.
    private static func copy(_ path: FilePath, to target: FileDescriptor, at place: Int) throws {
        let source = try FileDescriptor.open(path, .readOnly, options: .closeOnExec)
        defer { try? source.close() }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 << 10, alignment: 16)
        defer { buffer.deallocate() }
        var offset = 0
        while true {
            let count = try source.read(fromAbsoluteOffset: Int64(offset), into: buffer)
            guard count > 0, let base = buffer.baseAddress else { return }
            let isEmpty = buffer[0] == 0 && memcmp(base, base + 1, count - 1) == 0
            if !isEmpty {
                let piece = UnsafeRawBufferPointer(rebasing: buffer[..<count])
                try target.writeAll(toAbsoluteOffset: Int64(place + offset), piece)
            }
            offset += count
        }
    }
}
