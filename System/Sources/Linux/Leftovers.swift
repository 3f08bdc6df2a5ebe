// SPDX-License-Identifier: GPL-3.0-or-later
import CLinux

/// What programs leave in the kernel for each other, and what is still there when they have ended.
public enum SharedObjects {
    /// Removes all shared memory, message queues and semaphores of this namespace. See `man 7 sysvipc`, `man 7 mq_overview`.
    ///
    /// - Returns: how many could not be removed.
    public static func remove() -> Int { Int(clinux_shared_objects_remove()) }
}

/// What the kernel itself remembers when those who caused it are gone.
public enum Leftovers {
    /// Forgets all connections that the firewall of this namespace knows, with the addresses at both ends.
    ///
    /// - Throws: ``SystemCallFailure``.
    public static func forgetConnections() throws(SystemCallFailure) {
        try check("netlink IPCTNL_MSG_CT_DELETE", "") { clinux_connections_forget() }
    }

    /// Removes the links in `/dev` that name disks by their labels, numbers and owners' words. Devices stay.
    ///
    /// - Throws: ``SystemCallFailure``.
    public static func removeDeviceNames() throws(SystemCallFailure) {
        let folder = try File("/dev", .directory)
        clinux_folder_clear(folder.descriptor, 1)
    }

    /// Lets the kernel give back the memory of objects that it does not empty when they are freed: connections, files.
    ///
    /// - Returns: how many kinds; 0 when the kernel does not offer it (`CONFIG_SLUB_DEBUG`).
    @discardableResult
    public static func shrinkObjects() -> Int {
        guard let folder = try? File("/sys/kernel/slab", .directory) else { return 0 }
        return max(0, Int(clinux_slabs_shrink(folder.descriptor)))
    }
}
