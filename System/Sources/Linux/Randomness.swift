// SPDX-License-Identifier: GPL-3.0-or-later
import CLinux

/// The kernel's random numbers.
public enum Randomness {
    /// Draws bytes that nobody can foresee; waits after power-on until the kernel has gathered enough for that. See
    /// `man 2 getrandom`.
    ///
    /// - Parameter count: how many, 0…256.
    /// - Returns: the bytes.
    /// - Throws: ``SystemCallFailure``.
    public static func bytes(_ count: Int) throws(SystemCallFailure) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: min(max(count, 0), 256))
        let received = try check("getrandom", "\(count) bytes") {
            bytes.withUnsafeMutableBytes { clinux_random($0.baseAddress, $0.count) }
        }
        guard received == bytes.count else {
            throw SystemCallFailure(call: "getrandom", object: "\(count) bytes", number: .inputOutput)
        }
        return bytes
    }
}
