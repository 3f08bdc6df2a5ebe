// SPDX-License-Identifier: GPL-3.0-or-later
import CLinux
import Glibc

/// The kernel's clock of the time of day. The clock chip of the computer is another one and is never touched here: the kernel writes
/// it by itself only when a time protocol has declared the clock synchronised (`STA_UNSYNC` cleared, `man 2 adjtimex`), which
/// nothing in this system does.
public enum RealTimeClock {
    /// Seconds since 1970-01-01 00:00:00 UTC. See `man 2 clock_gettime`, `CLOCK_REALTIME`.
    public static var now: Double {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    /// Sets the clock, in one step. Needs `CAP_SYS_TIME`. See `man 2 clock_settime`.
    ///
    /// - Parameter seconds: since 1970, 0 to 253402300799.
    /// - Throws: ``SystemCallFailure``.
    public static func set(_ seconds: Double) throws(SystemCallFailure) {
        guard seconds.isFinite, (0...253_402_300_799).contains(seconds) else {
            throw SystemCallFailure(call: "clock_settime", object: "CLOCK_REALTIME", number: .invalidArgument)
        }
        let whole = seconds.rounded(.down)
        var time = timespec(tv_sec: time_t(whole), tv_nsec: Int(min(999_999_999, (seconds - whole) * 1e9)))
        try check("clock_settime", "CLOCK_REALTIME") { clock_settime(CLOCK_REALTIME, &time) }
    }

    /// When a file was last changed. See `man 2 stat`.
    ///
    /// - Parameter path: the file.
    /// - Returns: seconds since 1970.
    /// - Throws: ``SystemCallFailure``.
    public static func modificationTime(of path: String) throws(SystemCallFailure) -> Int64 {
        var status = stat()
        try check("stat", path) { stat(path, &status) }
        return Int64(status.st_mtim.tv_sec)
    }
}

extension Program {
    /// Keeps the capabilities of this process from the programs that it starts: those that systemd gave it
    /// (`AmbientCapabilities=`) stay its own. See `man 2 PR_CAP_AMBIENT`.
    ///
    /// - Throws: ``SystemCallFailure``.
    public static func keepCapabilitiesToItself() throws(SystemCallFailure) {
        try check("prctl PR_CAP_AMBIENT", "PR_CAP_AMBIENT_CLEAR_ALL") { clinux_clear_ambient_capabilities() }
    }
}
