// SPDX-License-Identifier: GPL-3.0-or-later
import Commands
import Foundation
import SystemPackage

/// Makes or updates a profile's lock.
public struct LockMaker: Sendable {
    let project: Project
    let profile: String
    let mirror: Mirror
    let cache: Cache
    let steps: Steps

    /// Prepares the work.
    public init(project: Project, profile: String, mirror: Mirror, cache: Cache, steps: Steps) {
        self.project = project
        self.profile = profile
        self.mirror = mirror
        self.cache = cache
        self.steps = steps
    }

    /// Resolves the profile's packages and the build root's against the mirror as it is now.
    ///
    /// - Returns: The lock as it was, if there was one, and as it is now. Nothing is written.
    /// - Throws: `DataFileError` when a package that a list names does not exist; `CommandFailure`.
    public func make() async throws -> (old: Lock?, new: Lock) {
        let profile = try project.profile(self.profile)
        let list = try project.buildRootList()
        let path = project.lockPath(self.profile)
        let old = FileManager.default.fileExists(atPath: path.string) ? try Lock.read(path) : nil
        let work = try cache.makeWork()
        defer { cache.remove(work) }
        let resolver = Resolver(
            suite: profile.suite, mirror: mirror, work: work.appending("apt"), log: work.appending("apt.log"))
        try await steps.step("Fetch the archive's lists") { try await resolver.update() }
        let system = try await steps.step("Resolve the image's packages") {
            try await resolve(profile.packages, by: resolver, file: project.profilePath(self.profile))
        }
        let buildRoot = try await steps.step("Resolve the build root's packages") {
            try await resolve(list.packages, by: resolver, file: project.root.appending("image/buildroot.yaml"))
        }
        return (old, Lock(suite: profile.suite, date: try resolver.releaseDate(), system: system, buildRoot: buildRoot))
    }

    /// Writes a lock in place of the old one.
    public func write(_ lock: Lock) throws {
        let path = project.lockPath(profile)
        try FileManager.default.createDirectory(
            atPath: path.removingLastComponent().string, withIntermediateDirectories: true)
        try Data(lock.text.utf8).write(to: URL(filePath: path.string), options: .atomic)
    }

    private func resolve(_ names: [PackageName], by resolver: Resolver, file: FilePath) async throws -> [LockedPackage]
    {
        do {
            return try await resolver.resolve(names)
        } catch ResolverError.unknownPackage(let name) {
            let index = names.firstIndex { $0.value == name }
            let text = try String(contentsOfFile: file.string, encoding: .utf8)
            throw DataFileError.about(
                file: file.string, text: text, field: index.map { ["packages", String($0)] } ?? ["packages"],
                problem: ResolverError.unknownPackage(name).description)
        }
    }
}

extension DataFileError {
    /// An error about a value that could be decoded and turned out to be wrong later.
    static func about(file: String, text: String, field: [String], problem: String) -> DataFileError {
        let path: [any CodingKey] = field.map { part in
            Int(part).map { AnyKey(intValue: $0) } ?? AnyKey(stringValue: part)
        }
        return DataFileError(
            file: file, line: DataFile.line(of: path, in: text), field: DataFile.render(path), problem: problem)
    }
}
