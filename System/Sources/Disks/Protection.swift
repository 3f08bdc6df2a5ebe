// SPDX-License-Identifier: GPL-3.0-or-later

/// Whether a disk may be written to, and why.
public enum Protection: String, Hashable, Sendable, CaseIterable {
    /// It is what the computer was started from.
    case medium
    /// It is a part of the computer: read-only, and not shown.
    case inside
    /// It was plugged in when the computer was started, or nobody knows better: read-only.
    case present
    /// It was plugged in later, by somebody who wants to use it: it may be written to.
    case later

    /// Whether writing is forbidden.
    public var isReadOnly: Bool { self == .inside || self == .present }
    /// Whether file managers leave it out: the computer's own disks, and what the system runs from.
    public var isHidden: Bool { self == .inside || self == .medium }

    /// What decides.
    public struct Situation: Hashable, Sendable {
        /// The disk.
        public var disk: Disk
        /// When its USB device was connected, in seconds since the kernel's start; `nil` when that is not known.
        public var connected: Double?
        /// Now, in seconds since the kernel's start.
        public var now: Double

        /// A situation.
        public init(disk: Disk, connected: Double?, now: Double) {
            self.disk = disk
            self.connected = connected
            self.now = now
        }
    }

    /// Decides, and notes in the record what the same disk's next event has to know.
    ///
    /// - Parameters:
    ///   - situation: the disk and the time.
    ///   - record: what was there at the start.
    public init(_ situation: Situation, _ record: inout StartRecord) {
        let disk = situation.disk
        let cameLater = situation.connected.map { $0 > record.end } ?? false
        if disk.path == record.medium, !cameLater {
            self = .medium
            return
        }
        guard [.usb, .card].contains(disk.bus) else {
            self = .inside
            return
        }
        // A USB device says when it was connected; in a slot came later only what is put where nothing was seen. When neither
        // is known, as with a card that udev or its driver was slow to find, it was there.
        let isKnown = record.disks.contains(disk.path)
        self = cameLater || (!isKnown && record.wasEmpty(disk.slot, now: situation.now)) ? .later : .present
        if disk.size == 0 {
            guard situation.now > record.end else { return }
            // What the slot held at the start is out, and what will be in it came later.
            record.disks.remove(disk.path)
            record.note(empty: disk.slot, since: situation.now)
        } else if self == .present {
            record.disks.insert(disk.path)
            record.empty[disk.slot] = nil
        }
    }
}
