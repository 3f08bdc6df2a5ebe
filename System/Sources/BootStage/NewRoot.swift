// SPDX-License-Identifier: GPL-3.0-or-later
import Linux
import Media

/// The file tree that the system finds: the verified file system, and memory over what is writable.
struct NewRoot {
    /// Where the tree is built.
    static let path = "/new"
    /// Memory for all overlays, not reachable from the system.
    private static let memory = "/ram"

    /// Directories of the verified file system that can be changed, in memory, until the computer is switched off.
    static let overlays = ["etc", "var", "home", "root"]

    /// A directory that begins empty, in memory.
    struct Empty: Hashable {
        let name: String
        let options: String
    }

    /// The directories that begin empty. Sizes are limits and not reservations.
    static let empties = [
        Empty(name: "tmp", options: "mode=1777,size=50%"),
        // Only mount points are made here.
        Empty(name: "mnt", options: "mode=755,size=1m"),
        Empty(name: "media", options: "mode=755,size=1m"),
    ]

    /// What is writable is neither executable nor privileged.
    static let writable: Mount.Flags = [.noSetUser, .noDevices, .noExecution]

    /// Mounts everything below ``path``.
    ///
    /// - Parameters:
    ///   - device: the verified device.
    ///   - fileSystem: its file system.
    /// - Throws: ``SystemCallFailure``.
    static func assemble(device: String, fileSystem: BootConfiguration.FileSystem) throws(SystemCallFailure) {
        try FileTree.makeDirectory(path)
        try Mount.attach(fileSystem.rawValue, from: device, at: path, [.readOnly, .noDevices])
        try FileTree.makeDirectory(memory, mode: 0o700)
        try Mount.attach("tmpfs", from: "needletail", at: memory, writable, options: "mode=755,size=50%")
        for name in overlays {
            let upper = "\(memory)/\(name)"
            let work = "\(memory)/\(name).work"
            try FileTree.makeDirectory(upper)
            try FileTree.makeDirectory(work)
            // An overlay takes the directory's own owner and mode from above.
            try FileTree.copyOwnership(to: upper, from: FileTree.status("\(path)/\(name)"))
            try Mount.attach(
                "overlay", from: "needletail-\(name)", at: "\(path)/\(name)", writable,
                options: "lowerdir=\(path)/\(name),upperdir=\(upper),workdir=\(work)")
        }
        // The overlays hold the memory themselves. Without a name it cannot be changed behind their backs, and it is
        // given back as soon as they are unmounted at shutdown.
        try Mount.detach(memory)
        for empty in empties {
            try Mount.attach("tmpfs", from: "tmpfs", at: "\(path)/\(empty.name)", writable, options: empty.options)
        }
    }
}

/// The file systems that are needed before anything else, and go on to the system.
enum EarlyMounts {
    /// Their directories in the initramfs and in the system.
    static let moved = ["dev", "proc", "sys", "run"]

    /// Mounts what the C shim has not mounted yet.
    ///
    /// - Throws: ``SystemCallFailure``.
    static func mount() throws(SystemCallFailure) {
        Program.setFileModeMask(0o022)
        for name in moved { try FileTree.makeDirectory("/\(name)") }
        if !FileTree.exists("/proc/self") {
            try Mount.attach("proc", from: "proc", at: "/proc", [.noSetUser, .noDevices, .noExecution])
        }
        try Mount.attach("sysfs", from: "sysfs", at: "/sys", [.noSetUser, .noDevices, .noExecution])
        try Mount.attach("devtmpfs", from: "devtmpfs", at: "/dev", [.noSetUser, .noExecution], options: "mode=755")
        try Mount.attach("tmpfs", from: "tmpfs", at: "/run", NewRoot.writable, options: "mode=755,size=20%")
        try FileTree.makeDirectory("/dev/shm")
        try Mount.attach("tmpfs", from: "tmpfs", at: "/dev/shm", NewRoot.writable, options: "mode=1777,size=50%")
    }
}
