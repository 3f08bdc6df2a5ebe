// SPDX-License-Identifier: GPL-3.0-or-later
import Glibc

extension Program {
    /// A variable of this process's environment; `nil` when it is not set.
    ///
    /// - Parameter name: its name.
    /// - Returns: its value.
    public static func environmentValue(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }
}
