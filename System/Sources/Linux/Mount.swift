// SPDX-License-Identifier: GPL-3.0-or-later
import Glibc

/// Attaching file systems. See `man 2 mount`.
public enum Mount {
    /// Options that the kernel knows for every file system.
    public struct Flags: OptionSet, Hashable, Sendable {
        /// The kernel's bits.
        public let rawValue: UInt

        /// Wraps the kernel's bits.
        ///
        /// - Parameter rawValue: `MS_…` bits.
        public init(rawValue: UInt) { self.rawValue = rawValue }

        /// Nothing can be written.
        public static let readOnly = Flags(rawValue: UInt(MS_RDONLY))
        /// Set-user-ID bits and file capabilities do nothing.
        public static let noSetUser = Flags(rawValue: UInt(MS_NOSUID))
        /// Device nodes cannot be opened.
        public static let noDevices = Flags(rawValue: UInt(MS_NODEV))
        /// Programs cannot be run.
        public static let noExecution = Flags(rawValue: UInt(MS_NOEXEC))
        static let move = Flags(rawValue: UInt(MS_MOVE))
    }

    /// Mounts a file system.
    ///
    /// - Parameters:
    ///   - type: its type by the kernel's name.
    ///   - source: the device, or any word when there is none.
    ///   - target: the directory.
    ///   - flags: options of every file system.
    ///   - options: options of this type, separated by commas.
    /// - Throws: ``SystemCallFailure``.
    public static func attach(
        _ type: String, from source: String, at target: String, _ flags: Flags = [], options: String = ""
    ) throws(SystemCallFailure) {
        try check("mount", "\(type) from \(source) at \(target)") {
            mount(source, target, type, flags.rawValue, options)
        }
    }

    /// Moves a mount to another directory.
    ///
    /// - Parameters:
    ///   - source: where it is.
    ///   - target: where it shall be.
    /// - Throws: ``SystemCallFailure``.
    public static func move(_ source: String, to target: String) throws(SystemCallFailure) {
        try check("mount --move", "\(source) to \(target)") { mount(source, target, nil, Flags.move.rawValue, nil) }
    }

    /// Detaches a mount from the tree at once; it ends when its last user does. See `man 2 umount2`, `MNT_DETACH`.
    ///
    /// - Parameter target: the directory.
    /// - Throws: ``SystemCallFailure``.
    public static func detach(_ target: String) throws(SystemCallFailure) {
        try check("umount", target) { umount2(target, Int32(MNT_DETACH)) }
    }
}
