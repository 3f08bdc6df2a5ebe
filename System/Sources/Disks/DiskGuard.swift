// SPDX-License-Identifier: GPL-3.0-or-later
import Linux

/// What is asked of the kernel about disks: behind a protocol, so that drivers that refuse or lie can be rehearsed.
protocol DiskControl {
    /// Whether a device can be written to.
    func isReadOnly(_ device: String) throws(SystemCallFailure) -> Bool
    /// Forbids or allows it.
    func setReadOnly(_ isReadOnly: Bool, _ device: String) throws(SystemCallFailure)
    /// The partitions of a disk that the kernel knows.
    func partitions(of disk: String) -> [String]
}

/// The kernel itself.
struct KernelDisks: DiskControl {
    func isReadOnly(_ device: String) throws(SystemCallFailure) -> Bool {
        try BlockDevice.isReadOnly(File("/dev/\(device)", .readWithoutWaiting))
    }

    func setReadOnly(_ isReadOnly: Bool, _ device: String) throws(SystemCallFailure) {
        try BlockDevice.setReadOnly(isReadOnly, File("/dev/\(device)", .readWithoutWaiting))
    }

    func partitions(of disk: String) -> [String] {
        let names = FileTree.names(in: "/sys/class/block/\(disk)").filter { $0.hasPrefix(disk) }
        return names.filter { FileTree.exists("/sys/class/block/\(disk)/\($0)/partition") }
    }
}

/// Carries a decision out, and looks whether it holds.
struct DiskGuard<Control: DiskControl> {
    let control: Control

    /// Forbids or allows writing to a disk and to all its partitions.
    ///
    /// An empty drive cannot be opened by some drivers; it has nothing that could be written to, and is asked again when
    /// something is put in.
    ///
    /// - Parameters:
    ///   - isReadOnly: whether writing is forbidden.
    ///   - disk: the disk's name.
    /// - Returns: `nil`, or why it does not hold.
    func set(_ isReadOnly: Bool, disk: String) -> String? {
        for device in [disk] + control.partitions(of: disk) {
            if let reason = set(isReadOnly, device: device) { return reason }
        }
        return nil
    }

    /// Forbids writing to a disk and to all its partitions but those that the user has allowed writing to.
    ///
    /// The kernel takes a partition of a read-only disk as read-only, whatever was said of the partition. So a disk with such a
    /// partition is left open as a whole, once each other partition is read-only by itself.
    ///
    /// - Parameters:
    ///   - disk: the disk's name.
    ///   - allowed: devices that can be written to.
    /// - Returns: `nil`, or why it does not hold.
    func protect(disk: String, except allowed: Set<String>) -> String? {
        let partitions = control.partitions(of: disk)
        for device in partitions where !allowed.contains(device) {
            if let reason = set(true, device: device) { return reason }
        }
        guard allowed.contains(disk) || partitions.contains(where: allowed.contains) else {
            return set(true, device: disk)
        }
        // That it stays read-only all the same is no danger; whoever has allowed it looks.
        for device in [disk] + partitions where device == disk || allowed.contains(device) {
            _ = set(false, device: device)
        }
        return nil
    }

    /// The same for one device.
    func set(_ isReadOnly: Bool, device: String) -> String? {
        do throws(SystemCallFailure) {
            // Also when it says that it is write-protected: the lock of a card can be moved.
            try control.setReadOnly(isReadOnly, device)
            if isReadOnly, try !control.isReadOnly(device) { return DiskWords.notKept }
            return nil
        } catch {
            if error.number == .noMedium { return nil }
            return "\(error)"
        }
    }
}
