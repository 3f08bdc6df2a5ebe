// SPDX-License-Identifier: GPL-3.0-or-later

/// The size of a FAT file system that has room for some files.
struct FATGeometry: Equatable {
    /// FAT32, or whatever mkfs.vfat takes for the size.
    enum Kind: Equatable {
        /// What UEFI asks for on a disk.
        case fat32
        /// FAT12 or FAT16, as UEFI allows on removable media, for file systems too small for FAT32.
        case small
    }

    /// The kind of file system.
    let kind: Kind
    /// Bytes of the whole file system, whole mebibytes.
    let size: UInt64
    /// Sectors of 512 bytes that are given out together.
    let sectorsPerCluster: Int

    /// FAT32 must have at least 65525 clusters: drivers tell the kinds apart by that number alone (Microsoft's FAT
    /// specification 1.03, "FAT Type Determination"). Some room is left, for not every driver counts in the same way.
    private static let fewestClusters: UInt64 = 65_525 + 100
    private static let mebibyte: UInt64 = 1 << 20

    /// Finds the geometry.
    ///
    /// - Parameters:
    ///   - kind: the kind of file system.
    ///   - content: bytes of all files.
    ///   - reserve: bytes that stay free.
    init(_ kind: Kind, content: UInt64, reserve: UInt64) {
        self.kind = kind
        // A fiftieth for the two tables in the worst case (8 bytes for each cluster of 512); a mebibyte for directories, the
        // rest of each file's last cluster, and the reserved sectors; a small one has few of all that.
        let needed = content + reserve
        let total =
            switch kind {
            case .fat32: needed + needed / 50 + Self.mebibyte
            case .small: needed + needed / 50 + Self.mebibyte / 8
            }
        let least: UInt64 = kind == .fat32 ? Self.fewestClusters * (512 + 8) + 64 * 512 : 0
        let size = (max(total, least) + Self.mebibyte - 1) / Self.mebibyte * Self.mebibyte
        self.size = size
        // The larger the clusters, the fewer look-ups when GRUB reads the kernel; at most 4 KiB, so that little is lost.
        sectorsPerCluster =
            switch kind {
            case .fat32: [8, 4, 2].first { (size - 64 * 512) / UInt64($0 * 512 + 8) >= Self.fewestClusters } ?? 1
            case .small: 4
            }
    }
}
