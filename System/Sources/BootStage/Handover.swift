// SPDX-License-Identifier: GPL-3.0-or-later
import Linux

/// The change from the initramfs to the system.
enum Handover {
    /// The first program of the system.
    static let systemd = "/usr/lib/systemd/systemd"

    /// Makes the new tree the root of this process and of the kernel's helpers, and gives the initramfs's memory back.
    ///
    /// The kernel starts `modprobe` with the root of process 1, so from here on modules come from the verified system.
    ///
    /// - Throws: ``SystemCallFailure``.
    static func switchRoot() throws(SystemCallFailure) {
        let initramfs = try File("/", .directory)
        for name in EarlyMounts.moved { try Mount.move("/\(name)", to: "\(NewRoot.path)/\(name)") }
        try Program.changeDirectory(NewRoot.path)
        try Mount.move(".", to: "/")
        try Program.changeRoot(".")
        // The initramfs is still there beneath, without a name.
        FileTree.empty(initramfs)
    }

    /// Becomes systemd, with the arguments and the environment that the kernel gave.
    ///
    /// - Parameter arguments: the arguments of this process without its name.
    /// - Throws: ``SystemCallFailure``.
    static func start(arguments: [String]) throws(SystemCallFailure) -> Never {
        let environment = (try? File("/proc/self/environ").readAll()) ?? []
        let words = environment.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
        try Program.become(systemd, arguments, environment: words)
    }
}
