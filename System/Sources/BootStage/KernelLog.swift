// SPDX-License-Identifier: GPL-3.0-or-later
import Linux

/// Lines in the kernel's log, where the journal of the system finds them with the kernel's own time.
final class KernelLog {
    private let device: File?
    private let isVerbose: Bool
    /// The phases so far, each with the seconds since the kernel's start at which it began.
    private(set) var phases: [(name: String, seconds: Double)] = []

    /// Opens `/dev/kmsg`.
    ///
    /// - Parameter isVerbose: whether details go to the console too.
    init(isVerbose: Bool) {
        // Without this the kernel drops lines when there are more than ten in five seconds (printk_devkmsg in its
        // Documentation/admin-guide/sysctl/kernel.rst).
        try? File("/proc/sys/kernel/printk_devkmsg", .write).write(Array("on\n".utf8))
        device = try? File("/dev/kmsg", .write)
        self.isVerbose = isVerbose
    }

    /// Notes that a phase begins.
    func phase(_ name: String) {
        phases.append((name, Machine.uptime))
        write(level: isVerbose ? 5 : 6, "phase \(name)")
    }

    /// A line for those who look into a problem.
    func detail(_ text: String) { write(level: isVerbose ? 5 : 7, text) }

    /// A line that matters.
    func notice(_ text: String) { write(level: 5, text) }

    /// The line that a program can read when the start has failed.
    func failed(code: String, detail: String) { write(level: 2, "failed: \(code): \(detail)") }

    private func write(level: Int, _ text: String) {
        // One record has to be one line; see the kernel's Documentation/ABI/testing/dev-kmsg.
        let line = text.split(whereSeparator: \.isNewline).joined(separator: " ").prefix(800)
        if device != nil { try? device?.write(Array("<\(level)>needletail: \(line)\n".utf8)) }
    }
}
