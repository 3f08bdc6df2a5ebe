// SPDX-License-Identifier: GPL-3.0-or-later
import Glibc

/// Lines for the log: systemd takes them from standard error into the journal.
public enum StandardError {
    /// Writes a line at once. Control characters, which could forge other lines or move a terminal's cursor, become question
    /// marks, and what is beyond 1 KiB is cut off.
    public static func line(_ text: String) {
        var bytes = text.utf8.prefix(1024).map { $0 < 0x20 || $0 == 0x7f ? UInt8(ascii: "?") : $0 }
        bytes.append(0x0a)
        _ = bytes.withUnsafeBytes { Glibc.write(2, $0.baseAddress, $0.count) }
    }
}
