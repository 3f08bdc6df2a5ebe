// SPDX-License-Identifier: GPL-3.0-or-later
import Disks

/// What the system can read about its own start: `/run/needletail/boot.json`.
struct BootReport {
    var version: String
    var disk: Disk
    var isToRAM: Bool
    var phases: [(name: String, seconds: Double)]

    /// The report as JSON, keys in a fixed order, seconds since the kernel's start with three decimals.
    var json: String {
        let times = phases.map { "\(Self.quoted($0.name)): \(Self.decimal($0.seconds))" }.joined(separator: ", ")
        return """
            {
              "version": \(Self.quoted(version)),
              "medium": {"device": \(Self.quoted(disk.node)), "bus": \(Self.quoted(disk.bus.rawValue)), \
            "removable": \(disk.isRemovable), "model": \(Self.quoted(disk.model))},
              "toram": \(isToRAM),
              "phases": {\(times)}
            }

            """
    }

    static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case _ where scalar.value < 0x20 || scalar.value == 0x7f:
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }

    static func decimal(_ seconds: Double) -> String {
        let thousandths = Int((max(0, seconds) * 1000).rounded())
        let rest = String(thousandths % 1000)
        return "\(thousandths / 1000)." + String(repeating: "0", count: 3 - rest.count) + rest
    }
}
