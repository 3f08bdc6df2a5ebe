// SPDX-License-Identifier: GPL-3.0-or-later
import CLinux
import Glibc

/// A mount that has no place in the tree yet. See `man 2 open_tree` and `man 2 mount_setattr`.
public struct DetachedMount: ~Copyable {
    private let file: File

    /// Takes another view of the file system mounted at a path, without the mounts beneath it.
    ///
    /// - Parameter path: a place where something is mounted.
    /// - Throws: ``SystemCallFailure``.
    public init(of path: String) throws(SystemCallFailure) {
        file = File(adopting: try check("open_tree", path) { clinux_clone_mount(path) }, path: path)
    }

    /// Makes the view read-only, without devices and set-user-ID programs, and shows the owners of files as the users of a user
    /// namespace with the same numbers.
    ///
    /// - Parameter namespace: `/proc/N/ns/user`.
    /// - Throws: ``SystemCallFailure``.
    public borrowing func protect(mappingTo namespace: borrowing File) throws(SystemCallFailure) {
        let mount = file.descriptor, users = namespace.descriptor
        // MOUNT_ATTR_RDONLY, MOUNT_ATTR_NOSUID, MOUNT_ATTR_NODEV
        try check("mount_setattr", "\(file.path)") { clinux_change_mount(mount, 1 | 2 | 4, users) }
    }

    /// Gives the view its place.
    public borrowing func attach(at path: String) throws(SystemCallFailure) {
        let mount = file.descriptor
        try check("move_mount", path) { clinux_attach_mount(mount, path) }
    }
}

extension Mount {
    /// What is mounted from now on in this mount namespace is seen in no other.
    public static func makePrivate() throws(SystemCallFailure) {
        try check("mount --make-rprivate", "/") { clinux_make_mounts_private() }
    }

    /// Shows a file or directory at another place as well, without the mounts beneath it.
    ///
    /// - Parameters:
    ///   - source: what is shown.
    ///   - target: where; there is a file or directory of the same kind.
    ///   - flags: options of the second place.
    /// - Throws: ``SystemCallFailure``.
    public static func bind(_ source: String, at target: String, _ flags: Flags = []) throws(SystemCallFailure) {
        try check("mount --bind", "\(source) at \(target)") { clinux_bind(source, target, flags.rawValue) }
    }

    /// Makes a mount the root of this mount namespace and forgets the old one. See `man 2 pivot_root`.
    ///
    /// - Parameter path: where the new root is mounted.
    /// - Throws: ``SystemCallFailure``.
    public static func enterRoot(_ path: String) throws(SystemCallFailure) {
        try check("pivot_root", path) { clinux_enter_root(path) }
    }
}
