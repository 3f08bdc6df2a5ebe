// SPDX-License-Identifier: GPL-3.0-or-later
import Linux

/// What `/usr/lib/needletail/disk` does; the udev rules call it.
public enum DiskCommand {
    /// Does what an argument names.
    ///
    /// - Parameters:
    ///   - arguments: `add`, `partition` or `remove`, for the device that the environment names as udev's do; or `slots`.
    ///   - environment: the value of a variable.
    /// - Returns: the exit status. Anything but 0 makes the rules close the device.
    public static func run(_ arguments: [String], environment: (String) -> String?) -> Int32 {
        Program.setFileModeMask(0o022)
        let folder = DiskFolder.system
        do throws(SystemCallFailure) {
            if arguments == ["slots"] {
                try slots(EmptySlots(), folder)
                return 0
            }
            guard let place = environment("DEVPATH"), place.hasPrefix("/"), !place.split(separator: "/").contains("..")
            else {
                Program.printError(DiskWords.noName)
                return 1
            }
            switch arguments {
            case ["add"]: return try add("/sys\(place)", folder)
            case ["partition"]: return try partition("/sys\(place)", folder)
            case ["remove"]:
                try remove("/sys\(place)", folder)
                return 0
            default:
                Program.printError(DiskWords.usage)
                return 2
            }
        } catch {
            Program.printError("\(error)")
            return 1
        }
    }

    /// Protects a whole disk, or not. What is printed becomes properties of the device: see udev(7), `IMPORT{program}`.
    private static func add(_ path: String, _ folder: DiskFolder) throws(SystemCallFailure) -> Int32 {
        let name = path.split(separator: "/").last.map(String.init) ?? ""
        guard let disk = Disk(sysfs: name), disk.path == path else {
            Program.printError(DiskWords.noName)
            return 1
        }
        let report = try decide(
            disk, connected: USBConnection.time(of: path), folder, nodes: DiskAccess.nodes, control: KernelDisks())
        for line in properties(report) { Program.print(line) }
        return 0
    }

    /// Decides on a disk, carries it out, and writes the report.
    static func decide(
        _ disk: Disk, connected: Double?, _ folder: DiskFolder, nodes: String, control: some DiskControl
    ) throws(SystemCallFailure) -> DiskReport {
        let lock = try folder.lock(disk: disk.name)
        var decision: Protection?
        try folder.change { record in
            decision = Protection(
                Protection.Situation(disk: disk, connected: connected, now: Machine.uptime), &record)
        }
        let protection = decision ?? .inside
        // What was given of another disk of this name, or of another card in this drive.
        folder.takeBack(formerly: disk.name, nodes: nodes)
        let isAllowed = folder.isAllowed(disk.name)
        var failure: String?
        if protection.isReadOnly, !isAllowed {
            failure = DiskGuard(control: control).protect(disk: disk.name, except: folder.allowedDevices)
        } else if protection == .later {
            // Writing stays forbidden when allowing it fails, which is safe and says so itself.
            _ = DiskGuard(control: control).set(false, disk: disk.name)
        }
        // The number as it is now: the kernel may have counted a card when the drive was opened.
        let report = DiskReport(
            disk, protection, sequence: folder.sequence(disk.name), isAllowed: isAllowed, failure: failure)
        try folder.write(report)
        _ = consume lock
        return report
    }

    /// Makes a partition what its disk is, when the kernel has not.
    private static func partition(_ path: String, _ folder: DiskFolder) throws(SystemCallFailure) -> Int32 {
        let parts = path.split(separator: "/").map(String.init)
        guard parts.count > 2, let name = parts.last else { return 1 }
        let disk = parts[parts.count - 2]
        guard let report = folder.report(on: disk) else { return 1 }
        let lock = try folder.lock(disk: disk)
        let failure: String?
        let isAllowed = folder.isAllowed(name)
        switch report.result {
        case .protected where isAllowed: failure = nil
        case .protected: failure = DiskGuard(control: KernelDisks()).set(true, device: name)
        case .writable: failure = DiskGuard(control: KernelDisks()).set(false, device: name)
        case .medium: failure = nil
        case .failed: failure = report.detail
        }
        _ = consume lock
        if let failure {
            Program.printError(DiskWords.failed(name, because: failure))
            return 1
        }
        Program.print("NEEDLETAIL_DISK=\((isAllowed ? .writable : report.result).rawValue)")
        return 0
    }

