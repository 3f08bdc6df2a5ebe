// SPDX-License-Identifier: GPL-3.0-or-later

/// The layout of the system image behind its file system: a superblock of `veritysetup`, then the tree of hashes.
/// See `man 8 veritysetup` and the kernel's `Documentation/admin-guide/device-mapper/verity.rst`.
public enum Verity {
    /// Bytes in a data block and in a hash block.
    public static let blockSize = 4096
    /// Bytes of a SHA-256 digest.
    public static let digestSize = 32
    /// Hash algorithm by the kernel's name.
    public static let algorithm = "sha256"

    /// The size of the hash area for an amount of data, superblock included.
    ///
    /// - Parameter dataSize: bytes of data: a positive multiple of ``blockSize``.
    /// - Returns: bytes, a multiple of ``blockSize``; `nil` when `dataSize` is not valid.
    public static func hashAreaSize(dataSize: UInt64) -> UInt64? {
        let block = UInt64(blockSize)
        guard dataSize > 0, dataSize.isMultiple(of: block), dataSize <= UInt64(Int64.max) / 2 else { return nil }
        let perBlock = block / UInt64(digestSize)
        var level = dataSize / block
        var blocks: UInt64 = 1
        while level > 1 {
            level = (level + perBlock - 1) / perBlock
            blocks += level
        }
        return blocks * block
    }

    /// What the first hash block says about the rest. Nothing in it is trusted: the root hash that counts comes with
    /// the boot configuration. It only tells "the hashes are missing" from "something is damaged".
    public struct Superblock: Hashable, Sendable {
        /// Version of the superblock's format: 1.
        public var version: UInt32
        /// Type of hashes: 1 is the usual one, with the salt first.
        public var hashType: UInt32
        /// The hash algorithm by name.
        public var algorithm: String
        /// Bytes in a data block.
        public var dataBlockSize: UInt32
        /// Bytes in a hash block.
        public var hashBlockSize: UInt32
        /// How many data blocks are covered.
        public var dataBlocks: UInt64
        /// The salt.
        public var salt: [UInt8]

        /// Reads a superblock; `nil` when the bytes do not begin with `verity` and two zeros, are too few or have too long a
        /// salt.
        ///
        /// - Parameter bytes: at least 512 bytes from the start of the hash area.
        public init?(parsing bytes: [UInt8]) {
            guard bytes.count >= 512, Array(bytes[0..<8]) == Array("verity\0\0".utf8),
                let version = bytes.littleEndian(at: 8, as: UInt32.self),
                let hashType = bytes.littleEndian(at: 12, as: UInt32.self),
                let dataBlockSize = bytes.littleEndian(at: 64, as: UInt32.self),
                let hashBlockSize = bytes.littleEndian(at: 68, as: UInt32.self),
                let dataBlocks = bytes.littleEndian(at: 72, as: UInt64.self),
                let saltSize = bytes.littleEndian(at: 80, as: UInt16.self), saltSize <= 256,
                let salt = bytes.bytes(at: 88, count: Int(saltSize))
            else { return nil }
            self.version = version
            self.hashType = hashType
            algorithm = String(decoding: bytes[32..<64].prefix { $0 != 0 }, as: UTF8.self)
            self.dataBlockSize = dataBlockSize
            self.hashBlockSize = hashBlockSize
            self.dataBlocks = dataBlocks
            self.salt = salt
        }
    }
}
