// SPDX-License-Identifier: GPL-3.0-or-later
import Media
import SystemPackage

/// What bootable media are put together from.
public struct MediaParts: Sendable {
    /// The memory test's two programs.
    public struct MemoryTest: Sendable {
        /// The program that GRUB starts like a Linux kernel on a BIOS (`memtest86+x64.bin`).
        public var bios: FilePath
        /// The EFI program (`memtest86+x64.efi`); it is not signed, so firmware with Secure Boot refuses it.
        public var efi: FilePath

        /// Names the two programs.
        public init(bios: FilePath, efi: FilePath) {
            self.bios = bios
            self.efi = efi
        }

        /// The programs of Debian's package `memtest86+`, installed in a build root.
        public init(in buildRoot: BuildRoot) {
            let folder = buildRoot.root.appending("boot")
            self.init(bios: folder.appending("memtest86+x64.bin"), efi: folder.appending("memtest86+x64.efi"))
        }
    }

    /// The version, as the boot menu shows it.
    public var version: String
    /// Debian's signed kernel.
    public var kernel: FilePath
    /// The initramfs with the boot stage.
    public var initramfs: FilePath
    /// The system image: a file system and behind it its dm-verity hash area; whole blocks of 4096 bytes.
    public var systemImage: FilePath
    /// The unique GUID of the partition that holds the system image, by which the boot stage finds it.
    public var systemPartition: GUID
    /// The words of the kernel's command line that all menu entries have in common; the entries add their own.
    public var kernelCommandLine: [String]
    /// The memory test.
    public var memoryTest: MemoryTest
    /// The folder with the templates of GRUB's configuration: `image/boot` of the source tree.
    public var bootFiles: FilePath

    /// Names the parts; nothing is read yet.
    public init(
        version: String, kernel: FilePath, initramfs: FilePath, systemImage: FilePath, systemPartition: GUID,
        kernelCommandLine: [String], memoryTest: MemoryTest, bootFiles: FilePath
    ) {
        self.version = version
        self.kernel = kernel
        self.initramfs = initramfs
        self.systemImage = systemImage
        self.systemPartition = systemPartition
        self.kernelCommandLine = kernelCommandLine
        self.memoryTest = memoryTest
        self.bootFiles = bootFiles
    }
}
