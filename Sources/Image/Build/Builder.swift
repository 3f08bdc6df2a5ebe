// SPDX-License-Identifier: GPL-3.0-or-later
import Commands
import Foundation
import Media
import SystemPackage

/// Builds the image of a profile: from the lock's packages to the files in `out/`.
public struct Builder: Sendable {
    /// What to build, from what, and where to.
    public struct Request: Sendable {
        /// The source tree.
        public var project: Project
        /// The profile's name.
        public var profile: String
        /// Where packages come from.
        public var mirror: Mirror
        /// What is kept between builds.
        public var cache: Cache
        /// Where the files go.
        public var output: FilePath

        /// Describes a build.
        public init(project: Project, profile: String, mirror: Mirror, cache: Cache, output: FilePath) {
            self.project = project
            self.profile = profile
            self.mirror = mirror
            self.cache = cache
            self.output = output
        }
    }

    let request: Request
    let steps: Steps

    /// Prepares a build.
    public init(_ request: Request, steps: Steps) {
        self.request = request
        self.steps = steps
    }

    /// The names of a profile's files in the output folder: stick, DVD, bill of software, manifest.
    public static func outputNames(of profile: String) -> [String] {
        let base = "needletail-\(profile)-amd64"
        return ["\(base).img", "\(base).iso", "\(base).spdx.json", "\(base).json"]
    }

    /// Builds. On any error, and when the task is cancelled, the files of an earlier build stay as they were.
    ///
    /// - Returns: The manifest of what was built.
    public func build() async throws -> Manifest {
        let output = try OutputFolder(request.output)
        let names = Self.outputNames(of: request.profile)
        let work = try request.cache.makeWork()
        defer {
            output.discard(names)
            request.cache.remove(work)
        }
        let logs = BuildLogs(folder: output.folder.appending("logs"), profile: request.profile)
        try logs.clear()
        return try await build(into: output, names: names, work: work, logs: logs)
    }

    private func build(
        into output: OutputFolder, names: [String], work: FilePath, logs: BuildLogs
    ) async throws -> Manifest {
        let project = request.project
        let packing = SystemImage.Packing.shipped
        let parts = try await ingredients(work: work, logs: logs.folder)
        let (image, seal) = try await sealedImage(of: parts.system, buildRoot: parts.buildRoot, logs: logs)
        let initramfs = work.appending("initramfs")
        try await steps.step("Pack the initramfs") { try await parts.initramfs(for: seal, packing, to: initramfs) }
        try output.checkRoom(for: Int(seal.dataSize + seal.hashSize) * 2 + 256_000_000)
        let assembly = try parts.assembly(
            initramfs: initramfs, system: image, partition: seal.partition(), commandLine: parts.kernelCommandLine)
        try await steps.step("Write the stick's image") { try await assembly.stick(to: output.partial(names[0])) }
        try await steps.step("Write the DVD's image") { try await assembly.dvd(to: output.partial(names[1])) }
        return try await steps.step("Write the manifest") {
            let lock = parts.inputs.lock
            let bootStageHash = try await Cache.hash(of: parts.bootStage)
            var programs = [SoftwareBill.Program(name: Programs.bootStage, sha256: bootStageHash)]
            for name in parts.inputs.profile.programs.map(\.name) {
                let file = parts.bootStage.removingLastComponent().appending(name)
                programs.append(.init(name: name, sha256: try await Cache.hash(of: file)))
            }
            let bill = SoftwareBill(project: project, profile: parts.inputs.profile, lock: lock, programs: programs)
            try bill.json().write(to: URL(filePath: output.partial(names[2]).string))
            let manifest = Manifest(
                version: project.version, profile: request.profile, commit: project.commit, date: project.epoch,
                suite: lock.suite, kernel: parts.kernelRelease, compiler: parts.compiler,
                systemPartition: try seal.partition().description, fileSystem: packing.fileSystem.rawValue,
                rootHash: seal.rootHash, dataSize: seal.dataSize, hashSize: seal.hashSize, bootStage: bootStageHash,
                initramfs: try await Cache.hash(of: initramfs), packages: lock.system.count,
                outputs: try await outputs(names.dropLast(), in: output))
            try manifest.json().write(to: URL(filePath: output.partial(names[3]).string))
            try Task.checkCancellation()
            try output.publish(names)
            return manifest
        }
    }

    /// The packed and sealed file system, from the cache when the same files were packed before: it depends on nothing else.
    private func sealedImage(
        of tar: FilePath, buildRoot: BuildRoot, logs: BuildLogs
    ) async throws -> (FilePath, SystemImage.Seal) {
        let packing = SystemImage.Packing.shipped
        let salt = try await Cache.hash("needletail \(request.project.version) \(request.profile)")
        let content = try await Cache.hash(of: tar)
        let key = ["system", content, salt, "\(packing)", buildRoot.root.string, String(request.project.epoch)]
        let system = SystemImage(buildRoot: buildRoot, packing: packing, log: logs.path("system"))
        let (folder, _) = try await request.cache.get("system", key: key) { folder in
            try FileManager.default.createDirectory(atPath: folder.string, withIntermediateDirectories: true)
            let image = folder.appending("system.img")
            try await steps.step("Pack the system") { try await system.pack(tar, to: image) }
            try await steps.step("Seal the system") {
                let seal = try await system.seal(image, salt: salt)
                try JSONEncoder().encode(seal).write(to: URL(filePath: folder.appending("seal.json").string))
            }
        }
        let seal = try JSONDecoder().decode(
            SystemImage.Seal.self, from: Data(contentsOf: URL(filePath: folder.appending("seal.json").string)))
        return (folder.appending("system.img"), seal)
    }

    private func outputs(_ names: ArraySlice<String>, in output: OutputFolder) async throws -> [Manifest.Output] {
        var result: [Manifest.Output] = []
        for name in names {
            let file = output.partial(name)
            let attributes = try FileManager.default.attributesOfItem(atPath: file.string)
            result.append(
                .init(
                    name: name, size: (attributes[.size] as? NSNumber)?.intValue ?? 0,
                    sha256: try await Cache.hash(of: file)))
        }
        return result
    }
}

/// Where the output of each step's tools goes.
struct BuildLogs: Sendable {
    let folder: FilePath
    let profile: String

    func path(_ step: String) -> FilePath { folder.appending("\(profile)-\(step).log") }

    /// Removes what earlier builds of the profile wrote.
    func clear() throws {
        for name in try FileManager.default.contentsOfDirectory(atPath: folder.string)
        where name.hasPrefix("\(profile)-") {
            try FileManager.default.removeItem(atPath: folder.appending(name).string)
        }
    }
}

/// Text of hexadecimal digits and the bytes that it stands for.
enum Hexadecimal {
    /// The bytes of a text of digits, two to a byte; what is no digit ends it.
    static func bytes(_ text: String) -> [UInt8] {
        let digits = text.compactMap(\.hexDigitValue)
        return stride(from: 0, to: digits.count - 1, by: 2).map { UInt8(digits[$0] * 16 + digits[$0 + 1]) }
    }
}
