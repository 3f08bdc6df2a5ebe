// SPDX-License-Identifier: GPL-3.0-or-later
import Linux

extension Disk {
    /// A part of a disk with a number of its own.
    public struct Partition: Hashable, Sendable {
        /// The kernel's name, such as `sda1`.
        public let name: String
        /// Bytes.
        public let size: UInt64
        /// The file system by the name that udev knows, such as `ntfs`; `nil` when it is not known.
        public let kind: String?
        /// The name that its owner gave it; `nil` when it has none.
        public let label: String?
        /// Whether writing is forbidden.
        public let isReadOnly: Bool
    }

    /// The serial number, as it is printed on the disk; empty when it does not tell.
    public var serial: String {
        if let text = File.line("\(path)/serial") ?? File.line("\(path)/device/serial"), !text.isEmpty {
            return Self.printable(text)
        }
        if bus == .usb {
            return USBConnection.device(of: path).flatMap { File.line("\($0)/serial") }.map(Self.printable) ?? ""
        }
        // SCSI's page of the unit's serial number: four bytes of header, then text.
        guard let page = try? File("\(path)/device/vpd_pg80").read(upTo: 256), page.count > 4 else { return "" }
        return Self.printable(String(decoding: page[4...], as: UTF8.self))
    }

    /// Whether writing to the whole disk is forbidden, be it by us or by the disk itself.
    public var isReadOnly: Bool { File.line("\(path)/ro") != "0" }

    /// The partitions that the kernel knows; at most 128.
    public var partitions: [Partition] {
        let names = FileTree.names(in: path).filter { $0.hasPrefix(name) && FileTree.exists("\(path)/\($0)/partition") }
        return names.prefix(128).map { name in
            let known = UdevData(numbers: File.line("\(path)/\(name)/dev") ?? "")
            return Partition(
                name: name, size: (File.line("\(path)/\(name)/size").flatMap { UInt64($0) } ?? 0) * 512,
                kind: known["ID_FS_TYPE"], label: known["ID_FS_LABEL"],
                isReadOnly: File.line("\(path)/\(name)/ro") != "0")
        }
    }

    /// What udev has found on the whole disk, as when it has no partitions: the file system.
    public var kind: String? { UdevData(numbers: File.line("\(path)/dev") ?? "")["ID_FS_TYPE"] }
}

/// What udev knows about a device, from its database. See `man 8 udevadm`, `info`.
struct UdevData {
    private var values: [Substring: Substring] = [:]

    /// Reads it.
    ///
    /// - Parameter numbers: major and minor, as `8:1`.
    init(numbers: String) {
        guard !numbers.isEmpty, numbers.utf8.allSatisfy({ (0x30...0x3a).contains($0) }),
            let file = try? File("/run/udev/data/b\(numbers)"), let bytes = try? file.readAll(limit: 1 << 16)
        else { return }
        for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") where line.hasPrefix("E:") {
            let parts = line.dropFirst(2).split(separator: "=", maxSplits: 1)
            if parts.count == 2 { values[parts[0]] = parts[1] }
        }
    }

    /// A property; what the disk's owner has written there may be anything, and becomes printable.
    subscript(_ name: Substring) -> String? { values[name].map { ReportText.printable($0.prefix(64)) } }
}
