// SPDX-License-Identifier: GPL-3.0-or-later
import Commands
import SystemPackage

/// An EFI system partition, made as a plain file without mounting anything.
struct FirmwarePartition {
    /// A file of the partition.
    struct File {
        /// Its path, from the partition's root, without a leading slash.
        let path: String
        /// Where its content is on the maker's machine.
        let source: FilePath
    }

    let buildRoot: BuildRoot
    let files: [File]
    let kind: FATGeometry.Kind
    /// Bytes that stay free.
    let reserve: UInt64

    /// The signed programs that Secure Boot accepts, at the places where they look for each other: firmware starts
    /// `EFI/BOOT/BOOTX64.EFI`; shim starts `grubx64.efi` beside it; MokManager `mmx64.efi` too.
    ///
    /// `fbx64.efi` must not be here: shim would start it instead of GRUB, and it writes boot entries into the firmware.
    static func signedPrograms(in buildRoot: BuildRoot) -> [File] {
        let library = buildRoot.root.appending("usr/lib")
        return [
            File(path: "EFI/BOOT/BOOTX64.EFI", source: library.appending("shim/shimx64.efi.signed")),
            File(path: "EFI/BOOT/grubx64.efi", source: library.appending("grub/x86_64-efi-signed/grubx64.efi.signed")),
            File(path: "EFI/BOOT/mmx64.efi", source: library.appending("shim/mmx64.efi.signed")),
        ]
    }

    /// Writes the partition to a file.
    ///
    /// All that could differ from one build to the next is fixed: the volume's id (`--invariant` also fixes its dates), the
    /// files' dates (mtools takes them from `SOURCE_DATE_EPOCH` and `TZ`), and the order in which files are laid down.
    func write(to path: FilePath, log: FilePath) async throws {
        var content: UInt64 = 0
        for file in files { content += try file.source.fileSize() }
        let geometry = FATGeometry(kind, content: content, reserve: reserve)
        try await MediumFile.filling(path, isNew: true) { try $0.resize(to: geometry.size) }
        let image = "/mnt/esp"
        let binds: [BuildRoot.Bind] = [.writing(path, at: image)]
        let kindOption = kind == .fat32 ? ["-F", "32"] : []
        try await buildRoot.command(
            "mkfs.vfat",
            kindOption + [
                "--invariant", "-i", Self.volumeID, "-n", Self.label, "-S", "512", "-s",
                String(geometry.sectorsPerCluster), image,
            ], binds: binds
        ).run(log: log)
        try await buildRoot.command("mmd", ["-i", image] + folders.map { "::/" + $0 }, binds: binds).run(log: log)
        for file in files {
            try await buildRoot.command(
                "mcopy", ["-i", image, "/mnt/file", "::/" + file.path],
                binds: binds + [.reading(file.source, at: "/mnt/file")]
            ).run(log: log)
        }
    }

    /// Every folder that a file needs, a folder before what is in it.
    var folders: [String] {
        var result: [String] = []
        for file in files {
            var folder = ""
            for part in file.path.split(separator: "/").dropLast() {
                folder += (folder.isEmpty ? "" : "/") + part
                if !result.contains(folder) { result.append(folder) }
            }
        }
        return result
    }

    /// The same on every medium: nothing finds the partition by it.
    private static let volumeID = "4e545731"
    /// Shown by file managers.
    private static let label = "NEEDLETAIL"
}
