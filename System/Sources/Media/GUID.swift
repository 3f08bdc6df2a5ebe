// SPDX-License-Identifier: GPL-3.0-or-later

/// A 128-bit globally unique identifier, as GPT names disks, partition types and partitions.
///
/// Its text is lower-case with hyphens. On a disk the first three groups are little-endian (UEFI specification,
/// appendix A), which is why there are two byte orders here.
public struct GUID: Hashable, Sendable, CustomStringConvertible, LosslessStringConvertible {
    private let high: UInt64
    private let low: UInt64

    /// The GUID of sixteen zero bytes, which marks an unused entry in a partition table.
    public static let zero = GUID(high: 0, low: 0)

    private init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// Reads the usual text, such as `c12a7328-f81f-11d2-ba4b-00a0c93ec93b`, in either case.
    ///
    /// - Parameter description: 36 characters; anything else gives `nil`.
    public init?(_ description: String) {
        let groups = description.split(separator: "-", omittingEmptySubsequences: false)
        guard groups.map(\.utf8.count) == [8, 4, 4, 4, 12],
            let bytes = Hexadecimal.bytes(groups.joined())
        else { return nil }
        self.init(textBytes: bytes)
    }

    /// Reads the sixteen bytes of a GUID as they are on a disk.
    ///
    /// - Parameter diskBytes: exactly 16 bytes; any other count gives `nil`.
    public init?(diskBytes: [UInt8]) {
        guard diskBytes.count == 16 else { return nil }
        self.init(textBytes: Self.swapped(diskBytes))
    }

    /// The GUID that stands for a hash: its first sixteen bytes with the bits of a version 8 ("custom", RFC 9562) UUID
    /// set. Two versions of the system have two root hashes and so two partition GUIDs.
    ///
    /// - Parameter hash: at least 16 bytes; fewer give `nil`.
    public init?(derivedFromHash hash: [UInt8]) {
        guard hash.count >= 16 else { return nil }
        var bytes = [UInt8](hash[0..<16])
        bytes[6] = bytes[6] & 0x0f | 0x80
        bytes[8] = bytes[8] & 0x3f | 0x80
        self.init(textBytes: bytes)
    }

    private init?(textBytes bytes: [UInt8]) {
        guard bytes.count == 16 else { return nil }
        high = bytes[0..<8].reduce(0) { $0 << 8 | UInt64($1) }
        low = bytes[8..<16].reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// The sixteen bytes as they are on a disk.
    public var diskBytes: [UInt8] { Self.swapped(textBytes) }

    /// Lower-case text with hyphens.
    public var description: String {
        let text = Array(Hexadecimal.text(textBytes))
        return [0..<8, 8..<12, 12..<16, 16..<20, 20..<32].map { String(text[$0]) }.joined(separator: "-")
    }

    private var textBytes: [UInt8] {
        [high, low].flatMap { half in (0..<8).map { UInt8(truncatingIfNeeded: half >> (56 - 8 * UInt64($0))) } }
    }

    private static func swapped(_ bytes: [UInt8]) -> [UInt8] {
        [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15].map { bytes[$0] }
    }
}

extension GUID {
    /// The partition type that GRUB's core image lives in on a GPT disk started by a BIOS.
    public static let biosBoot = GUID(high: 0x2168_6148_6449_6e6f, low: 0x744e_6565_6445_4649)
    /// The partition type of an EFI system partition.
    public static let efiSystem = GUID(high: 0xc12a_7328_f81f_11d2, low: 0xba4b_00a0_c93e_c93b)
    /// The partition type of Linux file system data.
    public static let linuxData = GUID(high: 0x0fc6_3daf_8483_4772, low: 0x8e79_3d69_d847_7de4)
}
