// SPDX-License-Identifier: GPL-3.0-or-later
import Linux

/// The file that is there while the screen is locked. It names the lock's console, so that who reads it can see for himself
/// whether that is the one on the screen.
struct LockMark: Sendable {
    /// The file.
    let path: String
    /// Where the kernel names the console that is on the screen.
    let screen: String

    static let system = LockMark(path: "/run/needletail/locked", screen: "/sys/class/tty/tty0/active")

    /// Whether the screen is locked at this moment.
    var isTrue: Bool {
        guard let console = File.line(path), !console.isEmpty else { return false }
        return console == File.line(screen)
    }

    /// Says that a console is the lock's, and on the screen to stay.
    func set(_ number: Int32) throws(SystemCallFailure) {
        try File.replace(path, mode: 0o644, Array("tty\(number)\n".utf8))
    }

    /// Says that the screen is not locked.
    func remove() { try? FileTree.remove(path) }
}
