// SPDX-License-Identifier: GPL-3.0-or-later
import Commands
import Foundation

/// Where packages are fetched from: the addresses of Debian's two archives.
public struct Mirror: Sendable, Equatable {
    /// The address of the main archive, without a slash at its end.
    public let debian: String
    /// The address of the security archive, without a slash at its end.
    public let security: String

    /// Takes addresses; the security archive is looked for beside the main one when it is not given.
    public init(debian: String, security: String? = nil) {
        func trimmed(_ text: String) -> String {
            var text = text
            while text.hasSuffix("/") { text.removeLast() }
            return text
        }
        self.debian = trimmed(debian)
        self.security = trimmed(security ?? trimmed(debian) + "-security")
    }

    /// The mirror that the machine's own APT uses, whatever its distribution's release.
    ///
    /// - Throws: `MirrorError` when APT knows no archive of Debian's.
    public static func fromMachine() async throws -> Mirror {
        let text = try await Command(
            "apt-get", ["indextargets", "--format", "$(SITE) $(LABEL)", "Created-By: Packages"]
        ).output()
        return try parse(indexTargets: text)
    }

    static func parse(indexTargets text: String) throws -> Mirror {
        var addresses: [String: String] = [:]
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ", maxSplits: 1).map(String.init)
            guard words.count == 2, addresses[words[1]] == nil else { continue }
            addresses[words[1]] = words[0]
        }
        guard let debian = addresses["Debian"] else { throw MirrorError() }
        return Mirror(debian: debian, security: addresses["Debian-Security"])
    }

    /// The address of one of the archives.
    public func address(of archive: Archive) -> String {
        switch archive {
        case .debian: debian
        case .security: security
        }
    }
}

/// The machine's APT knows no archive of Debian's.
public struct MirrorError: Error, CustomStringConvertible {
    /// What to do about it.
    public var description: String {
        """
        This machine's APT configuration names no archive of Debian's, or its lists were never fetched.
        Run 'apt-get update', or name a mirror with --mirror.
        """
    }
}
