// SPDX-License-Identifier: GPL-3.0-or-later
import Linux

/// Looks once, after the start, which slots for cards have nothing in them. Without that look the first card in a slot could
/// not be told from one that was there from the start and took long to be found; it would be read-only.
struct EmptySlots {
    /// Between the two looks, in seconds.
    static let pause = 10.0
    /// How long to wait for udev to be done with the computer's devices, in seconds.
    static let patience = 120

    /// Where the kernel tells of devices.
    var sysfs = "/sys"
    /// What exists as long as udev has work.
    var queue = "/run/udev/queue"
    /// The disks.
    var disks: () -> [Disk] = { Disk.present.compactMap(Disk.init(sysfs:)) }
    /// The time.
    var now: () -> Double = { Machine.uptime }
    /// Waits.
    var sleep: (Double) -> Void = { Machine.sleep($0) }

    /// The slots that are empty now: readers that say so, and slots for SD cards with no card.
    var current: Set<String> {
        var slots: Set<String> = []
        for disk in disks() where disk.size == 0 && [.usb, .card].contains(disk.bus) { slots.insert(disk.slot) }
        for host in FileTree.names(in: "\(sysfs)/class/mmc_host") {
            guard let slot = FileTree.resolved("\(sysfs)/class/mmc_host/\(host)"),
                !FileTree.names(in: slot).contains(where: { $0.hasPrefix("\(host):") })
            else { continue }
            slots.insert(slot)
        }
        return slots
    }

    /// Waits for the end of the start, and looks twice.
    ///
    /// - Parameter record: what was there at the start.
    /// - Returns: the slots that were empty at both times, and when the first was; `nil` when nothing can be said.
    func look(_ record: StartRecord) -> (slots: Set<String>, since: Double)? {
        guard record.end.isFinite else { return nil }
        sleep(max(0, record.end + 1 - now()))
        for _ in 0..<Self.patience where FileTree.exists(queue) { sleep(1) }
        guard !FileTree.exists(queue) else { return nil }
        let (first, since) = (current, now())
        sleep(Self.pause)
        return (first.intersection(current), since)
    }
}
