// SPDX-License-Identifier: GPL-3.0-or-later
import Foundation
import SystemPackage

/// A disk, stick, card or disc of a machine.
public struct Drive: Sendable, Hashable {
    /// A kind of USB controller.
    public enum USBController: String, Sendable, Hashable, CaseIterable {
        /// USB 3.
        case xhci
        /// USB 2.
        case ehci
    }

    /// A controller for discs.
    public enum DiscBus: Sendable, Hashable, CaseIterable {
        /// SATA.
        case ahci
        /// Parallel ATA.
        case ide
    }

    /// How a drive is connected.
    public enum Attachment: Sendable, Hashable {
        /// A USB stick.
        case usb(USBController)
        /// A disk on USB that says that it is fixed.
        case usbDisk(USBController)
        /// A card in an SD slot on PCI. It is seen with its size rounded up to a power of two, as cards have.
        case sdCard
        /// A virtual machine's own disk.
        case virtio
        /// A SATA disk.
        case ahci
        /// A parallel ATA disk.
        case ide
        /// An NVMe disk.
        case nvme
        /// A disc in a DVD drive.
        case dvd(DiscBus)

        var isIDE: Bool { self == .ide || self == .dvd(.ide) }
        var isAHCI: Bool { self == .ahci || self == .dvd(.ahci) }
        /// Whether it is a disc in a DVD drive.
        public var isDVD: Bool { isDisc }
        var isDisc: Bool { self == .dvd(.ide) || self == .dvd(.ahci) }
    }

    /// What becomes of what the guest writes.
    public enum Writes: Sendable, Hashable {
        /// It goes to a file beside, which is removed with the machine; the image never changes.
        case discarded
        /// The drive is write-protected, and the guest sees that.
        case refused
        /// It goes to the image itself.
        case kept
    }

    /// The image's format. It is never guessed: a guest could write another's header.
    public enum Format: String, Sendable, Hashable {
        /// The bytes as they are.
        case raw
        /// QEMU's own format.
        case qcow2
    }

    /// Its name in this machine: letters, digits and hyphens.
    public var name: String
    /// The file with its content, by its whole path.
    public let image: FilePath
    /// How it is connected.
    public var attachment: Attachment
    /// What becomes of what the guest writes; a disc is always write-protected.
    public var writes: Writes
    /// The image's format.
    public var format: Format
    /// Its place among those that the firmware tries, 0 first; the firmware's own order when `nil`. A card cannot have one.
    public var bootOrder: Int?
    /// The serial number that the guest sees.
    public var serial: String

    /// A drive; the image never changes unless `writes` says so.
    public init(
        _ name: String, image: FilePath, as attachment: Attachment, writes: Writes = .discarded, format: Format = .raw,
        bootOrder: Int? = nil, serial: String? = nil
    ) {
        self.name = name
        // QEMU starts in another folder.
        self.image = image.absolute
        self.attachment = attachment
        self.writes = attachment.isDisc ? .refused : writes
        self.format = format
        self.bootOrder = bootOrder
        self.serial = serial ?? "TESTBED-\(name)"
    }

    /// What QEMU calls the content.
    var node: String { "\(name)-content" }

    func validate() throws {
        guard (1...20).contains(name.utf8.count), name.first?.isLetter == true,
            name.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-") })
        else {
            throw MachineFailure(
                .badDescription,
                "'\(name)' cannot name a drive. Use up to 20 letters, digits and hyphens, a letter first.")
        }
        guard writes != .refused || ![.ahci, .ide, .sdCard].contains(attachment) else {
            throw MachineFailure(
                .badDescription,
                "The drive '\(name)' cannot be write-protected: QEMU's SATA and IDE disks and SD cards have no such switch. "
                    + "Let its writes be discarded.")
        }
        guard !attachment.isDisc || writes == .refused else {
            throw MachineFailure(.badDescription, "The disc '\(name)' cannot be written to. Leave its writes refused.")
        }
        guard attachment != .sdCard || bootOrder == nil else {
            throw MachineFailure(
                .badDescription, "The card '\(name)' cannot have a place in the boot order: QEMU knows none for cards.")
        }
    }
}

extension FilePath {
    /// The whole path, from the root on, taken from the folder in which the caller is.
    var absolute: FilePath { FilePath(URL(fileURLWithPath: string).standardizedFileURL.path) }
}
