// SPDX-License-Identifier: GPL-3.0-or-later

/// Which disks were there when the computer was started: the boot stage writes it down, the udev program keeps it.
///
/// A file of `key=value` lines: `medium=PATH`, `handover=SECONDS`, a line `disk=PATH` for each disk, a line `empty=PATH` for each
/// drive whose slot is known to have been empty since. Paths are those of `/sys`, links followed. Only root reads it.
public struct StartRecord: Hashable, Sendable {
    /// The disk that the computer was started from; `nil` when that is not known, as when there is no record.
    public var medium: String?
    /// When the boot stage handed over, in seconds since the kernel's start.
    public var handover: Double
    /// The disks that have been there since the start.
    public var disks: Set<String>
    /// Drives that had nothing in them after the start: what is put into them came later.
    public var empty: Set<String>

    /// How long after the handover a disk may still take to show up, in seconds: a hard disk that has to spin up first.
    /// Whoever plugs in a stick within that time finds it read-only, and is told.
    public static let grace = 10.0

    /// A record.
    public init(medium: String?, handover: Double, disks: Set<String>, empty: Set<String> = []) {
        self.medium = medium
        self.handover = handover
        self.disks = disks
        self.empty = empty
    }

    /// Reads a record. What is not understood is left out, which makes more disks read-only, never fewer.
    ///
    /// - Parameter text: the content of ``file``; an empty one is that of a start of which nothing is known.
    public init(_ text: String) {
        self.init(medium: nil, handover: .infinity, disks: [])
        for line in text.split(separator: "\n").prefix(4096) {
            let parts = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2 else { continue }
            switch parts[0] {
            case "medium": medium = String(parts[1])
            case "handover": handover = Double(parts[1]) ?? .infinity
            case "disk": disks.insert(String(parts[1]))
            case "empty": empty.insert(String(parts[1]))
            default: break
            }
        }
    }

    /// The content of the file.
    public var text: String {
        var lines = medium.map { ["medium=\($0)"] } ?? []
        if handover.isFinite { lines.append("handover=\(handover)") }
        lines += disks.sorted().map { "disk=\($0)" } + empty.sorted().map { "empty=\($0)" }
        return lines.joined(separator: "\n") + "\n"
    }
}