    /// Forgets a disk that is gone: what is plugged in there next came later, and nobody was given anything of it.
    static func remove(
        _ path: String, _ folder: DiskFolder, nodes: String = DiskAccess.nodes
    ) throws(SystemCallFailure) {
        guard let name = path.split(separator: "/").last.map(String.init), !name.hasPrefix(".") else { return }
        let lock = try folder.lock(disk: name)
        let place = FileTree.resolved("/sys/block/\(name)")
        // A new disk may be in its place already, and has been decided on.
        if place != path { try folder.change { $0.note(removed: path, now: Machine.uptime) } }
        folder.takeBack(formerly: name, nodes: nodes)
        if place == nil { try? FileTree.remove("\(folder.path)/\(name)") }
        _ = consume lock
    }

    /// Notes which slots are empty once the start is over.
    static func slots(_ slots: EmptySlots, _ folder: DiskFolder) throws(SystemCallFailure) {
        guard let found = slots.look(folder.startRecord) else { return }
        try folder.change { record in
            let taken = Set(record.disks.map(Disk.slot(of:)))
            for slot in found.slots.subtracting(taken) { record.note(empty: slot, since: found.since) }
        }
    }

    static func properties(_ report: DiskReport) -> [String] {
        let isHidden = report.reason?.isHidden ?? true
        return [
            "NEEDLETAIL_DISK=\(report.result.rawValue)",
            // udisks(8): not shown; a matter of administration; never opened by itself.
            "UDISKS_IGNORE=\(isHidden || report.result == .failed ? 1 : 0)",
            "UDISKS_SYSTEM=\(report.result == .writable && report.reason == .later ? 0 : 1)",
            "UDISKS_AUTO=0",
        ]
    }
}

extension StartRecord {
    /// Writes the record when the boot stage hands over.
    ///
    /// - Parameters:
    ///   - medium: the disk that the computer was started from.
    ///   - disks: the disks that are there.
    /// - Throws: `SystemCallFailure`.
    public static func write(medium: Disk, disks: [Disk]) throws(SystemCallFailure) {
        try DiskFolder.system.write(
            StartRecord(
                medium: medium.path, handover: Machine.uptime, disks: Set(disks.filter { $0.size > 0 }.map(\.path))))
    }
}

extension DiskReport {
    /// The report on a disk that was decided on.
    init(_ disk: Disk, _ protection: Protection, sequence: UInt64?, isAllowed: Bool, failure: String?) {
        let result: Result
        let detail: String
        if let failure {
            (result, detail) = (.failed, DiskWords.failed(disk.name, because: failure))
        } else if protection == .medium {
            (result, detail) = (.medium, DiskWords.detail(protection))
        } else if isAllowed, protection.isReadOnly {
            (result, detail) = (.writable, DiskWords.allowed)
        } else {
            (result, detail) = (protection.isReadOnly ? .protected : .writable, DiskWords.detail(protection))
        }
        self.init(
            name: disk.name, bus: disk.bus.rawValue, model: disk.model, size: disk.size, sequence: sequence,
            reason: protection, result: result, detail: detail)
    }
}

/// When a USB device was plugged in.
enum USBConnection {
    /// The directory of the USB device that a disk is on, `nil` when it is on none.
    static func device(of path: String) -> String? {
        var parts = path.split(separator: "/").map(String.init)
        while let last = parts.last {
            // `2-3.1`, not an interface as `2-3.1:1.0`.
            if HardwareLocation(path: "/\(last)").usbPorts.isEmpty == false {
                return "/" + parts.joined(separator: "/")
            }
            parts.removeLast()
        }
        return nil
    }

    /// When the USB device was connected, in seconds since the kernel's start; `nil` when it is on none, or the kernel does not
    /// say. See `connected_duration` in the kernel's `ABI/testing/sysfs-bus-usb`.
    static func time(of path: String) -> Double? {
        guard let device = device(of: path), let text = File.line("\(device)/power/connected_duration"),
            let milliseconds = Double(text)
        else { return nil }
        return Machine.uptime - milliseconds / 1000
    }
}
