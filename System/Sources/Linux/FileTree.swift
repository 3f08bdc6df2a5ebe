// SPDX-License-Identifier: GPL-3.0-or-later
import CLinux
import Glibc

/// Names in the file tree: what is there, and making and removing it.
public enum FileTree {
    /// What `stat` says, as far as it is needed here.
    public struct Status: Hashable, Sendable {
        /// File type and permission bits.
        public let mode: UInt32
        /// Owner.
        public let user: UInt32
        /// Group.
        public let group: UInt32
        /// The file system it is on.
        public let device: UInt64
        /// Major and minor number, if it is a device node.
        public let node: (major: UInt32, minor: UInt32)
        /// Whether it is a directory.
        public var isDirectory: Bool { mode & S_IFMT == S_IFDIR }
        /// Whether it is a block device node.
        public var isBlockDevice: Bool { mode & S_IFMT == S_IFBLK }

        init(_ status: stat) {
            mode = status.st_mode
            user = status.st_uid
            group = status.st_gid
            device = UInt64(status.st_dev)
            node = (clinux_major(UInt64(status.st_rdev)), clinux_minor(UInt64(status.st_rdev)))
        }

        /// Compares all fields.
        public static func == (one: Status, other: Status) -> Bool {
            (one.mode, one.user, one.group, one.device) == (other.mode, other.user, other.group, other.device)
                && one.node == other.node
        }

        /// Feeds the fields that tell files apart.
        public func hash(into hasher: inout Hasher) {
            hasher.combine(mode)
            hasher.combine(device)
        }
    }

    /// The status of what a path leads to, symbolic links followed. See `man 2 stat`.
    ///
    /// - Parameter path: the path.
    /// - Returns: its status.
    /// - Throws: ``SystemCallFailure``.
    public static func status(_ path: String) throws(SystemCallFailure) -> Status {
        var result = stat()
        try check("stat", path) { stat(path, &result) }
        return Status(result)
    }

    /// Whether a path leads to something.
    ///
    /// - Parameter path: the path.
    /// - Returns: false also when it cannot be known.
    public static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    /// The names in a directory without `.` and `..`, sorted; empty when it cannot be read.
    ///
    /// - Parameter path: the directory.
    /// - Returns: names, not paths.
    public static func names(in path: String) -> [String] {
        guard let directory = opendir(path) else { return [] }
        defer { closedir(directory) }
        return names(directory).sorted()
    }

    /// The path with all symbolic links followed, or `nil`. See `man 3 realpath`.
    ///
    /// - Parameter path: a path.
    /// - Returns: an absolute path without links.
    public static func resolved(_ path: String) -> String? {
        guard let result = realpath(path, nil) else { return nil }
        defer { free(result) }
        return String(cString: result)
    }

    /// Makes a directory unless one is there, with exactly this mode whatever the umask.
    ///
    /// - Parameters:
    ///   - path: the directory; its parent is there.
    ///   - mode: permission bits.
    /// - Throws: ``SystemCallFailure``; see `man 2 mkdir`.
    public static func makeDirectory(_ path: String, mode: UInt32 = 0o755) throws(SystemCallFailure) {
        do {
            try check("mkdir", path) { mkdir(path, mode) }
            try check("chmod", path) { chmod(path, mode) }
        } catch  where error.number == .exists {
            return
        }
    }

    /// Gives a file its owner and mode.
    ///
    /// - Parameters:
    ///   - path: the file.
    ///   - status: whose owner, group and permission bits it gets.
    /// - Throws: ``SystemCallFailure``; see `man 2 chown` and `man 2 chmod`.
    public static func copyOwnership(to path: String, from status: Status) throws(SystemCallFailure) {
        try check("chown", path) { chown(path, status.user, status.group) }
        try check("chmod", path) { chmod(path, status.mode & 0o7777) }
    }

    /// Removes a name. See `man 2 unlink`.
    ///
    /// - Parameter path: the file.
    /// - Throws: ``SystemCallFailure``.
    public static func remove(_ path: String) throws(SystemCallFailure) {
        try check("unlink", path) { unlink(path) }
    }

    /// Removes all that is in a directory and on the same file system; mount points and what is in them stay. Errors are
    /// passed over: the purpose is to free memory.
    ///
    /// - Parameter directory: the open directory.
    public static func empty(_ directory: borrowing File) {
        var own = stat()
        guard fstat(directory.descriptor, &own) == 0 else { return }
        empty(descriptor: dup(directory.descriptor), device: own.st_dev)
    }

    /// Takes the descriptor over.
    private static func empty(descriptor: Int32, device: dev_t) {
        guard let stream = fdopendir(descriptor) else { return }
        defer { closedir(stream) }
        for name in names(stream) {
            var status = stat()
            guard fstatat(descriptor, name, &status, AT_SYMLINK_NOFOLLOW) == 0, status.st_dev == device else {
                continue
            }
            guard status.st_mode & S_IFMT == S_IFDIR else {
                unlinkat(descriptor, name, 0)
                continue
            }
            let child = openat(descriptor, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
            if child >= 0 { empty(descriptor: child, device: device) }
            unlinkat(descriptor, name, AT_REMOVEDIR)
        }
    }

    private static func names(_ stream: OpaquePointer) -> [String] {
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names
    }
}
