// SPDX-License-Identifier: GPL-3.0-or-later
import Commands
import Media
import SystemPackage

/// Puts bootable media together: an image for USB sticks, memory cards and virtual disks, and one for DVDs.
///
/// Both start on a BIOS, on UEFI, and on UEFI with Secure Boot; both have the same menu. The same parts give the same bytes.
public struct MediaAssembly: Sendable {
    /// The programs that run inside the build root, by the Debian package that has to be installed there. For
    /// `grub-efi-amd64-signed` and `shim-signed`, too, it is their files that count, not that they are set up.
    public static let neededPackages = [
        "dosfstools", "grub-common", "grub-efi-amd64-signed", "grub-pc-bin", "memtest86+", "mtools", "shim-signed",
        "xorriso",
    ]

    let buildRoot: BuildRoot
    let parts: MediaParts
    let work: FilePath
    let log: FilePath

    /// Prepares the assembly; nothing is read or written yet.
    ///
    /// - Parameters:
    ///   - buildRoot: a build root with ``neededPackages``.
    ///   - parts: what the media are made from.
    ///   - work: an existing folder for files in between; what is there under the same names is overwritten.
    ///   - log: the file that takes the tools' output.
    public init(buildRoot: BuildRoot, parts: MediaParts, work: FilePath, log: FilePath) {
        self.buildRoot = buildRoot
        self.parts = parts
        self.work = work
        self.log = log
    }

    /// Writes the image for sticks, cards and virtual disks.
    ///
    /// - Parameter path: the image. It appears when it is whole; until then, `<path>.partial` is written.
    /// - Throws: `MediaFailure`, `CommandFailure` of a tool, `GPT.EncodingError`, `CancellationError`.
    public func stick(to path: FilePath) async throws {
        let menu = try menu()
        let system = try systemImageSize()
        let menuFile = try await script(menu, from: "grub.cfg.in", named: "grub.cfg")
        let firmware = FirmwarePartition(
            buildRoot: buildRoot,
            files: FirmwarePartition.signedPrograms(in: buildRoot)
                + [FirmwarePartition.File(path: Self.menuPath, source: menuFile)]
                + needletailFiles.map { FirmwarePartition.File(path: $0.path, source: $0.source) },
            kind: .fat32,
            // An upgrade puts the next kernel and initramfs beside the ones in use before it switches over; they may
            // have grown by a quarter. The partition cannot grow later, for the system lies right behind it.
            reserve: (try parts.kernel.fileSize() + parts.initramfs.fileSize()) * 5 / 4)
        let firmwareImage = work.appending("esp.img")
        try await firmware.write(to: firmwareImage, log: log)

        let layout = StickLayout(firmwareSize: try firmwareImage.fileSize(), systemSize: system)
        let boot = try BIOSBootCode(
            boot: grubFile("boot.img").contents(), core: try await coreImage(.stick).contents(),
            at: layout.biosBoot.first)
        guard boot.core.count <= layout.biosBoot.count * 512 else {
            throw MediaFailure.bootCode("core.img has \(boot.core.count) bytes, more than its partition")
        }
        let table = layout.table(system: parts.systemPartition)
        var start = try table.encodedPrimary(bootCode: boot.bootSector)
        ProtectiveRecord.activate(&start)
        try await MediumFile.write(to: path) { file in
            try file.resize(to: layout.sectorCount * 512)
            try file.write(start, at: 0)
            try file.write(boot.core, at: layout.biosBoot.offset)
            try await file.copy(firmwareImage, at: layout.firmware.offset)
            try await file.copy(parts.systemImage, at: layout.system.offset)
            try file.write(table.encodedBackup(), at: table.backupOffset)
        }
    }

