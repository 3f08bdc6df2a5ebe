// SPDX-License-Identifier: GPL-3.0-or-later
import CLinux

/// The lid of a laptop. See the kernel's `input/event-codes`, `SW_LID`.
public struct Lid: ~Copyable {
    private let device: File

    /// Opens an input device.
    ///
    /// - Parameter path: such as `/dev/input/event3`.
    /// - Throws: ``SystemCallFailure``; with `ENOTTY` when the device has no lid.
    public init(_ path: String) throws(SystemCallFailure) {
        let file = try File(path, .readWithoutWaiting)
        _ = try Self.isClosed(file)
        device = file
    }

    /// Whether it is closed.
    public var isClosed: Bool {
        get throws(SystemCallFailure) { try Self.isClosed(device) }
    }

    private static func isClosed(_ device: borrowing File) throws(SystemCallFailure) -> Bool {
        let descriptor = device.descriptor
        return try check("ioctl EVIOCGSW", device.path) { clinux_lid_closed(descriptor) } == 1
    }

    /// Waits until something happens to it, or the time is up. What has happened is forgotten.
    ///
    /// - Parameter seconds: the longest time; `nil` waits for ever.
    /// - Throws: ``SystemCallFailure`` when the device is gone.
    public borrowing func wait(seconds: Double?) throws(SystemCallFailure) {
        if Readiness.wait([device.descriptor], seconds: seconds).isEmpty { return }
        do throws(SystemCallFailure) { _ = try device.read(upTo: 4096) } catch {
            if error.number != .wouldBlock { throw error }
        }
    }
}

extension VirtualConsole {
    /// Keeps the console that is on the screen there, whatever keys are pressed and whoever asks; or ends that.
    ///
    /// - Parameter isLocked: whether it stays. It does so also when this program ends.
    /// - Throws: ``SystemCallFailure``; it needs `CAP_SYS_TTY_CONFIG`.
    public func keepOnScreen(_ isLocked: Bool) throws(SystemCallFailure) {
        _ = try check("ioctl VT_LOCKSWITCH", "/dev/tty\(number)") { clinux_console_lock(0, isLocked ? 1 : 0) }
    }

    /// Lets a switch away from this console wait for an answer that never comes, from the moment it is on the screen; or ends
    /// that.
    ///
    /// It closes the gap until ``keepOnScreen(_:)``, which is for the console that is on the screen, whichever that is. It
    /// lasts only as long as the calling thread.
    ///
    /// - Parameter isHeld: whether it is held.
    /// - Throws: ``SystemCallFailure``.
    public func hold(_ isHeld: Bool) throws(SystemCallFailure) {
        _ = try check("ioctl VT_SETMODE", "/dev/tty\(number)") { clinux_console_hold(0, isHeld ? 1 : 0) }
    }

    /// Lets the console that is on the screen be left, whatever its program did to prevent that: graphics, or switches that
    /// wait for its answer.
    ///
    /// - Throws: ``SystemCallFailure`` when the console cannot be opened.
    public func freeScreen() throws(SystemCallFailure) { TextConsoles.showText(try File("/dev/tty0", .readAndWrite)) }
}
