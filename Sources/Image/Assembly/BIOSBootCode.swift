// SPDX-License-Identifier: GPL-3.0-or-later

/// GRUB's two pieces for a BIOS, told where on the disk they are.
///
/// The firmware loads the first sector of the disk (`boot.img`), which loads one sector of the core image (`diskboot.img`,
/// the first that `grub-mkimage` puts there), which loads the rest by a list of blocks. `grub-bios-setup` writes the
/// addresses into both, but wants a block device to do it. The places are fixed since GRUB 1.98: `boot.S`, `diskboot.S` and
/// `include/grub/i386/pc/boot.h` define them, `util/setup.c` is the program that this file stands for.
struct BIOSBootCode {
    /// At most 440 bytes for the start of the disk's first sector.
    let bootSector: [UInt8]
    /// The core image, padded to whole sectors.
    let core: [UInt8]

    private static let sector = 512

    /// Tells GRUB's pieces where they will be.
    ///
    /// - Parameters:
    ///   - boot: `boot.img`: 512 bytes.
    ///   - core: `core.img` from `grub-mkimage -O i386-pc`.
    ///   - start: the sector of 512 bytes in which the core image will begin.
    /// - Throws: `MediaFailure.bootCode` when they are not what is known.
    init(boot: [UInt8], core: [UInt8], at start: UInt64) throws(MediaFailure) {
        guard boot.count == Self.sector, boot[510] == 0x55, boot[511] == 0xaa else {
            throw .bootCode("boot.img is not a boot sector")
        }
        // boot.S: "jmp 3f; nop" after GRUB_BOOT_MACHINE_DRIVE_CHECK. GRUB writes two "nop" over the jump on hard disks
        // ("the workaround for buggy BIOSes which don't pass boot drive correctly"): then a wrong drive number
        // becomes the first disk, which is the one that the firmware starts from. A stick is a hard disk to a BIOS.
        let driveCheck = 0x66
        guard boot[driveCheck] == 0xeb else { throw .bootCode("boot.img has no drive check at byte 0x66") }
        var bootSector = Array(boot[0..<440])
        bootSector.replaceSubrange(driveCheck..<driveCheck + 2, with: [0x90, 0x90])
        // GRUB_BOOT_MACHINE_KERNEL_SECTOR: where the core image's first sector is.
        bootSector.replaceSubrange(0x5c..<0x64, with: Self.littleEndian(start))
        self.bootSector = bootSector

        let sectors = (core.count + Self.sector - 1) / Self.sector
        guard sectors > 1 else { throw .bootCode("core.img has no more than one sector") }
        var padded = core + [UInt8](repeating: 0, count: sectors * Self.sector - core.count)
        // diskboot.S: the list of blocks grows down from the end of the sector, 12 bytes each: first sector (8), count (2),
        // segment to load to (2). grub-mkimage has filled in count and segment; an entry with count 0 ends the list.
        let entry = Self.sector - 12
        let count = Int(padded[entry + 8]) | Int(padded[entry + 9]) << 8
        guard count == sectors - 1 else {
            throw .bootCode("the block list of core.img counts \(count) sectors and there are \(sectors - 1)")
        }
        guard padded[entry - 4] == 0, padded[entry - 3] == 0 else {
            throw .bootCode("the block list of core.img has more than one entry")
        }
        padded.replaceSubrange(entry..<entry + 8, with: Self.littleEndian(start + 1))
        self.core = padded
    }

    private static func littleEndian(_ value: UInt64) -> [UInt8] {
        (0..<8).map { UInt8(truncatingIfNeeded: value >> (8 * UInt64($0))) }
    }
}