    /// Writes the image for DVDs; written to a stick it starts as well.
    ///
    /// The ISO 9660 file system holds GRUB's menu, the kernel and the initramfs. Behind it, where no ISO 9660 reader
    /// looks, lies the system; a GPT in the unused first 32 KiB, in sectors of 512 bytes as on a stick, says where.
    ///
    /// - Parameter path: the image. It appears when it is whole; until then, `<path>.partial` is written.
    /// - Throws: `MediaFailure`, `CommandFailure` of a tool, `GPT.EncodingError`, `CancellationError`.
    public func dvd(to path: FilePath) async throws {
        let menu = try menu()
        let system = try systemImageSize()
        let menuFile = try await script(menu, from: "grub.cfg.in", named: "grub.cfg")
        let finderFile = try await script(menu, from: "grub-dvd.cfg.in", named: "grub-dvd.cfg")
        // Names the version for the search in grub-dvd.cfg.
        let mark = try await text(parts.version + "\n", named: "mark")

        // Small, because a boot catalogue counts in 16 bits: some firmware cannot see beyond 32 MiB.
        let firmwareImage = work.appending("efi.img")
        try await FirmwarePartition(
            buildRoot: buildRoot,
            files: FirmwarePartition.signedPrograms(in: buildRoot)
                + [FirmwarePartition.File(path: Self.menuPath, source: finderFile)],
            kind: .small, reserve: 0
        ).write(to: firmwareImage, log: log)

        let tree: [(path: String, source: FilePath)] =
            [
                (Self.menuPath, menuFile), ("boot/bios.img", try await coreImage(.dvd)),
                ("boot/efi.img", firmwareImage), ("needletail/\(parts.systemPartition)", mark),
            ] + needletailFiles
        try await MediumFile.write(to: path) { file in
            try await fileSystem(of: tree, on: file)
            let efi = try await firmwareExtent(on: file)
            let systemStart = StickLayout.aligned(try file.partial.fileSize() / 512)
            let systemExtent = StickLayout.Extent(first: systemStart, count: system / 512)
            // The last blocks of a disc written in one go may be unreadable (the "run-out" of CDs): 300 KiB that nobody
            // needs, which is what disc writers have always added.
            let sectorCount = StickLayout.aligned(systemExtent.last + 1 + 33 + 600)
            let table = GPT(
                diskGUID: MediumIdentity.disk(of: parts.systemPartition), sectorCount: sectorCount,
                partitions: [
                    MediumIdentity.firmwarePartition(efi),
                    MediumIdentity.systemPartition(systemExtent, unique: parts.systemPartition),
                ])
            // xorriso has put GRUB's code for sticks here, and told it where the boot image is.
            var start = try table.encodedPrimary(bootCode: file.read(at: 0, count: 440))
            ProtectiveRecord.activate(&start)
            try file.resize(to: sectorCount * 512)
            try file.write(start, at: 0)
            try file.write(
                DiscImage.volumeSize(blocks: sectorCount / 4),
                at: DiscImage.primaryDescriptor * DiscImage.block + 80)
            try await file.copy(parts.systemImage, at: systemExtent.offset)
            try file.write(table.encodedBackup(), at: table.backupOffset)
        }
    }

    // MARK: What goes on both

    /// Where Debian's signed GRUB looks for its configuration: its prefix is fixed, since it is signed.
    private static let menuPath = "EFI/debian/grub.cfg"

    var needletailFiles: [(path: String, source: FilePath)] {
        [
            ("needletail/vmlinuz", parts.kernel), ("needletail/initramfs", parts.initramfs),
            ("needletail/memtest86+x64.bin", parts.memoryTest.bios),
            ("needletail/memtest86+x64.efi", parts.memoryTest.efi),
        ]
    }

    private func menu() throws -> BootMenu {
        try BootMenu(
            version: parts.version, kernelCommandLine: parts.kernelCommandLine,
            system: parts.systemPartition.description)
    }

    /// Fills a template in and has GRUB's own parser read the result: a slip in it would otherwise show only on a screen.
    private func script(_ menu: BootMenu, from template: String, named name: String) async throws -> FilePath {
        let filled = try menu.render(
            String(decoding: try parts.bootFiles.appending(template).contents(), as: UTF8.self))
        let path = try await text(filled, named: name)
        let inside = "/mnt/\(name)"
        try await buildRoot.command("grub-script-check", [inside], binds: [.reading(path, at: inside)]).run(log: log)
        return path
    }

