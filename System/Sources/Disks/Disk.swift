// SPDX-License-Identifier: GPL-3.0-or-later
import Linux

/// A whole disk, described by what decides whether it can be the boot medium.
public struct Disk: Hashable, Sendable {
    /// How a disk is connected.
    public enum Bus: String, Hashable, Sendable {
        /// USB.
        case usb
        /// A card: SD.
        case card = "sd"
        /// Memory soldered in: eMMC.
        case embedded = "emmc"
        /// A DVD or CD drive.
        case optical
        /// SATA or IDE.
        case ata
        /// NVMe.
        case nvme
        /// A virtual machine's disk.
        case virtio
        /// Anything else.
        case other

        /// The name that people know.
        public var title: String {
            switch self {
            case .usb: "USB"
            case .card: "SD card"
            case .embedded: "built-in memory"
            case .optical: "DVD"
            case .ata: "SATA"
            case .nvme: "NVMe"
            case .virtio: "virtual disk"
            case .other: "disk"
            }
        }
    }

    /// The kernel's name, such as `sda`.
    public let name: String
    /// How it is connected.
    public let bus: Bus
    /// Whether the drive says that its medium can be taken out.
    public let isRemovable: Bool
    /// Size in bytes; 0 when there is no medium.
    public let size: UInt64
    /// Vendor and model, as the drive says; may be empty.
    public let model: String
    /// Where it is plugged in.
    public let location: HardwareLocation
    /// Its directory below `/sys`, links followed.
    public let path: String

    /// A disk of known parts.
    public init(
        name: String, bus: Bus, isRemovable: Bool, size: UInt64, model: String, location: HardwareLocation,
        path: String = ""
    ) {
        self.name = name
        self.bus = bus
        self.isRemovable = isRemovable
        self.size = size
        self.model = model
        self.location = location
        self.path = path
    }

    /// The device node.
    public var node: String { "/dev/\(name)" }

    /// Whether it is something that people plug in, and not a part of the computer.
    public var isExternal: Bool { isRemovable || [.usb, .card, .optical].contains(bus) }

    /// A line for people: `SanDisk Ultra, USB, 15.4 GB (sda)`.
    public var summary: String {
        let parts = [model, bus.title, size == 0 ? "empty" : Self.decimalSize(size)].filter { !$0.isEmpty }
        return "\(parts.joined(separator: ", ")) (\(name))"
    }

    /// A size as it is printed on sticks: `15.4 GB`.
    ///
    /// - Parameter bytes: the size.
    /// - Returns: at most one decimal.
    public static func decimalSize(_ bytes: UInt64) -> String {
        let units: [(UInt64, String)] = [(1_000_000_000_000, "TB"), (1_000_000_000, "GB"), (1_000_000, "MB")]
        guard let (unit, name) = units.first(where: { bytes >= $0.0 }) else { return "\(bytes / 1000) kB" }
        let tenths = bytes / (unit / 10)
        return "\(tenths / 10).\(tenths % 10) \(name)"
    }
}

extension Disk {
    /// Describes a disk that the kernel lists in `/sys/block`; `nil` for loop devices, RAM disks and other ones without
    /// hardware.
    ///
    /// - Parameter name: the kernel's name.
    public init?(sysfs name: String) {
        guard let path = FileTree.resolved("/sys/block/\(name)"), Self.isHardware(path),
            // One way of several to the same NVMe disk; it has no node.
            File.line("\(path)/hidden") != "1"
        else { return nil }
        func line(_ file: String) -> String {
            Self.printable(File.line("\(path)/\(file)") ?? "")
        }
        let words = [line("device/vendor"), line("device/model"), line("device/name")]
        // virtio has numbers as vendors, SATA disks the word ATA, and some models begin with the vendor.
        let isRepeated = !words[0].isEmpty && words[1].hasPrefix("\(words[0]) ")
        let model = (isRepeated ? Array(words.dropFirst()) : words)
            .filter { !$0.isEmpty && !$0.hasPrefix("0x") && $0 != "ATA" }.joined(separator: " ")
        self.init(
            name: name,
            bus: Self.bus(
                name: name, path: Self.controller(of: path),
                cardType: Self.card(on: path).flatMap { File.line("\($0)/type") } ?? ""),
            isRemovable: line("removable") == "1",
            size: (UInt64(line("size")) ?? 0) * 512,
            model: model,
            location: HardwareLocation(sysfs: Self.controller(of: path)),
            path: path)
    }

