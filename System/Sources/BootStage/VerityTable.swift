// SPDX-License-Identifier: GPL-3.0-or-later
import Media

/// The tables that the device mapper gets, as text. See the kernel's
/// `Documentation/admin-guide/device-mapper/linear.rst` and `verity.rst`.
enum DeviceTable {
    /// One stretch of another device. `linear DEVICE FIRST-SECTOR`
    static func linear(device: String, firstSector: UInt64) -> String { "\(device) \(firstSector)" }

    /// Data and hashes one after the other on the same device.
    ///
    /// There are no options, and so a block that does not fit its hash is an error for who reads it, and nothing else
    /// happens. That is meant: the boot stage turns the error into its failure screen. Later, a panic or a restart would
    /// take an open document with it because a block of some program has worn out, and a stick that was pulled gives
    /// the same errors without verity being asked. Wrong data never gets through in either case.
    static func verity(device: String, configuration: BootConfiguration) -> String {
        let block = UInt64(Verity.blockSize)
        let words = [
            "1", device, device, "\(block)", "\(block)", "\(configuration.dataSize / block)",
            // The superblock comes before the tree.
            "\(configuration.dataSize / block + 1)", Verity.algorithm, Hexadecimal.text(configuration.rootHash),
            configuration.salt.isEmpty ? "-" : Hexadecimal.text(configuration.salt),
        ]
        return words.joined(separator: " ")
    }
}

/// Where the system image lies on a disk, with everything compared that a table can get wrong.
struct SystemExtent: Hashable {
    /// Byte offset on the whole disk.
    let offset: UInt64
    /// Bytes of data and hashes together.
    let length: UInt64

    /// Judges a partition before anything is read from it.
    ///
    /// - Parameters:
    ///   - partition: the system partition.
    ///   - sectorSize: of the table, in bytes.
    ///   - diskSize: of the whole disk, in bytes.
    ///   - configuration: what the system must be.
    /// - Throws: ``BootFailure/systemCutShort(_:)``.
    init(
        _ partition: GPT.Partition, sectorSize: Int, diskSize: UInt64, configuration: BootConfiguration
    ) throws(BootFailure) {
        let needed = configuration.dataSize + configuration.hashSize
        let (size, overflow) = partition.sectorCount.multipliedReportingOverflow(by: UInt64(sectorSize))
        guard overflow || size >= needed else {
            throw .systemCutShort("the partition has \(size) bytes and the system \(needed)")
        }
        let start = partition.firstSector.multipliedReportingOverflow(by: UInt64(sectorSize))
        guard !start.overflow, start.partialValue <= diskSize, diskSize - start.partialValue >= needed else {
            throw .systemCutShort("the disk has \(diskSize) bytes and the system ends beyond that")
        }
        offset = start.partialValue
        length = needed
    }
}
