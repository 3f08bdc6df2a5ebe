// SPDX-License-Identifier: GPL-3.0-or-later
import Foundation
import Media
import SystemPackage

/// What an image is made from, for those who put it together in another way than the one that is shipped: benchmarks
/// compare file systems, and other ways to start, with all else the same.
public struct Ingredients: Sendable {
    /// Where the image tools run.
    public let buildRoot: BuildRoot
    /// The archive (tar) with every file of the system.
    public let system: FilePath
    /// The kernel's release, as `uname -r` says it.
    public let kernelRelease: String
    /// The words of the kernel's command line that every start has.
    public let kernelCommandLine: [String]

    let project: Project
    let inputs: Inputs
    let compiler: String
    let kernel: Kernel
    let bootStage: FilePath
    let work: FilePath
    let log: FilePath

    /// Packs the system without sealing it.
    ///
    /// - Parameters:
    ///   - packing: How.
    ///   - image: The file; its name is free, its folder exists.
    /// - Throws: `CommandFailure`, `CancellationError`.
    public func pack(_ packing: SystemImage.Packing, to image: FilePath) async throws {
        try? FileManager.default.removeItem(atPath: image.string)
        try await SystemImage(buildRoot: buildRoot, packing: packing, log: log).pack(system, to: image)
    }

    /// Seals a packed system and makes a stick of ours from it.
    ///
    /// - Parameters:
    ///   - packing: How the system was packed.
    ///   - image: The packed system, which gets its hash tree.
    ///   - words: Words for the kernel, beside ``kernelCommandLine``.
    ///   - path: The stick's image.
    /// - Throws: `CommandFailure`, `MediaFailure`, `CancellationError`.
    public func stick(
        _ packing: SystemImage.Packing, sealing image: FilePath, words: [String] = [], to path: FilePath
    ) async throws {
        let salt = try await Cache.hash("needletail \(project.version)")
        let seal = try await SystemImage(buildRoot: buildRoot, packing: packing, log: log).seal(image, salt: salt)
        let initramfs = work.appending("initramfs-\(seal.rootHash)")
        try await self.initramfs(for: seal, packing, to: initramfs)
        try await assembly(
            initramfs: initramfs, system: image, partition: seal.partition(), commandLine: kernelCommandLine + words
        ).stick(to: path)
    }

    /// Packs the initramfs that starts a sealed system.
    func initramfs(for seal: SystemImage.Seal, _ packing: SystemImage.Packing, to path: FilePath) async throws {
        let configuration = try BootConfiguration(
            version: project.version, fileSystem: packing.fileSystem, systemPartition: seal.partition(),
            dataSize: seal.dataSize, hashSize: seal.hashSize, rootHash: Hexadecimal.bytes(seal.rootHash),
            salt: Hexadecimal.bytes(seal.salt), buildDate: Int64(project.epoch))
        // What was unpacked for an earlier one would be in the way.
        let own = work.appending("initramfs-parts")
        try? FileManager.default.removeItem(atPath: own.string)
        try FileManager.default.createDirectory(atPath: own.string, withIntermediateDirectories: true)
        try await Initramfs(buildRoot: buildRoot, kernel: kernel, list: inputs.initramfs, log: log)
            .make(bootStage: bootStage, configuration: configuration, work: own, to: path)
    }

    /// Makes a stick with the same partitions, GRUB, menu and kernel, and another initramfs and system partition.
    ///
    /// - Parameters:
    ///   - initramfs: What the kernel starts first.
    ///   - system: What is in the system partition: a multiple of 4096 bytes.
    ///   - commandLine: All words for the kernel but those of the menu's entries.
    ///   - path: The stick's image.
    /// - Throws: `CommandFailure`, `MediaFailure`, `CancellationError`.
    public func stick(initramfs: FilePath, system: FilePath, commandLine: [String], to path: FilePath) async throws {
        let hash = try await Cache.hash(of: system)
        guard let partition = GUID(derivedFromHash: Hexadecimal.bytes(hash)) else {
            throw SystemImageError.noRootHash
        }
        try await assembly(
            initramfs: initramfs, system: system, partition: partition, commandLine: commandLine
        ).stick(to: path)
    }

