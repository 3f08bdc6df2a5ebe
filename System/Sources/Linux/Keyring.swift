// SPDX-License-Identifier: GPL-3.0-or-later
import CLinux

/// Keys that the kernel keeps for programs. See `man 7 keyrings` and `man 2 keyctl`.
public enum Keyring {
    /// The keyring of all processes of this process's user.
    public static let user: Int32 = -4
    /// The keyring of this user's processes that have no session of their own.
    public static let userSession: Int32 = -5
    /// The keyring of this session.
    public static let session: Int32 = -3

    /// The keyring in which this process's user keeps what is to outlive all his processes, by three days, and which nobody else
    /// sees. It is made when there is none. See `man 7 persistent-keyring`.
    ///
    /// - Returns: its number.
    /// - Throws: ``SystemCallFailure``; when the kernel has none (`CONFIG_PERSISTENT_KEYRINGS`), too.
    public static func persistent() throws(SystemCallFailure) -> Int32 {
        // KEYCTL_GET_PERSISTENT with the process's own user, linked to the keyring of this process alone: KEY_SPEC_PROCESS_KEYRING.
        let keyring = try check("keyctl KEYCTL_GET_PERSISTENT", "") { clinux_key_control(22, .max, number(-2), 0) }
        return Int32(truncatingIfNeeded: keyring)
    }

    /// Takes all keys out of a keyring; the kernel forgets those that are in no other.
    ///
    /// - Parameter keyring: its number.
    /// - Throws: ``SystemCallFailure``.
    public static func clear(_ keyring: Int32) throws(SystemCallFailure) {
        try check("keyctl KEYCTL_CLEAR", "\(keyring)") { clinux_key_control(7, number(keyring), 0, 0) }
    }

    /// Makes the kernel forget a key at once.
    ///
    /// - Parameter key: its number.
    /// - Throws: ``SystemCallFailure``.
    public static func invalidate(_ key: Int32) throws(SystemCallFailure) {
        try check("keyctl KEYCTL_INVALIDATE", "\(key)") { clinux_key_control(21, number(key), 0, 0) }
    }

    /// Makes the kernel forget what a key holds; it may keep its name for a while.
    ///
    /// - Parameter key: its number.
    /// - Throws: ``SystemCallFailure``.
    public static func revoke(_ key: Int32) throws(SystemCallFailure) {
        try check("keyctl KEYCTL_REVOKE", "\(key)") { clinux_key_control(3, number(key), 0, 0) }
    }

    private static func number(_ key: Int32) -> UInt { UInt(bitPattern: Int(key)) }
}
