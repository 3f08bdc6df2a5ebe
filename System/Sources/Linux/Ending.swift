// SPDX-License-Identifier: GPL-3.0-or-later
import CLinux
import Glibc

/// How a computer stops. See `man 2 reboot`.
public enum PowerCommand: Hashable, Sendable, CaseIterable {
    /// It switches itself off.
    case powerOff
    /// It starts again from the firmware.
    case restart
    /// It stands still and stays on.
    case halt
    /// It starts the kernel that was loaded for this.
    case kernel

    var number: UInt32 {
        switch self {
        case .powerOff: 0x4321_fedc
        case .restart: 0x0123_4567
        case .halt: 0xcdef_0123
        case .kernel: 0x4558_4543
        }
    }
}

extension Machine {
    /// Stops the computer at once; nothing is written to disks. Returns only when that is not possible.
    ///
    /// - Parameter command: how.
    /// - Returns: why it is still running.
    public static func stop(_ command: PowerCommand) -> SystemCallFailure {
        do throws(SystemCallFailure) {
            try check("reboot", "\(command)") { clinux_reboot(command.number) }
            return SystemCallFailure(call: "reboot", object: "\(command)", number: .inputOutput)
        } catch {
            return error
        }
    }

    /// Ctrl-Alt-Delete is a signal to process 1 and not a restart. See `man 2 reboot`, `LINUX_REBOOT_CMD_CAD_OFF`.
    public static func disableRestartKeys() { _ = clinux_reboot(0) }

    /// Bytes of the kernel's log.
    public static var kernelLogSize: Int { max(0, Int(clinux_kernel_log_size())) }

    /// Bytes of memory that nobody uses now.
    public static var freeMemory: UInt64 { clinux_memory_free() }

    /// Bytes of memory that the kernel has to give.
    public static var totalMemory: UInt64 { clinux_memory_total() }

    /// The number of processors that are on.
    public static var processors: Int { Int(clinux_processors()) }
}

extension Program {
    /// No signal that can be blocked disturbs this process and its children any more.
    public static func blockSignals() { _ = clinux_block_signals() }

    /// Closes every descriptor from this one upwards.
    public static func closeDescriptors(from first: UInt32) { _ = clinux_close_from(first) }

    /// The number of the process that started this one.
    public static var parent: Int32 { getppid() }

    /// Ends this process at once, as a forked child must: nothing that the parent registered is run.
    ///
    /// - Parameter status: 0 to 255.
    public static func exitAtOnce(_ status: Int32) -> Never { clinux_exit(status) }

    /// Waits until somebody kills this process.
    public static func hold() -> Never { clinux_hold() }
}

extension Processes {
    /// Sends a signal to a process.
    ///
    /// - Parameters:
    ///   - process: its number; nothing is sent to groups.
    ///   - number: the signal.
    public static func signal(_ process: Int32, _ number: Int32) { if process > 0 { _ = clinux_kill(process, number) } }
}

extension Processes.Signal {
    /// End at once.
    public static let kill = SIGKILL
    /// Stand still.
    public static let stop = SIGSTOP
    /// Go on.
    public static let goOn = SIGCONT
}

extension Mount {
    /// How a file system is taken from its place.
    public enum Removal: Hashable, Sendable {
        /// When nobody uses it.
        case idle
        /// Requests that wait for its server are given up first. FUSE and network file systems only.
        case forced
        /// Its place is empty at once; it ends with its last user.
        case detached
    }

    /// Unmounts the file system that was mounted last at a path. See `man 2 umount2`.
    ///
    /// - Parameters:
    ///   - target: the directory or file; a symbolic link is not followed.
    ///   - removal: how.
    /// - Throws: ``SystemCallFailure``; ``ErrorNumber/busy`` when it is in use.
    public static func remove(_ target: String, _ removal: Removal = .idle) throws(SystemCallFailure) {
        try check("umount", target) {
            clinux_unmount(target, removal == .forced ? 1 : 0, removal == .detached ? 1 : 0)
        }
    }

    /// Makes a mounted file system read-only for everybody.
    ///
    /// - Parameters:
    ///   - target: the directory.
    ///   - flags: its other options.
    /// - Throws: ``SystemCallFailure``.
    public static func makeReadOnly(_ target: String, _ flags: Flags) throws(SystemCallFailure) {
        try check("mount -o remount,ro", target) { clinux_remount_read_only(target, flags.rawValue) }
    }
}

extension FileTree {
    /// Gives a file a second name on the same file system. See `man 2 link`.
    ///
    /// - Parameters:
    ///   - path: the file.
    ///   - name: its second path.
    /// - Throws: ``SystemCallFailure``.
    public static func link(_ path: String, as name: String) throws(SystemCallFailure) {
        try check("link", "\(path) as \(name)") { Glibc.link(path, name) }
    }
}

/// Memory of disks. See `man 2 swapoff`.
public enum Swap {
    /// Takes a swap file or device out of use.
    ///
    /// - Parameter path: as `/proc/swaps` names it.
    /// - Throws: ``SystemCallFailure``.
    public static func remove(_ path: String) throws(SystemCallFailure) {
        try check("swapoff", path) { clinux_swap_off(path) }
    }
}

/// A pipe from a forked child to its parent. See `man 2 pipe`.
public final class Pipe {
    private let reading: File
    private var writing: Int32

    /// Makes a pipe.
    ///
    /// - Throws: ``SystemCallFailure``.
    public init() throws(SystemCallFailure) {
        var ends: [Int32] = [-1, -1]
        try check("pipe", "") { clinux_pipe(&ends) }
        reading = File(adopting: ends[0], path: "pipe")
        writing = ends[1]
    }

    deinit { closeWriting() }

    /// The parent does not write: it sees the end when its child has ended.
    public func closeWriting() {
        if writing >= 0 { close(writing) }
        writing = -1
    }

    /// Writes all bytes.
    ///
    /// - Parameter bytes: what to write.
    /// - Throws: ``SystemCallFailure``.
    public func write(_ bytes: [UInt8]) throws(SystemCallFailure) {
        var done = 0
        while done < bytes.count {
            done += try check("write", "pipe") {
                bytes.withUnsafeBytes { Glibc.write(writing, $0.baseAddress.map { $0 + done }, $0.count - done) }
            }
        }
    }

    /// Writing never waits: what has no room is not written, and ``write(_:)`` fails. See `man 7 pipe`, `O_NONBLOCK`.
    public func neverWait() { _ = fcntl(writing, F_SETFL, O_NONBLOCK) }

    /// Reads what is there; nothing at the end.
    ///
    /// - Throws: ``SystemCallFailure``.
    public func read() throws(SystemCallFailure) -> [UInt8] { try reading.read(upTo: 4096) }

    /// Waits until something can be read.
    ///
    /// - Parameter seconds: the longest time.
    /// - Returns: nothing when the time is over.
    public func wait(seconds: Double) -> [Int32] { Readiness.wait([reading.descriptor], seconds: seconds) }
}