    /// What puts media together from these parts.
    func assembly(
        initramfs: FilePath, system: FilePath, partition: GUID, commandLine: [String]
    ) throws -> MediaAssembly {
        let kernelFile = work.appending("vmlinuz")
        try Data(kernel.image()).write(to: URL(filePath: kernelFile.string))
        let parts = MediaParts(
            version: project.version, kernel: kernelFile, initramfs: initramfs, systemImage: system,
            systemPartition: partition, kernelCommandLine: commandLine, memoryTest: .init(in: buildRoot),
            bootFiles: project.root.appending("image/boot"))
        return MediaAssembly(buildRoot: buildRoot, parts: parts, work: work, log: log)
    }
}

extension Builder {
    /// Makes what the image is made from, from the cache where it is there.
    ///
    /// - Parameters:
    ///   - work: An existing folder that takes the parts; it has to stay while they are used.
    ///   - logs: An existing folder that takes the tools' output.
    /// - Returns: The parts.
    /// - Throws: What `build()` throws.
    public func ingredients(work: FilePath, logs: FilePath) async throws -> Ingredients {
        let project = request.project
        let logs = BuildLogs(folder: logs, profile: request.profile)
        let inputs = try await steps.step("Read the profile and its lock") { try Inputs(request) }
        let store = try PackageStore(
            folder: request.cache.folder.appending("packages"), mirror: request.mirror, log: logs.path("fetch"))
        try await steps.step("Fetch packages") {
            try await store.fetch(inputs.lock.buildRoot + inputs.lock.system) { done, total in
                total == 0 ? steps.note("all there") : steps.advance(done, of: total)
            }
        }
        let bases = Bases(request: request, inputs: inputs, store: store, work: work, logs: logs)
        let buildRoot = try await steps.step("Make the build root") {
            let (root, wasThere) = try await bases.buildRoot()
            if wasThere { steps.note("was there") }
            return root
        }
        let base = try await steps.step("Install the system's packages") {
            let (tar, wasThere) = try await bases.system()
            if wasThere { steps.note("was there") }
            return tar
        }
        let toolchain = try await Toolchain.fromMachine()
        let programs = work.appending("programs")
        try FileManager.default.createDirectory(atPath: programs.string, withIntermediateDirectories: true)
        let bootStage = programs.appending(Programs.bootStage)
        try await steps.step("Compile the boot stage and the system's programs") {
            let key = try await Cache.hash("\(buildRoot.root) \(toolchain.version)")
            try await Programs(
                buildRoot: buildRoot, toolchain: toolchain, sources: project.root.appending("System"),
                scratch: request.cache.folder.appending("swift-\(key.prefix(32))"), log: logs.path("compile")
            ).compile([Programs.bootStage] + inputs.profile.programs.map(\.name), to: programs)
        }
        let reader = try TarReader(base)
        let system = work.appending("system.tar")
        let installed = try await steps.step("Put the system together") {
            let installed = SystemTree(entries: try reader.entries(), epoch: project.epoch)
            var tree = installed
            let unused = try tree.apply(
                inputs.profile, hardening: inputs.hardening, firewall: inputs.firewall, programs: programs,
                trees: project.root.appending("image/files"),
                source: reader.data, version: project.version)
            for rule in unused {
                steps.say("  Note: 'exclude' of the profile names \(rule.path.value), which matches nothing.")
            }
            try tree.check(inputs.disks, source: reader.data)
            try tree.write(to: system, source: reader.data)
            return installed
        }
        let kernel = try Kernel(in: installed, source: reader.data)
        return Ingredients(
            buildRoot: buildRoot, system: system, kernelRelease: kernel.release,
            kernelCommandLine: inputs.hardening.kernelCommandLine.map(\.word), project: project, inputs: inputs,
            compiler: toolchain.version, kernel: kernel, bootStage: bootStage, work: work, log: logs.path("image"))
    }
}
