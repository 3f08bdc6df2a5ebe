// SPDX-License-Identifier: GPL-3.0-or-later
import CLinux
import Glibc

extension File {
    /// Makes a file that is not there yet and writes it, following no link.
    ///
    /// - Parameters:
    ///   - path: the file.
    ///   - mode: its permission bits; the umask takes some away.
    ///   - bytes: its content.
    /// - Throws: ``SystemCallFailure``; ``ErrorNumber/exists`` when something is there already.
    public static func make(_ path: String, mode: UInt32, _ bytes: [UInt8] = []) throws(SystemCallFailure) {
        let descriptor = try check("open", path) {
            clinux_open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode)
        }
        try File(adopting: descriptor, path: path).write(bytes)
    }

    /// Makes a file that is not there yet, so that a reader sees nothing or all of it, following no link.
    ///
    /// - Parameters:
    ///   - path: the file.
    ///   - mode: its permission bits; the umask takes some away.
    ///   - bytes: its content.
    /// - Throws: ``SystemCallFailure``; ``ErrorNumber/exists`` when something is there already.
    public static func makeWhole(_ path: String, mode: UInt32, _ bytes: [UInt8]) throws(SystemCallFailure) {
        let next = path + ".new"
        try? FileTree.remove(next)
        try make(next, mode: mode, bytes)
        defer { try? FileTree.remove(next) }
        // Not rename(2), which would replace what is there.
        try check("link", path) { link(next, path) }
    }

    /// Writes a file anew, so that a reader sees the old content or the new one and nothing between.
    ///
    /// - Parameters:
    ///   - path: the file.
    ///   - mode: its permission bits; the umask takes some away.
    ///   - bytes: its content.
    /// - Throws: ``SystemCallFailure``.
    public static func replace(_ path: String, mode: UInt32, _ bytes: [UInt8]) throws(SystemCallFailure) {
        let next = path + ".new"
        try? FileTree.remove(next)
        try make(next, mode: mode, bytes)
        try check("rename", path) { rename(next, path) }
    }
}

extension FileTree {
    /// Makes a symbolic link. See `man 2 symlink`.
    ///
    /// - Parameters:
    ///   - path: the link.
    ///   - target: where it leads.
    /// - Throws: ``SystemCallFailure``.
    public static func makeLink(_ path: String, to target: String) throws(SystemCallFailure) {
        try check("symlink", path) { symlink(target, path) }
    }
}
