// SPDX-License-Identifier: GPL-3.0-or-later
import Media

/// The parts of an ISO 9660 image that have to be found or changed after xorriso has made it.
///
/// ECMA-119 for the volume descriptors, the El Torito specification 1.0 and UEFI 2.10 section 13.3.2 for the boot catalogue.
enum DiscImage {
    /// Bytes in a block of a disc.
    static let block: UInt64 = 2048
    /// The first block of the volume descriptors; what is before them is the system area, which has the GPT.
    static let primaryDescriptor: UInt64 = 16

    /// Where the boot catalogue is.
    ///
    /// - Parameter descriptor: block 17, the boot record.
    /// - Returns: its block.
    /// - Throws: `MediaFailure.disc` when this is no boot record.
    static func catalogue(bootRecord descriptor: [UInt8]) throws(MediaFailure) -> UInt64 {
        guard descriptor.count == block, descriptor[0] == 0, Array(descriptor[1..<6]) == Array("CD001".utf8),
            Array(descriptor[7..<30]) == Array("EL TORITO SPECIFICATION".utf8)
        else { throw .disc("it has no El Torito boot record") }
        return UInt64(littleEndian(descriptor, 0x47))
    }

    /// The block in which the image for UEFI begins.
    ///
    /// - Parameter catalogue: the block with the boot catalogue.
    /// - Returns: the block.
    /// - Throws: `MediaFailure.disc` when there is no image for UEFI.
    static func firmwareImage(catalogue: [UInt8]) throws(MediaFailure) -> UInt64 {
        var platform: UInt8?
        for start in stride(from: 64, to: catalogue.count, by: 32) {
            switch catalogue[start] {
            case 0x90, 0x91: platform = catalogue[start + 1]
            case 0x88 where platform == 0xef: return UInt64(littleEndian(catalogue, start + 8))
            default: break
            }
        }
        throw .disc("its boot catalogue has no entry for UEFI")
    }

    /// The size of the volume as the primary descriptor has it: in blocks, in both byte orders, at byte 80.
    static func volumeSize(blocks: UInt64) -> [UInt8] {
        let little = (0..<4).map { UInt8(truncatingIfNeeded: blocks >> (8 * UInt64($0))) }
        return little + little.reversed()
    }

    private static func littleEndian(_ bytes: [UInt8], _ offset: Int) -> UInt32 {
        (0..<4).reduce(0) { $0 | UInt32(bytes[offset + $1]) << (8 * UInt32($1)) }
    }
}
