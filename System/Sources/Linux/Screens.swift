// SPDX-License-Identifier: GPL-3.0-or-later
import CLinux

/// The text consoles of this computer, seen by root. See `man 4 console_ioctl`.
public struct TextConsoles: ~Copyable {
    private let device: File

    /// Opens the console that is on the screen.
    ///
    /// - Throws: ``SystemCallFailure``.
    public init() throws(SystemCallFailure) { device = try File("/dev/tty0", .readAndWrite) }

    /// A console that nobody uses.
    ///
    /// - Throws: ``SystemCallFailure``.
    public borrowing func unused() throws(SystemCallFailure) -> Int32 {
        let descriptor = device.descriptor
        return try check("ioctl VT_OPENQRY", "/dev/tty0") { clinux_console_unused(descriptor) }
    }

    /// The console that is on the screen.
    ///
    /// - Throws: ``SystemCallFailure``.
    public borrowing func active() throws(SystemCallFailure) -> Int32 {
        let descriptor = device.descriptor
        return try check("ioctl VT_GETSTATE", "/dev/tty0") { clinux_console_active(descriptor) }
    }

    /// The consoles that are open or on the screen, as far as they are among the first 15.
    ///
    /// - Throws: ``SystemCallFailure``.
    public borrowing func inUse() throws(SystemCallFailure) -> [Int32] {
        let descriptor = device.descriptor
        let mask = try check("ioctl VT_GETSTATE", "/dev/tty0") { clinux_consoles_in_use(descriptor) }
        return (1...15).filter { mask & 1 << $0 != 0 }
    }

    /// Puts a console on the screen. It may take a moment.
    ///
    /// - Parameter number: 1 to 63.
    /// - Throws: ``SystemCallFailure``.
    public borrowing func show(_ number: Int32) throws(SystemCallFailure) {
        let descriptor = device.descriptor
        try check("ioctl VT_ACTIVATE", "/dev/tty\(number)") { clinux_console_activate(descriptor, number) }
    }

    /// Gives the memory of all consoles back that nobody uses.
    ///
    /// - Throws: ``SystemCallFailure``.
    public borrowing func freeUnused() throws(SystemCallFailure) {
        let descriptor = device.descriptor
        try check("ioctl VT_DISALLOCATE", "all") { clinux_console_free(descriptor, 0) }
    }

    /// Forgets what was selected on a console to be pasted: the kernel keeps one such text for all of them.
    ///
    /// - Throws: ``SystemCallFailure``.
    public borrowing func forgetSelection() throws(SystemCallFailure) {
        let descriptor = device.descriptor
        try check("ioctl TIOCL_SETSEL", "/dev/tty0") { clinux_console_forget_selection(descriptor) }
    }

    /// Shows text on a console that was left in graphics mode, and lets it be left without asking its program.
    ///
    /// - Parameter console: the open console.
    public static func showText(_ console: borrowing File) { _ = clinux_console_text(console.descriptor) }

    /// What is written to a console is not echoed, and its answers to questions can be dropped.
    ///
    /// - Parameter console: the open console.
    public static func silence(_ console: borrowing File) { _ = clinux_terminal_raw(console.descriptor) }

    /// Forgets what was typed on a console, and what it answered.
    ///
    /// - Parameter console: the open console.
    public static func forgetTyped(_ console: borrowing File) { _ = clinux_terminal_forget(console.descriptor) }
}

/// What is on the screen as pixels.
public enum FrameBuffer {
    /// Bytes of a frame buffer device such as `/dev/fb0`.
    ///
    /// - Parameter device: the open device.
    /// - Returns: bytes.
    /// - Throws: ``SystemCallFailure``.
    public static func size(_ device: borrowing File) throws(SystemCallFailure) -> UInt64 {
        var bytes: UInt64 = 0
        let descriptor = device.descriptor
        try check("ioctl FBIOGET_FSCREENINFO", device.path) { clinux_frame_size(descriptor, &bytes) }
        return bytes
    }

    /// Takes memory of a graphics card for a picture. It is given back when the card is closed.
    ///
    /// - Parameters:
    ///   - card: the open card, such as `/dev/dri/card0`.
    ///   - side: width and height in pixels of 4 bytes.
    /// - Returns: where it can be mapped, and its size in bytes.
    /// - Throws: ``SystemCallFailure``; also when the card has no more.
    public static func take(
        _ card: borrowing File, side: UInt32
    ) throws(SystemCallFailure) -> (offset: UInt64, count: UInt64) {
        var bytes: UInt64 = 0, offset: UInt64 = 0
        let descriptor = card.descriptor
        try check("ioctl DRM_IOCTL_MODE_CREATE_DUMB", card.path) {
            clinux_frame_create(descriptor, side, side, &bytes, &offset)
        }
        return (offset, bytes)
    }
}
