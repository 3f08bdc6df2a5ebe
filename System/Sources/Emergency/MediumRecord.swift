// SPDX-License-Identifier: GPL-3.0-or-later

/// What the boot stage leaves in `/run/needletail/medium` for who has to notice that the medium is gone: lines of `key=value`.
public struct MediumRecord: Hashable, Sendable {
    /// Where it lies.
    public static let path = "/run/needletail/medium"

    /// The kernel's name of the whole disk, such as `sda`.
    public let name: String
    /// Its directory below `/sys`, such as `/devices/pci0000:00/…/block/sda`.
    public let devicePath: String
    /// Whether it is a drive for discs.
    public let isDisc: Bool
    /// Where on the disk 4096 bytes lie that never change, a multiple of 512: the head of the hashes behind the system.
    public let offset: UInt64
    /// Whether the system runs from memory, so that the medium may be taken out.
    public let isInMemory: Bool

    /// Describes a medium.
    public init(name: String, devicePath: String, isDisc: Bool, offset: UInt64, isInMemory: Bool) {
        self.name = name
        self.devicePath = devicePath
        self.isDisc = isDisc
        self.offset = offset
        self.isInMemory = isInMemory
    }

    /// Reads a record; `nil` when something is missing or is not what it should be.
    ///
    /// - Parameter text: at most 4 KiB.
    public init?(parsing text: String) {
        guard text.utf8.count <= 4096 else { return nil }
        var values: [Substring: Substring] = [:]
        for line in text.split(separator: "\n") {
            guard let equals = line.firstIndex(of: "=") else { return nil }
            values[line[..<equals]] = line[line.index(after: equals)...]
        }
        guard let name = values["name"], !name.isEmpty, !name.contains("/"), name != "..",
            let path = values["path"], path.hasPrefix("/devices/"), path.hasSuffix("/\(name)"),
            let kind = values["kind"], ["disk", "disc"].contains(kind),
            let offset = values["offset"].flatMap({ UInt64($0) }), offset % 512 == 0, offset < 1 << 62,
            let memory = values["memory"], ["yes", "no"].contains(memory)
        else { return nil }
        self.init(
            name: String(name), devicePath: String(path), isDisc: kind == "disc", offset: offset,
            isInMemory: memory == "yes")
    }

    /// The record as text.
    public var text: String {
        """
        name=\(name)
        path=\(devicePath)
        kind=\(isDisc ? "disc" : "disk")
        offset=\(offset)
        memory=\(isInMemory ? "yes" : "no")

        """
    }

    /// The device node.
    public var node: String { "/dev/\(name)" }
}
