// SPDX-License-Identifier: GPL-3.0-or-later
import Disks
import Linux
import Media

/// The device from which UEFI started this session: the variable `BootCurrent` and the `Boot####` that it names.
/// UEFI specification 2.10, sections 3.1.3 and 10.3. The bytes come from firmware of any quality, and may be left by
/// another system: everything is bounded, and what is odd is no answer.
enum FirmwareBootEntry {
    /// The GUID of the specification's own variables.
    static let globalVariables = "8be4df61-93ca-11d2-aa0d-00e098032b8c"

    /// The location that the firmware started from; `nil` when it does not say, or not in a way that Linux shares.
    static func location() -> HardwareLocation? {
        let directory = "/sys/firmware/efi/efivars"
        guard FileTree.exists("/sys/firmware/efi") else { return nil }
        guard
            (try? Mount.attach(
                "efivarfs", from: "efivarfs", at: directory, [.readOnly, .noSetUser, .noDevices, .noExecution])) != nil
        else { return nil }
        defer { try? Mount.detach(directory) }
        func variable(_ name: String) -> [UInt8]? {
            // The first four bytes are the variable's attributes.
            guard let bytes = try? File("\(directory)/\(name)-\(globalVariables)").readAll(limit: 1 << 16),
                bytes.count > 4
            else { return nil }
            return Array(bytes[4...])
        }
        guard let name = variable("BootCurrent").flatMap(entryName), let option = variable(name) else { return nil }
        return location(bootOption: option)
    }

    /// The name of the entry that `BootCurrent` means.
    static func entryName(_ current: [UInt8]) -> String? {
        guard current.count == 2, let number = current.littleEndian(at: 0, as: UInt16.self) else { return nil }
        let digits = String(number, radix: 16, uppercase: true)
        return "Boot" + String(repeating: "0", count: 4 - digits.count) + digits
    }

    /// Reads an `EFI_LOAD_OPTION`: attributes, length of the path, a text, the path.
    static func location(bootOption bytes: [UInt8]) -> HardwareLocation? {
        guard let length = bytes.littleEndian(at: 4, as: UInt16.self) else { return nil }
        var offset = 6
        while let unit = bytes.littleEndian(at: offset, as: UInt16.self) {
            offset += 2
            if unit == 0 {
                return bytes.bytes(at: offset, count: Int(length)).flatMap(location(devicePath:))
            }
        }
        return nil
    }

    /// Reads a device path: nodes with a type, a subtype, a length and data.
    static func location(devicePath bytes: [UInt8]) -> HardwareLocation? {
        var location = HardwareLocation()
        var offset = 0
        while let type = bytes.bytes(at: offset, count: 2),
            let length = bytes.littleEndian(at: offset + 2, as: UInt16.self)
        {
            guard length >= 4, let data = bytes.bytes(at: offset + 4, count: Int(length) - 4) else { return nil }
            switch (type[0], type[1]) {
            case (0x01, 0x01):  // PCI: function, device
                guard data.count == 2 else { return nil }
                location.pci.append(.init(device: data[1], function: data[0]))
            case (0x03, 0x05):  // USB: parent port counted from 0, interface
                guard data.count == 2 else { return nil }
                location.usbPorts.append(Int(data[0]) + 1)
            case (0x03, 0x12):  // SATA: port, port multiplier, logical unit
                guard let port = data.littleEndian(at: 0, as: UInt16.self) else { return nil }
                location.sataPort = Int(port)
            case (0x7f, _):  // The end.
                return location.pci.isEmpty ? nil : location
            default: break
            }
            offset += Int(length)
        }
        // A path without its end is cut.
        return nil
    }
}
