// SPDX-License-Identifier: GPL-3.0-or-later
import Glibc

/// What a command shows.
public enum StandardOutput {
    /// Whether it is a terminal. See `man 3 isatty`.
    public static var isTerminal: Bool { isatty(1) == 1 }

    /// Writes text at once.
    public static func write(_ text: String) {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let count = bytes.withUnsafeBytes { Glibc.write(1, $0.baseAddress, $0.count) }
            guard count > 0 else { return }
            bytes = bytes.dropFirst(count)
        }
    }
}