    private func systemImageSize() throws -> UInt64 {
        let size = try parts.systemImage.fileSize()
        guard size > 0, size % 4096 == 0 else {
            throw MediaFailure.part(
                parts.systemImage, "has \(size) bytes, which is not a number of whole 4096-byte blocks")
        }
        return size
    }

    private func text(_ text: String, named name: String) async throws -> FilePath {
        let path = work.appending(name)
        try await MediumFile.filling(path, isNew: true) { try $0.write(Array(text.utf8), at: 0) }
        return path
    }

    private func grubFile(_ name: String) -> FilePath {
        buildRoot.root.appending("usr/lib/grub/i386-pc").appending(name)
    }

    // MARK: GRUB for a BIOS

    private enum CoreImage {
        case stick, dvd

        var format: String { self == .stick ? "i386-pc" : "i386-pc-eltorito" }
        /// The first comma stands for the drive that the BIOS started from: no search, no other disk.
        var prefix: String { self == .stick ? "(,gpt2)/EFI/debian" : "/EFI/debian" }
        var fileSystem: [String] { self == .stick ? ["part_gpt", "fat"] : ["iso9660"] }
        /// What the menu uses; GRUB loads no module later, for there are none on the medium.
        static let menuModules = ["normal", "linux", "test", "echo", "sleep", "halt", "reboot", "vbe", "ls", "cat"]
    }

    private func coreImage(_ kind: CoreImage) async throws -> FilePath {
        let name = "\(kind.format).img"
        let path = work.appending(name)
        try await buildRoot.command(
            "grub-mkimage",
            [
                "--format", kind.format, "--directory", "/usr/lib/grub/i386-pc", "--prefix", kind.prefix, "--output",
                "/mnt/work/\(name)", "biosdisk",
            ] + kind.fileSystem + CoreImage.menuModules, binds: [.writing(work, at: "/mnt/work")]
        ).run(log: log)
        return path
    }

    // MARK: ISO 9660

    /// Makes the ISO 9660 file system with its boot catalogue.
    private func fileSystem(of tree: [(path: String, source: FilePath)], on file: MediumFile) async throws {
        var binds: [BuildRoot.Bind] = [.writing(file.partial, at: "/mnt/disc.iso")]
        var grafts: [String] = []
        for (number, entry) in tree.enumerated() {
            binds.append(.reading(entry.source, at: "/mnt/\(number)"))
            grafts.append("/\(entry.path)=/mnt/\(number)")
        }
        let date = "=\(buildRoot.epoch)"
        let xorriso = buildRoot.command(
            "xorriso",
            [
                "-as", "mkisofs", "-output", "/mnt/disc.iso", "-volid", "NEEDLETAIL", "-rational-rock", "-uid", "0",
                "-gid", "0", "-dir-mode", "0755", "-file-mode", "0644", "--set_all_file_dates", date,
                "-eltorito-boot", "boot/bios.img", "-eltorito-catalog", "boot/boot.cat", "-no-emul-boot",
                "-boot-load-size", "4", "-boot-info-table", "--grub2-boot-info", "--grub2-mbr",
                "/usr/lib/grub/i386-pc/boot_hybrid.img",
                "-eltorito-alt-boot", "-e", "boot/efi.img", "-no-emul-boot", "-graft-points",
            ] + grafts, binds: binds)
        do {
            try await xorriso.run(log: log)
        } catch let failure as CommandFailure
            where failure.lastLines.contains(where: { $0.contains("exceeds free space") })
        {
            // xorriso looks before it writes, and speaks of a "medium" where it means the maker's disk.
            throw MediaFailure.unwritable(file.partial, .noSpace)
        }
    }

    /// Where xorriso has put the small EFI system partition.
    private func firmwareExtent(on file: MediumFile) async throws -> StickLayout.Extent {
        let block = Int(DiscImage.block)
        let record = try file.read(at: (DiscImage.primaryDescriptor + 1) * DiscImage.block, count: block)
        let catalogue = try DiscImage.catalogue(bootRecord: record)
        let start = try DiscImage.firmwareImage(
            catalogue: file.read(at: catalogue * DiscImage.block, count: block))
        return StickLayout.Extent(first: start * 4, count: try work.appending("efi.img").fileSize() / 512)
    }
}
