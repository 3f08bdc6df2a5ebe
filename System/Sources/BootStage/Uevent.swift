// SPDX-License-Identifier: GPL-3.0-or-later

/// One message of the kernel about a device: `add@/devices/…` and `KEY=value` words with zeros between them.
struct Uevent: Hashable {
    /// What happened: `add`, `remove`, `change`, `bind` …
    let action: String
    /// The device's directory below `/sys`.
    let devicePath: String
    private let values: [String: String]

    /// Reads a message; `nil` when it is not one of the kernel's.
    ///
    /// - Parameter bytes: the message.
    init?(parsing bytes: [UInt8]) {
        var words = bytes.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
        guard !words.isEmpty else { return nil }
        let title = words.removeFirst()
        guard let at = title.firstIndex(of: "@") else { return nil }
        action = String(title[..<at])
        devicePath = String(title[title.index(after: at)...])
        guard !action.isEmpty, devicePath.hasPrefix("/") else { return nil }
        var values: [String: String] = [:]
        for word in words {
            guard let equals = word.firstIndex(of: "=") else { continue }
            values[String(word[..<equals])] = String(word[word.index(after: equals)...])
        }
        self.values = values
    }

    /// The device's own description, for finding its module.
    var modalias: String? { values["MODALIAS"] }

    /// The kernel's name of the block device that the message is about, such as `sda` or `sda1`.
    var blockDevice: String? {
        guard values["SUBSYSTEM"] == "block" else { return nil }
        return devicePath.split(separator: "/").last.map(String.init)
    }

    /// Whether the block device is a whole disk.
    var isWholeDisk: Bool { values["SUBSYSTEM"] == "block" && values["DEVTYPE"] == "disk" }

    /// Whether the message is about a USB device or interface.
    var isUSB: Bool { values["SUBSYSTEM"] == "usb" }
}
