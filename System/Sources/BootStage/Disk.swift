// SPDX-License-Identifier: GPL-3.0-or-later
import Linux

/// A whole disk, described by what decides whether it can be the boot medium.
struct Disk: Hashable {
    /// How a disk is connected.
    enum Bus: String, Hashable {
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
        var title: String {
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
    let name: String
    /// How it is connected.
    let bus: Bus
    /// Whether the drive says that its medium can be taken out.
    let isRemovable: Bool
    /// Size in bytes; 0 when there is no medium.
    let size: UInt64
    /// Vendor and model, as the drive says; may be empty.
    let model: String
    /// Where it is plugged in.
    let location: HardwareLocation

    /// The device node.
    var node: String { "/dev/\(name)" }

    /// Whether it is something that people plug in, and not a part of the computer.
    var isExternal: Bool { isRemovable || [.usb, .card, .optical].contains(bus) }

    /// A line for people: `SanDisk Ultra, USB, 15.4 GB (sda)`.
    var summary: String {
        let parts = [model, bus.title, size == 0 ? "empty" : Self.decimalSize(size)].filter { !$0.isEmpty }
        return "\(parts.joined(separator: ", ")) (\(name))"
    }

    static func decimalSize(_ bytes: UInt64) -> String {
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
    init?(sysfs name: String) {
        guard let path = FileTree.resolved("/sys/block/\(name)"), !path.contains("/devices/virtual/") else {
            return nil
        }
        func line(_ file: String) -> String {
            Self.printable(File.line("\(path)/\(file)") ?? "")
        }
        let words = [line("device/vendor"), line("device/model"), line("device/name")]
        // virtio has numbers as vendors, SATA disks the word ATA.
        let model = words.filter { !$0.isEmpty && !$0.hasPrefix("0x") && $0 != "ATA" }.joined(separator: " ")
        self.init(
            name: name,
            bus: Self.bus(name: name, path: path, cardType: line("device/type")),
            isRemovable: line("removable") == "1",
            size: (UInt64(line("size")) ?? 0) * 512,
            model: model,
            location: HardwareLocation(sysfs: path))
    }

    /// The names of all whole disks with hardware behind them.
    static var present: [String] {
        FileTree.names(in: "/sys/block").filter { name in
            !["loop", "ram", "dm-", "zram", "md", "fd"].contains { name.hasPrefix($0) }
        }
    }

    static func bus(name: String, path: String, cardType: String) -> Bus {
        let parts = path.split(separator: "/")
        func has(_ prefix: String) -> Bool {
            parts.contains { $0.hasPrefix(prefix) && $0.dropFirst(prefix.count).allSatisfy(\.isNumber) }
        }
        if name.hasPrefix("sr") { return .optical }
        if has("usb") { return .usb }
        if has("mmc") { return cardType == "MMC" ? .embedded : .card }
        if name.hasPrefix("nvme") { return .nvme }
        if has("ata") { return .ata }
        if has("virtio") { return .virtio }
        return .other
    }

    /// What a drive says about itself is written on the screen: no control characters, no blanks around.
    private static func printable(_ text: String) -> String {
        let clean = String(text.unicodeScalars.filter { (0x20...0x7e).contains($0.value) }.map(Character.init))
        return clean.split(separator: " ").joined(separator: " ")
    }
}
