// SPDX-License-Identifier: GPL-3.0-or-later
import CLinux
import Glibc

/// Giving processes a part of the system of their own. See `man 7 namespaces`.
public enum ProcessNamespaces {
    /// Kinds of namespaces, with the kernel's bits.
    public struct Kinds: OptionSet, Hashable, Sendable {
        /// `CLONE_NEW…` bits.
        public let rawValue: UInt64

        /// Wraps the kernel's bits.
        public init(rawValue: UInt64) { self.rawValue = rawValue }

        /// Users, groups and capabilities.
        public static let users = Kinds(rawValue: 0x1000_0000)
        /// The tree of mounts.
        public static let mounts = Kinds(rawValue: 0x0002_0000)
        /// Processes.
        public static let processes = Kinds(rawValue: 0x2000_0000)
        /// System V objects and message queues.
        public static let interprocess = Kinds(rawValue: 0x0800_0000)
        /// The host name.
        public static let hostName = Kinds(rawValue: 0x0400_0000)
        /// The root of the control groups.
        public static let controlGroups = Kinds(rawValue: 0x0200_0000)
        /// Network interfaces.
        public static let network = Kinds(rawValue: 0x4000_0000)
    }

    /// Forks, the child being in new namespaces. Only from a process with a single thread; the child may do whatever this process
    /// may do. See `man 2 clone`.
    ///
    /// - Returns: the child's number; 0 in the child.
    /// - Throws: ``SystemCallFailure``.
    public static func fork(into kinds: Kinds) throws(SystemCallFailure) -> Int32 {
        try check("clone", "new namespaces") { clinux_clone(kinds.rawValue) }
    }

    /// Moves this process into new namespaces. See `man 2 unshare`.
    public static func leave(_ kinds: Kinds) throws(SystemCallFailure) {
        try check("unshare", "namespaces") { clinux_unshare(Int32(truncatingIfNeeded: kinds.rawValue)) }
    }

    /// Gives the users and groups of a new user namespace their numbers outside. See `man 7 user_namespaces`.
    ///
    /// - Parameters:
    ///   - process: the first process in it.
    ///   - first: the number outside of user and group 0 inside.
    ///   - count: how many users and groups there are inside.
    ///   - folder: where `proc` is mounted.
    /// - Throws: ``SystemCallFailure``.
    public static func map(
        process: Int32, first: UInt32, count: UInt32, folder: String = "/proc"
    ) throws(SystemCallFailure) {
        for name in ["uid_map", "gid_map"] {
            try File.write("0 \(first) \(count)\n", to: "\(folder)/\(process)/\(name)")
        }
    }

    /// Changes to a user and a group of this user namespace, without further groups.
    public static func become(user: UInt32, group: UInt32) throws(SystemCallFailure) {
        try check("setresuid", "\(user)") { clinux_become(user, group) }
    }
}

/// What a process may do beyond its user's rights. See `man 7 capabilities`.
public enum Capability: Int, Sendable, CaseIterable {
    /// `CAP_CHOWN`: gives files to others.
    case changeOwner = 0
    /// `CAP_DAC_OVERRIDE`: passes over the permissions of files.
    case overrideAccess = 1
    /// `CAP_DAC_READ_SEARCH`: reads every file and folder.
    case searchAndRead = 2
    /// `CAP_FOWNER`: does what only owners of files may.
    case actAsOwner = 3
    /// `CAP_FSETID`: set-id bits stay when a file changes.
    case keepSetIdentity = 4
    /// `CAP_KILL`: signals to others' processes.
    case signalOthers = 5
    /// `CAP_SETGID`: takes any group.
    case setGroup = 6
    /// `CAP_SETUID`: takes any user.
    case setUser = 7
    /// `CAP_SETPCAP`: changes capabilities.
    case changeCapabilities = 8
    /// `CAP_NET_BIND_SERVICE`: listens on ports below 1024.
    case bindLowPorts = 10
    /// `CAP_SYS_CHROOT`: changes the root folder.
    case changeRoot = 18
    /// `CAP_SYS_ADMIN`: mounts, namespaces and much else.
    case administerSystem = 21
    /// `CAP_MKNOD`: makes device nodes.
    case makeDevices = 27
    /// `CAP_AUDIT_WRITE`: writes to the audit log.
    case writeAudit = 29
    /// `CAP_SETFCAP`: gives capabilities to files.
    case setFileCapabilities = 31

    /// Gives up every capability but some, for this process and all that come from it.
    ///
    /// - Throws: ``SystemCallFailure``; see `man 2 prctl`.
    public static func limit(to kept: Set<Capability>) throws(SystemCallFailure) {
        let mask = kept.reduce(UInt64(0)) { $0 | 1 << UInt64($1.rawValue) }
        try check("capset", "\(kept.count) capabilities") { clinux_limit_capabilities(mask) }
    }
}

/// Promises of a process about itself. See `man 2 prctl`.
public enum Confinement {
    /// No program that this process or its children start gets more rights than they have.
    public static func allowNoNewPrivileges() throws(SystemCallFailure) {
        try check("prctl", "no new privileges") { clinux_no_new_privileges() }
    }

    /// This process is killed when the one that made it ends.
    public static func dieWithParent() throws(SystemCallFailure) {
        try check("prctl", "death signal") { clinux_die_with_parent(SIGKILL) }
    }

    /// No other process of the same user reads this one's memory.
    public static func hideMemory() throws(SystemCallFailure) {
        try check("prctl", "memory") { clinux_hide_memory() }
    }
}
