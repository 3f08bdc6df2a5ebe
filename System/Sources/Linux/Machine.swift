// SPDX-License-Identifier: GPL-3.0-or-later
import CLinux
import Glibc

/// The computer as a whole and its kernel.
public enum Machine {
    /// Seconds since the kernel started. See `man 2 clock_gettime`, `CLOCK_MONOTONIC`.
    public static var uptime: Double {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    /// The kernel's release, such as `6.12.43+deb13-amd64`. See `man 2 uname`.
    public static var kernelRelease: String {
        var names = utsname()
        guard uname(&names) == 0 else { return "" }
        return withUnsafePointer(to: &names.release) {
            $0.withMemoryRebound(to: CChar.self, capacity: 65) { String(cString: $0) }
        }
    }

    /// Loads a kernel module from a file that is not compressed.
    ///
    /// - Parameters:
    ///   - path: the `.ko` file.
    ///   - parameters: `name=value` words.
    /// - Throws: ``SystemCallFailure``; ``ErrorNumber/exists`` when it is loaded already. See `man 2 finit_module`.
    public static func loadModule(_ path: String, parameters: String = "") throws(SystemCallFailure) {
        let file = try File(path)
        try check("finit_module", path) { clinux_finit_module(file.descriptor, parameters) }
    }

    /// Sets which kernel messages appear on the console: those of a level below this one.
    ///
    /// - Parameter level: 1 (almost nothing) to 8 (everything). See `man 2 syslog`.
    public static func showKernelMessages(below level: Int32) { _ = clinux_console_level(level) }

    /// Switches the computer off. Returns only when that is not possible. See `man 2 reboot`.
    public static func powerOff() {
        sync()
        _ = clinux_power_off()
        _ = clinux_restart()
    }

    /// Waits.
    ///
    /// - Parameter seconds: how long.
    public static func sleep(_ seconds: Double) { usleep(UInt32(max(0, seconds) * 1e6)) }
}

/// Waiting for several descriptors. See `man 2 poll`.
public enum Readiness {
    /// Waits until one of the descriptors can be read, or the time is up.
    ///
    /// - Parameters:
    ///   - descriptors: what to wait for.
    ///   - seconds: the longest time; `nil` waits for ever.
    /// - Returns: the descriptors that can be read, or have failed, so that reading tells.
    public static func wait(_ descriptors: [Int32], seconds: Double?) -> [Int32] {
        var list = descriptors.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        let milliseconds = seconds.map { Int32(max(0, min($0 * 1000, 1e6)).rounded(.up)) } ?? -1
        guard poll(&list, nfds_t(list.count), milliseconds) > 0 else { return [] }
        return list.filter { $0.revents != 0 }.map(\.fd)
    }
}
