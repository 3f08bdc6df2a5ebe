// SPDX-License-Identifier: GPL-3.0-or-later
import Commands
import Foundation
import SystemPackage

/// The source tree from which an image is built, and what it says.
public struct Project: Sendable {
    /// The tree's top folder.
    public let root: FilePath
    /// The version, from the file `VERSION`.
    public let version: String
    /// The commit, forty hexadecimal digits; `unknown` outside a repository.
    public let commit: String
    /// The time of the commit in seconds since 1970: nothing in the image is younger. `SOURCE_DATE_EPOCH` goes before it.
    public let epoch: Int

    /// Looks for the tree at a folder or above it.
    public static func find(at start: FilePath) async throws -> Project {
        var folder = start.lexicallyNormalized()
        while !FileManager.default.fileExists(atPath: folder.appending("image/profiles").string) {
            guard folder.removeLastComponent() else { throw ProjectError.notFound(start) }
        }
        let version = (try? String(contentsOfFile: folder.appending("VERSION").string, encoding: .utf8))?
            .trimmingCharacters(in: .whitespacesAndNewlines)
        guard let version, version.wholeMatch(of: /[0-9]+(\.[0-9]+)*(~?[a-z0-9]+)?/) != nil else {
            throw ProjectError.noVersion(folder.appending("VERSION"))
        }
        let commit = try? await Command("git", ["-C", folder.string, "rev-parse", "HEAD"]).output()
            .trimmingCharacters(in: .whitespacesAndNewlines)
        let time = try? await Command("git", ["-C", folder.string, "log", "-1", "--format=%ct"]).output()
            .trimmingCharacters(in: .whitespacesAndNewlines)
        let given = ProcessInfo.processInfo.environment["SOURCE_DATE_EPOCH"]
        guard let epoch = (given ?? time).flatMap({ Int($0) }), epoch > 0 else { throw ProjectError.noTime }
        return Project(root: folder, version: version, commit: commit ?? "unknown", epoch: epoch)
    }

    /// A profile by its name.
    public func profile(_ name: String) throws -> Profile {
        let profile = try DataFile.decode(Profile.self, from: profilePath(name))
        guard profile.name == name else {
            throw DataFileError(
                file: profilePath(name).string, line: 1, field: "name",
                problem: "The file is called \(name).yaml and the profile in it '\(profile.name)'.")
        }
        return profile
    }

    /// The names of the profiles.
    public func profileNames() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: root.appending("image/profiles").string)
            .filter { $0.hasSuffix(".yaml") }.map { String($0.dropLast(5)) }.sorted()
    }

    func profilePath(_ name: String) -> FilePath { root.appending("image/profiles").appending("\(name).yaml") }

    /// The lock file of a profile.
    public func lockPath(_ name: String) -> FilePath { root.appending("image/locks").appending("\(name).json") }

    func buildRootList() throws -> BuildRootList {
        try DataFile.decode(BuildRootList.self, from: root.appending("image/buildroot.yaml"))
    }

    func initramfsList() throws -> InitramfsList {
        try DataFile.decode(InitramfsList.self, from: root.appending("image/initramfs.yaml"))
    }

    /// What the firewalls let pass.
    public func firewall() throws -> FirewallData {
        try DataFile.decode(FirewallData.self, from: root.appending("image/firewall.yaml"))
    }

    /// What could open a disk by itself.
    func diskTable() throws -> DiskTable {
        try DataFile.decode(DiskTable.self, from: root.appending("image/disks.yaml"))
    }

    func hardening() throws -> Hardening {
        try DataFile.decode(Hardening.self, from: root.appending("image/hardening.yaml"))
    }
}

/// Why the source tree cannot be used.
public enum ProjectError: Error, CustomStringConvertible {
    /// No tree at the folder or above it.
    case notFound(FilePath)
    /// The file with the version is missing or says none.
    case noVersion(FilePath)
    /// Neither git nor the environment tells a time.
    case noTime

    /// The error for a person.
    public var description: String {
        switch self {
        case .notFound(let start): "Neither \(start) nor a folder above it is Needletail's source tree."
        case .noVersion(let path): "\(path) has to hold a version such as 0.1.0."
        case .noTime:
            "The time of the image is not known: this is no git repository. Set SOURCE_DATE_EPOCH to seconds since 1970."
        }
    }
}
