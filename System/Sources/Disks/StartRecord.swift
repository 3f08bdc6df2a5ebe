// SPDX-License-Identifier: GPL-3.0-or-later

/// Which disks were there when the computer was started: the boot stage writes it down, the udev program keeps it.
///
/// A file of `key=value` lines: `medium=PATH`, `handover=SECONDS`, a line `disk=PATH` for each disk, a line
/// `empty=SECONDS PATH` for each slot that was seen empty since. Paths are those of `/sys`, links followed. Only root reads it.
public struct StartRecord: Hashable, Sendable {
    /// The disk that the computer was started from; `nil` when that is not known, as when there is no record.
    public var medium: String?
    /// When the boot stage handed over, in seconds since the kernel's start.
    public var handover: Double
    /// The disks that have been there since the start.
    public var disks: Set<String>
    /// Slots that were seen with nothing in them after the start was over, and since when: what is put into them came later.
    public var empty: [String: Double]

    /// How long after the handover a disk may still take to show up, in seconds: a hard disk that has to spin up first.
    /// Whoever plugs in a stick within that time finds it read-only, and is told.
    public static let grace = 10.0
    /// A slot that was empty for less than this, in seconds, counts as never empty: computers that wake and readers that start
    /// anew lose a card for a moment. Whoever is faster than that with another card finds it read-only, and is told.
    public static let blink = 3.0

    /// A record.
    public init(medium: String?, handover: Double, disks: Set<String>, empty: [String: Double] = [:]) {
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
            case "empty":
                let words = parts[1].split(separator: " ", maxSplits: 1)
                if words.count == 2, let since = Double(words[0]) { empty[String(words[1])] = since }
            default: break
            }
        }
    }

    /// When the start is over: what shows up from then on may have come later. Never when nothing is known of the start.
    var end: Double { handover.isFinite ? handover + Self.grace : .infinity }

    /// Whether a slot, by its directory, is known to have been empty after the start, for longer than a moment.
    func wasEmpty(_ slot: String, now: Double) -> Bool {
        empty[slot].map { $0 > end && now - $0 >= Self.blink } ?? false
    }

    /// Notes that a slot has nothing in it. During the start that says nothing: a reader may not have found its card yet.
    ///
    /// - Parameters:
    ///   - slot: its directory.
    ///   - since: the time at which it was seen.
    mutating func note(empty slot: String, since: Double) {
        guard since > end, empty[slot] == nil else { return }
        empty[slot] = since
    }

    /// Notes that a disk is gone.
    ///
    /// - Parameters:
    ///   - path: its directory.
    ///   - now: the time.
    mutating func note(removed path: String, now: Double) {
        disks.remove(path)
        // Another card may get the same path, and is not the medium.
        if medium == path { medium = nil }
        let slot = Disk.slot(of: path)
        // What was at USB went with its device; the next one says when it was connected.
        if slot == path { empty[path] = nil } else { note(empty: slot, since: now) }
    }

    /// The content of the file.
    public var text: String {
        var lines = medium.map { ["medium=\($0)"] } ?? []
        if handover.isFinite { lines.append("handover=\(handover)") }
        lines += disks.sorted().map { "disk=\($0)" }
        lines += empty.sorted { $0.key < $1.key }.map { "empty=\($0.value) \($0.key)" }
        return lines.joined(separator: "\n") + "\n"
    }
}
