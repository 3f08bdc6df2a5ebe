// SPDX-License-Identifier: GPL-3.0-or-later
import Linux
import Media

/// From the medium to a device whose every block is checked when it is read.
struct SystemDevice {
    static let mediumName = "needletail-medium"
    static let systemName = "needletail-system"

    let configuration: BootConfiguration

    /// The device nodes of what was mapped.
    struct Mapped: Hashable {
        /// Data and hashes as they are on the medium.
        let medium: String
        /// Data alone, each block checked.
        let system: String
    }

    /// Maps the system partition of the medium.
    ///
    /// - Parameter found: the medium.
    /// - Returns: the devices.
    /// - Throws: ``BootFailure``.
    func open(_ found: MediumSearch.Found) throws(BootFailure) -> Mapped {
        let disk = found.disk
        let extent: SystemExtent
        do {
            let file = try File(disk.node)
            let size = try BlockDevice.size(file)
            do throws(BootFailure) {
                extent = try SystemExtent(
                    found.partition, sectorSize: found.table.sectorSize, diskSize: size, configuration: configuration)
            } catch { throw error }
            let block = try file.read(at: extent.offset + configuration.dataSize, count: Verity.blockSize)
            try judge(Verity.Superblock(parsing: block))
        } catch let failure as BootFailure {
            throw failure
        } catch {
            throw .systemDamaged("\(error)")
        }
        let (device, firstSector) = base(found, extent)
        return try open(device: device, firstSector: firstSector)
    }

    /// Maps a system image that begins at a sector of a device.
    func open(device: String, firstSector: UInt64) throws(BootFailure) -> Mapped {
        do {
            let mapper = try DeviceMapper()
            let medium = try mapper.create(
                Self.mediumName, uuid: "\(Self.mediumName)-\(configuration.systemPartition)",
                sectors: (configuration.dataSize + configuration.hashSize) / 512, target: "linear",
                parameters: DeviceTable.linear(device: device, firstSector: firstSector))
            let system = try mapper.create(
                Self.systemName, uuid: "\(Self.systemName)-\(configuration.systemPartition)",
                sectors: configuration.dataSize / 512, target: "verity",
                parameters: DeviceTable.verity(device: medium, configuration: configuration))
            return Mapped(medium: medium, system: system)
        } catch {
            // The root of the tree is read here for the first time.
            throw error.number == .inputOutput ? .systemDamaged("\(error)") : .incomplete("\(error)")
        }
    }

    /// Removes both mappings; used when the system moves into memory.
    func close() throws(SystemCallFailure) {
        let mapper = try DeviceMapper()
        try mapper.remove(Self.systemName)
        try mapper.remove(Self.mediumName)
    }

    private func judge(_ superblock: Verity.Superblock?) throws(BootFailure) {
        guard let superblock else { throw .verityMissing("there is no verity superblock behind the system") }
        let isAsBuilt =
            superblock.version == 1 && superblock.hashType == 1 && superblock.algorithm == Verity.algorithm
            && superblock.dataBlockSize == UInt32(Verity.blockSize)
            && superblock.hashBlockSize == UInt32(Verity.blockSize)
            && superblock.dataBlocks == configuration.dataSize / UInt64(Verity.blockSize)
            && superblock.salt == configuration.salt
        guard isAsBuilt else { throw .systemDamaged("the verity superblock does not fit this version") }
    }

    /// The kernel's own partition device where it has one in the same place, so that the other partitions of the medium
    /// can still be used by others: who holds a whole disk holds all of it. Else the whole disk, as on DVDs.
    private func base(_ found: MediumSearch.Found, _ extent: SystemExtent) -> (device: String, firstSector: UInt64) {
        let name = found.disk.name
        let directory = "/sys/block/\(name)"
        for partition in FileTree.names(in: directory) where partition.hasPrefix(name) {
            guard let start = File.line("\(directory)/\(partition)/start").flatMap({ UInt64($0) }),
                let size = File.line("\(directory)/\(partition)/size").flatMap({ UInt64($0) })
            else { continue }
            if start == extent.offset / 512, size >= extent.length / 512, FileTree.exists("/dev/\(partition)") {
                return ("/dev/\(partition)", 0)
            }
        }
        return (found.disk.node, extent.offset / 512)
    }
}
