// SPDX-License-Identifier: GPL-3.0-or-later
import Linux

/// What the kernel itself keeps of a session.
public enum KernelMemory {
    /// Empties the keyrings of every user.
    ///
    /// - Parameter complaints: where it is told which keys stayed.
    public static func clearKeys(_ complaints: Step.Complaints) {
        // Keys that are given up would keep their memory for minutes.
        try? File.write("0\n", to: "/proc/sys/kernel/keys/gc_delay")
        // Only a process of the same user may.
        for user in KeyList.users((try? File.text("/proc/key-users")) ?? "") where user != 0 {
            let outcome = Step("keys", "\(user)", seconds: 2) { complaints in
                complaints.attempt { () throws(SystemCallFailure) in
                    try ProcessNamespaces.become(user: user, group: user)
                    // Root does not see them.
                    for type in clearOwnKeys() { complaints.add(Words.keyLeft(type)) }
                }
            }.perform()
            if !outcome.isDone { complaints.add(Words.keysLeft(user: user)) }
        }
        for type in clearOwnKeys() { complaints.add(Words.keyLeft(type)) }
    }

    /// Empties the keyrings of this process's user.
    ///
    /// - Returns: the types of keys that are left; five at most.
    private static func clearOwnKeys() -> [String] {
        let persistent = [try? Keyring.persistent()].compactMap(\.self)
        for keyring in [Keyring.session, Keyring.user, Keyring.userSession] + persistent { try? Keyring.clear(keyring) }
        for key in KeyList.current.keys {
            if key.type == "keyring" {
                try? Keyring.clear(key.number)
            } else if (try? Keyring.invalidate(key.number)) == nil {
                try? Keyring.revoke(key.number)
            }
        }
        // Keys are taken away by another thread of the kernel.
        for _ in 0..<10 where !KeyList.current.secrets.isEmpty { Machine.sleep(0.05) }
        return KeyList.current.secrets.prefix(5).map(\.type)
    }

    /// Removes what programs left for each other: shared memory and messages.
    ///
    /// - Parameter complaints: where it is told that some is still there.
    public static func removeSharedObjects(_ complaints: Step.Complaints) {
        let left = SharedObjects.remove()
        if left > 0 { complaints.add(Words.sharedLeft(left)) }
    }

    /// Makes the kernel give back what it has read from disks and what it remembers of names.
    ///
    /// - Parameter complaints: where it is told that it could not.
    public static func dropCaches(_ complaints: Step.Complaints) {
        // The second pass takes what the first has made free.
        for _ in 0..<2 {
            complaints.attempt { () throws(SystemCallFailure) in try File.write("3\n", to: "/proc/sys/vm/drop_caches") }
        }
        Leftovers.shrinkObjects()
    }

    /// Connections end without waiting for the other side, and network cards give their buffers back.
    ///
    /// - Parameter complaints: where it is told which stayed up.
    public static func closeNetwork(_ complaints: Step.Complaints) {
        // Sockets of programs that have ended keep what was still to be sent; with no room for orphans they are reset.
        try? File.write("0\n", to: "/proc/sys/net/ipv4/tcp_max_orphans")
        for name in FileTree.names(in: "/sys/class/net") {
            guard let index = File.line("/sys/class/net/\(name)/ifindex").flatMap({ Int32($0) }) else { continue }
            complaints.attempt { () throws(SystemCallFailure) in
                do throws(SystemCallFailure) {
                    try NetworkInterface.setDown(index)
                } catch {
                    // It may be gone together with the other end of a pair.
                    if error.number != .noDevice { throw error }
                }
            }
        }
        complaints.attempt { () throws(SystemCallFailure) in try Leftovers.forgetConnections() }
    }

    /// Removes the names of disks: labels, serial numbers, and what their owners called them.
    ///
    /// - Parameter complaints: where it is told that it could not.
    public static func removeDeviceNames(_ complaints: Step.Complaints) {
        complaints.attempt { () throws(SystemCallFailure) in try Leftovers.removeDeviceNames() }
    }

    /// Overwrites the kernel's log, which names devices and their serial numbers.
    ///
    /// - Parameter complaints: where it is told that it could not.
    public static func overwriteLog(_ complaints: Step.Complaints) {
        // The kernel keeps who said a line, of which device and when, beside the lines: one place for each 32 bytes of these. So many
        // short ones.
        let lines = Machine.kernelLogSize / 32
        let text = Array(("<7>" + String(repeating: "-", count: 40) + "\n").utf8)
        complaints.attempt { () throws(SystemCallFailure) in
            // Else the kernel drops lines when there are many.
            try? File.write("on\n", to: "/proc/sys/kernel/printk_devkmsg")
            let log = try File("/dev/kmsg", .write)
            // Once round and a little more.
            for _ in 0..<(lines + lines / 8 + 64) { try log.write(text) }
        }
    }
}

/// The keys that this process sees. See `man 5 proc_keys`.
struct KeyList {
    /// A key.
    struct Key: Hashable {
        let number: Int32
        /// `keyring`, `user`, `logon`, `encrypted`, `asymmetric` …
        let type: String
    }

    let keys: [Key]

    static var current: KeyList { KeyList(parsing: (try? File.text("/proc/keys")) ?? "") }

    /// What may be a user's. Certificates and keyrings without content are the kernel's own.
    var secrets: [Key] { keys.filter { ["user", "logon", "encrypted", "trusted", "big_key"].contains($0.type) } }

    /// Reads the list. `ID Flags Usage Timeout Permissions UID GID Type Description`
    init(parsing text: String) {
        keys = text.split(separator: "\n").compactMap { line in
            let words = line.split(separator: " ")
            guard words.count >= 8, let number = UInt32(words[0], radix: 16), !words[1].contains("D") else {
                return nil
            }
            // Revoked and invalidated keys hold nothing any more.
            if words[1].contains("R") || words[1].contains("i") { return nil }
            return Key(number: Int32(bitPattern: number), type: String(words[7]))
        }
    }

    /// The users in `/proc/key-users`: ` 1000:    12 11/11 …`.
    static func users(_ text: String) -> [UInt32] {
        text.split(separator: "\n").compactMap { line in
            line.split(separator: ":").first.flatMap { UInt32($0.filter { $0 != " " }) }
        }
    }
}
