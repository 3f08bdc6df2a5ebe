// SPDX-License-Identifier: GPL-3.0-or-later

/// The room: where administration happens. A user namespace with a system of its own.
///
/// Its users and groups are nobody's outside: what has left the room by mistake could do nothing. Its files are the image's, seen
/// through an overlay in memory: it may change everything and has changed nothing. Its network is the session's, which belongs to
/// the computer's own root, so its root cannot configure it.
enum Room {
    /// The number outside of user and group 0 of the room. A range that no account, no container tool and no service of systemd
    /// uses (systemd's own ranges end at 1879048191, see `man 8 systemd-nspawn` and UIDS-GIDS of systemd).
    static let firstUser: UInt32 = 1_879_048_192
    /// How many users and groups there are in the room.
    static let users: UInt32 = 65_536
    /// How much memory changes to files may take.
    static let space = "40%"
    /// Commands and shells that run at the same time.
    static let commands = 16

    /// Devices that hold nothing of the computer.
    static let devices = ["full", "null", "random", "tty", "urandom", "zero"]

    /// Files and folders of `/proc` that are covered: what they show is the computer's and not the room's.
    static let coveredFiles = [
        "config.gz", "interrupts", "kallsyms", "kcore", "key-users", "keys", "kmsg", "sched_debug", "timer_list",
    ]
    /// Folders of `/proc` that are covered.
    static let coveredFolders = ["acpi", "asound", "scsi"]
    /// Parts of `/proc` that can only be read. Nearly all of it is refused to the room's root in any case.
    static let readOnly = ["bus", "fs", "irq", "sys", "sysrq-trigger"]

    /// What every program in the room finds in its environment.
    static let environment = [
        "HOME=/root", "LANG=C.UTF-8", "LOGNAME=root", "PATH=\(folders.joined(separator: ":"))", "SHELL=/bin/bash",
        "USER=root",
    ]
    /// Where programs are looked for.
    static let folders = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"]
    /// What is started when no command is named.
    static let shell = ["/bin/bash", "-l"]
}