    /// The names of all whole disks with hardware behind them.
    public static var present: [String] {
        FileTree.names(in: "/sys/block").filter { name in
            !["loop", "ram", "dm-", "zram", "md", "fd"].contains { name.hasPrefix($0) }
        }
    }

    /// Whether there is hardware behind a directory of `/sys`. Not behind loop devices, RAM disks and what the device mapper
    /// makes; but behind NVMe disks that could have several controllers, which the kernel lists as virtual.
    ///
    /// - Parameter path: the directory, links followed.
    /// - Returns: false for what lies on other disks or in memory.
    public static func isHardware(_ path: String) -> Bool {
        !path.contains("/devices/virtual/") || path.contains("/devices/virtual/nvme-subsystem/")
    }

    /// Where a disk is plugged in: for an NVMe disk that could have several controllers its first one.
    private static func controller(of path: String) -> String {
        guard path.contains("/devices/virtual/nvme-subsystem/") else { return path }
        let subsystem = path.split(separator: "/").dropLast().map { "/\($0)" }.joined()
        let links = FileTree.names(in: subsystem).filter {
            $0.hasPrefix("nvme") && !$0.dropFirst(4).isEmpty && $0.dropFirst(4).allSatisfy(\.isNumber)
        }
        return links.first.flatMap { FileTree.resolved("\(subsystem)/\($0)") } ?? path
    }

    /// The directory of the card or memory chip that a disk is on, `mmc0:aaaa`; `nil` when it is on none. Not the link
    /// `device`: that of the parts of an eMMC which are disks of their own (`mmcblk0boot0`) leads to the first disk.
    static func card(on path: String) -> String? {
        let parts = path.split(separator: "/")
        let index = parts.firstIndex { part in
            let sides = part.split(separator: ":", omittingEmptySubsequences: false)
            return sides.count == 2 && sides[0].hasPrefix("mmc") && !sides[0].dropFirst(3).isEmpty
                && sides[0].dropFirst(3).allSatisfy(\.isNumber)
        }
        return index.map { "/" + parts[...$0].joined(separator: "/") }
    }

    /// The slot that a card is in, `…/mmc_host/mmc0`, which stays when the card is gone; for other disks their own directory.
    var slot: String { Self.slot(of: path) }

    /// The slot that a directory of a disk belongs to.
    static func slot(of path: String) -> String {
        let parts = path.split(separator: "/")
        guard let index = parts.firstIndex(of: "mmc_host"), index + 1 < parts.count else { return path }
        return "/" + parts[...(index + 1)].joined(separator: "/")
    }

    /// How a disk is connected. Whatever is a card or a chip and does not say that it is an SD card counts as soldered in; what
    /// the kernel says is in `mmc_type_show`.
    static func bus(name: String, path: String, cardType: String) -> Bus {
        let parts = path.split(separator: "/")
        func has(_ prefix: String) -> Bool {
            parts.contains { $0.hasPrefix(prefix) && $0.dropFirst(prefix.count).allSatisfy(\.isNumber) }
        }
        if name.hasPrefix("sr") { return .optical }
        if has("usb") { return .usb }
        if has("mmc") { return cardType == "SD" ? .card : .embedded }
        if name.hasPrefix("nvme") { return .nvme }
        if has("ata") { return .ata }
        if has("virtio") { return .virtio }
        return .other
    }

    /// What a drive says about itself is written on the screen: no control characters, no blanks around.
    static func printable(_ text: String) -> String {
        let clean = String(text.unicodeScalars.filter { (0x20...0x7e).contains($0.value) }.map(Character.init))
        return clean.split(separator: " ").joined(separator: " ")
    }
}
