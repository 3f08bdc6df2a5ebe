// SPDX-License-Identifier: GPL-3.0-or-later
import Glibc

extension Program {
    /// The value of an environment variable, `nil` when it is not set. See `man 3 getenv`.
    ///
    /// - Parameter name: the variable.
    /// - Returns: its value.
    public static func environment(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }

    /// Writes a line to standard output, at once.
    ///
    /// - Parameter line: the line without its end.
    public static func print(_ line: String) { write(line, to: 1) }

    /// Writes a line to standard error.
    ///
    /// - Parameter line: the line without its end.
    public static func printError(_ line: String) { write(line, to: 2) }

    private static func write(_ line: String, to descriptor: Int32) {
        let bytes = Array(line.utf8) + [UInt8(ascii: "\n")]
        _ = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
    }
}

extension FileTree {
    /// Moves a file to another name on the same file system, in place of what has that name. See `man 2 rename`.
    ///
    /// - Parameters:
    ///   - path: the file.
    ///   - target: its new name.
    /// - Throws: ``SystemCallFailure``.
    public static func move(_ path: String, to target: String) throws(SystemCallFailure) {
        try check("rename", path) { rename(path, target) }
    }
}
