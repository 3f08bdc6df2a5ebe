// SPDX-License-Identifier: GPL-3.0-or-later
import Foundation

/// What a build made, for people and programs that verify it: `needletail-<profile>-amd64.json`.
public struct Manifest: Sendable, Codable, Equatable {
    /// One of the build's files.
    public struct Output: Sendable, Codable, Equatable {
        /// The file's name.
        public let name: String
        /// Its size in bytes.
        public let size: Int
        /// Its SHA-256, 64 hexadecimal digits.
        public let sha256: String
    }

    /// The version.
    public let version: String
    /// The profile.
    public let profile: String
    /// The commit of the source tree.
    public let commit: String
    /// The time of the commit, in seconds since 1970.
    public let date: Int
    /// Debian's suite.
    public let suite: String
    /// The kernel's release.
    public let kernel: String
    /// The compiler of the guest's programs.
    public let compiler: String
    /// The unique GUID of the system partition.
    public let systemPartition: String
    /// The kernel's name of the system's file system.
    public let fileSystem: String
    /// The root of dm-verity's hash tree, 64 hexadecimal digits.
    public let rootHash: String
    /// Bytes of the file system, behind which the hash tree begins.
    public let dataSize: UInt64
    /// Bytes of the hash tree with its superblock.
    public let hashSize: UInt64
    /// SHA-256 of the boot stage's program.
    public let bootStage: String
    /// SHA-256 of the packed initramfs.
    public let initramfs: String
    /// How many packages of Debian's are inside.
    public let packages: Int
    /// The files.
    public let outputs: [Output]

    /// The manifest as JSON, the same text for the same content.
    public func json() throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return try encoder.encode(self) + Data("\n".utf8)
    }
}
