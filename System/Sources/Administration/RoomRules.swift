// SPDX-License-Identifier: GPL-3.0-or-later
import Linux

extension Room {
    /// What the room's root may do in the room: what installing packages needs. Nothing about mounts, network interfaces, other
    /// processes' memory or the kernel.
    static let capabilities: Set<Capability> = [
        .actAsOwner, .bindLowPorts, .changeOwner, .changeRoot, .keepSetIdentity, .makeDevices, .overrideAccess,
        .setFileCapabilities, .setGroup, .setUser, .signalOthers, .writeAudit,
    ]

    /// `CLONE_NEW…`: every kind of namespace.
    private static let anyNamespace: UInt32 = 0x7e02_0080

    /// What nobody in the room may ask of the kernel, although a user namespace would allow some of it: the doors through which
    /// user namespaces were left in the past.
    static let systemCalls: [SystemCallFilter.Rule] = refused.map { .refuse($0) } + limited

    private static let refused = [
        // Another kernel, other kernel code.
        "kexec_load", "kexec_file_load", "init_module", "finit_module", "delete_module", "bpf",
        // Insides of the kernel and of other processes.
        "perf_event_open", "kcmp", "ptrace", "process_vm_readv", "process_vm_writev", "pidfd_getfd", "syslog",
        "userfaultfd",
        "io_uring_setup", "io_uring_enter", "io_uring_register",
        // Keys are not kept apart by user namespaces as other things are.
        "add_key", "request_key", "keyctl",
        // Files by number instead of name, events of whole file systems.
        "open_by_handle_at", "name_to_handle_at", "fanotify_init", "quotactl",
        // The tree of mounts stays as it was made.
        "mount", "umount2", "pivot_root", "open_tree", "move_mount", "mount_setattr", "fsopen", "fsconfig", "fsmount",
        "fspick",
        // The computer as a whole.
        "acct", "swapon", "swapoff", "reboot", "settimeofday", "clock_settime", "adjtimex", "clock_adjtime", "iopl",
        "ioperm",
        "modify_ldt", "sethostname", "setdomainname", "vhangup",
        // No other namespaces.
        "setns",
    ]

    private static let limited: [SystemCallFilter.Rule] = [
        .refuseBits("unshare", argument: 0, bits: anyNamespace),
        .refuseBits("clone", argument: 0, bits: anyNamespace),
        // Its flags lie in memory where a filter cannot look. The C library then takes clone.
        .refuse("clone3", .notImplemented),
        // TIOCSTI and TIOCLINUX type into a terminal, TIOCCONS takes the console's messages.
        .refuseValue("ioctl", argument: 1, value: 0x5412), .refuseValue("ioctl", argument: 1, value: 0x541c),
        .refuseValue("ioctl", argument: 1, value: 0x541d),
    ]
}
