// SPDX-License-Identifier: GPL-3.0-or-later
import CLinux
import Glibc

/// Network namespaces with names, as `man 8 ip-netns` has them: files to which a namespace is bound.
public enum NetworkNamespace {
    /// The namespace of the calling thread.
    public static let own = "/proc/thread-self/ns/net"

    /// Makes the folder of the names, as a mount of its own that is shared, so that a name which is made in one mount
    /// namespace is seen in the others.
    ///
    /// - Parameter folder: `/run/netns`.
    /// - Throws: ``SystemCallFailure``.
    public static func prepareFolder(_ folder: String) throws(SystemCallFailure) {
        try FileTree.makeDirectory(folder)
        try check("mount --bind", folder) { clinux_mount_bind(folder, folder) }
        try check("mount --make-shared", folder) { clinux_mount_share(folder) }
    }

    /// Puts the calling thread into a new network namespace, in which there is only a loopback interface that is down, and
    /// gives the namespace a name: it stays when the thread leaves.
    ///
    /// - Parameter path: the name, a file that is not there yet.
    /// - Throws: ``SystemCallFailure``; the thread may be in the new namespace then.
    public static func make(_ path: String) throws(SystemCallFailure) {
        _ = try File(path, .create(mode: 0o444))
        try check("unshare", "network of \(path)") { clinux_unshare_network() }
        try check("mount --bind", "\(own) at \(path)") { clinux_mount_bind(own, path) }
    }

    /// Puts the calling thread into a namespace.
    ///
    /// - Parameter file: the namespace's file, open.
    /// - Throws: ``SystemCallFailure``.
    public static func enter(_ file: borrowing File) throws(SystemCallFailure) {
        let descriptor = file.descriptor
        try check("setns", file.path) { clinux_enter_network(descriptor) }
    }
}
