// SPDX-License-Identifier: GPL-3.0-or-later
import Foundation
import Media
import SystemPackage

/// Packs what the kernel starts first: the boot stage, what it has to know, and the modules that it loads.
struct Initramfs {
    let buildRoot: BuildRoot
    let kernel: Kernel
    let list: InitramfsList
    let log: FilePath

    /// Makes the packed initramfs.
    ///
    /// - Parameters:
    ///   - bootStage: The compiled boot stage.
    ///   - configuration: Which system it starts.
    ///   - work: An empty folder for files on the way.
    ///   - output: Where it goes.
    /// - Throws: `KernelError`, `CommandFailure`, Foundation's error when a file cannot be written.
    func make(bootStage: FilePath, configuration: BootConfiguration, work: FilePath, to output: FilePath) async throws {
        var archive = CpioArchive(time: buildRoot.epoch)
        archive.device("dev/console", major: 5, minor: 1, mode: 0o600)
        for folder in ["proc", "sys", "run", "new"] { archive.folder(folder) }
        archive.file("etc/needletail/boot.conf", Array(configuration.formatted().utf8))
        guard let program = FileManager.default.contents(atPath: bootStage.string) else {
            throw KernelError.missing(bootStage.string)
        }
        archive.file("init", Array(program), mode: 0o755)
        let modules = try kernel.select(list)
        let unpacked = try await unpack(modules, work: work)
        for (module, file) in zip(modules, unpacked) {
            guard let content = FileManager.default.contents(atPath: file.string) else {
                throw KernelError.missing(module)
            }
            archive.file("\(kernel.folder)/\(Kernel.unpacked(module))", Array(content))
        }
        for (name, text) in try kernel.tables(for: modules) {
            archive.file("\(kernel.folder)/\(name)", Array(text.utf8))
        }
        let plain = work.appending("initramfs.cpio")
        try Data(archive.finish()).write(to: URL(filePath: plain.string))
        // One thread: with more, the bits depend on how many there are.
        try await buildRoot.command(
            "zstd",
            [
                "-19", "--single-thread", "--quiet", "--force", "-o",
                "/mnt/out/\(output.lastComponent?.string ?? "initramfs")", "/mnt/work/initramfs.cpio",
            ],
            binds: [.reading(work, at: "/mnt/work"), .writing(output.removingLastComponent(), at: "/mnt/out")]
        ).run(log: log)
    }

    /// Unpacks modules into files, whose paths come in the same order. The signature at a module's end stays: it was made
    /// before the packing.
    private func unpack(_ modules: [String], work: FilePath) async throws -> [FilePath] {
        let folder = work.appending("modules")
        try FileManager.default.createDirectory(atPath: folder.string, withIntermediateDirectories: true)
        var packed: [String] = []
        var files: [FilePath] = []
        for (index, module) in modules.enumerated() {
            let isPacked = module.hasSuffix(".ko.xz")
            let name = "\(index).ko"
            try Data(try kernel.bytes(of: module)).write(
                to: URL(filePath: folder.appending(isPacked ? name + ".xz" : name).string))
            if isPacked { packed.append(name + ".xz") }
            files.append(folder.appending(name))
        }
        if !packed.isEmpty {
            try await buildRoot.command(
                "xz", ["--decompress", "--"] + packed, binds: [.writing(folder, at: "/mnt/modules")],
                workingDirectory: "/mnt/modules"
            ).run(log: log)
        }
        return files
    }
}
