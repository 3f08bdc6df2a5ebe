// SPDX-License-Identifier: GPL-3.0-or-later
import Commands
import Foundation
import SystemPackage

/// A folder that APT can install from and that holds just the packages of a lock: what is installed is what is locked,
/// because there is nothing else to choose from.
struct LocalArchive: Sendable {
    let folder: FilePath

    /// Makes the folder out of the store's files (as further names of the same files) with an index over them.
    static func make(of packages: [LockedPackage], from store: PackageStore, at folder: FilePath) async throws
        -> LocalArchive
    {
        try FileManager.default.createDirectory(atPath: folder.string, withIntermediateDirectories: true)
        for package in packages {
            try FileManager.default.linkItem(
                atPath: store.file(of: package).string, toPath: folder.appending(package.fileName).string)
        }
        let index = try await Command("apt-ftparchive", ["packages", "."], workingDirectory: folder).output(
            limit: 256 << 20)
        try Data(index.utf8).write(to: URL(filePath: folder.appending("Packages").string))
        return LocalArchive(folder: folder)
    }

    /// The archive as a line of `sources.list(5)`. It needs no signature: each file's SHA-256 was compared with the lock's.
    var source: String { "deb [trusted=yes] copy:\(folder) ./" }
}
