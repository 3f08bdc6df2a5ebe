// SPDX-License-Identifier: GPL-3.0-or-later
import CLinux

extension DeviceMapper {
    /// The names of all devices.
    ///
    /// - Returns: names, in no order.
    /// - Throws: ``SystemCallFailure``.
    public func names() throws(SystemCallFailure) -> [String] {
        var bytes = [CChar](repeating: 0, count: 1 << 16)
        let count = try check("ioctl DM_LIST_DEVICES", "") { clinux_dm_names(descriptor, &bytes, bytes.count) }
        return bytes.prefix(count).split(separator: 0).map {
            String(decoding: $0.map(UInt8.init(bitPattern:)), as: UTF8.self)
        }
    }

    /// The kind of a device's first target, such as `crypt`; empty when it has none. The table itself is not asked for: it may
    /// hold a key.
    ///
    /// - Parameter name: the device's name.
    /// - Returns: the kind.
    /// - Throws: ``SystemCallFailure``.
    public func kind(of name: String) throws(SystemCallFailure) -> String {
        var kind = [CChar](repeating: 0, count: 16)
        try check("ioctl DM_TABLE_STATUS", name) { clinux_dm_kind(descriptor, name, &kind, kind.count) }
        return String(decoding: kind.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    /// Stops a device at once. What is still to be written to it waits for ever.
    ///
    /// - Parameter name: its name.
    /// - Throws: ``SystemCallFailure``.
    public func suspend(_ name: String) throws(SystemCallFailure) {
        try check("ioctl DM_DEV_SUSPEND", name) { clinux_dm_suspend(descriptor, name) }
    }

    /// Makes a stopped device of the kind `crypt` forget its key. `dmsetup message NAME 0 key wipe`.
    ///
    /// - Parameter name: its name.
    /// - Throws: ``SystemCallFailure``.
    public func wipeKey(_ name: String) throws(SystemCallFailure) {
        try check("ioctl DM_TARGET_MSG", "\(name): key wipe") { clinux_dm_message(descriptor, name, "key wipe") }
    }
}

extension LoopDevice {
    /// Takes the file from a loop device; it ends with its last user. `losetup -d`.
    ///
    /// - Parameter device: the open device.
    /// - Throws: ``SystemCallFailure``.
    public static func clear(_ device: borrowing File) throws(SystemCallFailure) {
        try check("ioctl LOOP_CLR_FD", device.path) { clinux_loop_clear(device.descriptor) }
    }
}
