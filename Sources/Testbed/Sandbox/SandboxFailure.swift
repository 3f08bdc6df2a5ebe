// SPDX-License-Identifier: GPL-3.0-or-later

/// Why a sandbox could not be made or used.
public struct SandboxFailure: Error, CustomStringConvertible {
    /// The kind of failure, for programs.
    public enum Code: Sendable {
        /// The work folder is where the sandbox has its own file systems.
        case badFolder
        /// Another sandbox uses the work folder.
        case busy
        /// A name cannot name a network namespace.
        case badName
        /// The namespaces were not ready in time.
        case notReady
    }

    /// The kind of failure.
    public let code: Code
    /// The failure for a person.
    public let description: String

    init(_ code: Code, _ description: String) {
        self.code = code
        self.description = description
    }
}
