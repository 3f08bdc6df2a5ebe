// SPDX-License-Identifier: GPL-3.0-or-later
import Linux

/// This program once more, in memory of its own, where systemd returns at the end of the session: `/run/initramfs/shutdown VERB`,
/// with the system's file tree at `/oldroot`. See `man 7 bootup` and systemd's interface for initrds.
///
/// Nothing of it lies on the medium. It cannot be changed, and only root sees it. It takes as much memory as the program is large.
enum StayInMemory {
    static let path = "/run/initramfs"
    /// Names of the one program. `emergency` watches the medium while the session runs.
    static let names = ["shutdown", "emergency"]
    /// systemd mounts the first ones, and moves the old root to the last.
    static let mountPoints = ["dev", "proc", "sys", "run", "oldroot"]
    private static let options: Mount.Flags = [.noSetUser, .noDevices]

    /// Copies the running program; `/run` is mounted.
    ///
    /// - Parameters:
    ///   - path: where it is put.
    ///   - program: the program.
    /// - Throws: ``SystemCallFailure``.
    static func prepare(at path: String = path, program: String = "/proc/self/exe") throws(SystemCallFailure) {
        try FileTree.makeDirectory(path)
        // `/run` itself executes nothing.
        try Mount.attach("tmpfs", from: "needletail-end", at: path, options, options: "mode=700,size=32m,nr_inodes=32")
        for name in mountPoints { try FileTree.makeDirectory("\(path)/\(name)") }
        do {
            let source = try File(program)
            let copy = try File("\(path)/\(names[0])", .create(mode: 0o700))
            while true {
                let bytes = try source.read(upTo: 1 << 20)
                if bytes.isEmpty { break }
                try copy.write(bytes)
            }
        }
        for name in names.dropFirst() { try FileTree.link("\(path)/\(names[0])", as: "\(path)/\(name)") }
        try Mount.makeReadOnly(path, options)
    }
}
