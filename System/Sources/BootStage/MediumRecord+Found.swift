// SPDX-License-Identifier: GPL-3.0-or-later
import Emergency
import Linux

extension MediumRecord {
    /// Describes the medium that the system was found on; `nil` when the kernel does not know it any more.
    ///
    /// - Parameters:
    ///   - found: the medium.
    ///   - dataSize: bytes of the system on its partition; the head of the hashes lies behind them.
    ///   - isToRAM: whether the system was copied into memory.
    init?(_ found: MediumSearch.Found, dataSize: UInt64, isToRAM: Bool) {
        let disk = found.disk
        guard let path = FileTree.resolved("/sys/block/\(disk.name)"), path.hasPrefix("/sys/devices/") else {
            return nil
        }
        self.init(
            name: disk.name, devicePath: String(path.dropFirst("/sys".count)), isDisc: disk.bus == .optical,
            offset: found.partition.firstSector * UInt64(found.table.sectorSize) + dataSize, isInMemory: isToRAM)
    }
}
