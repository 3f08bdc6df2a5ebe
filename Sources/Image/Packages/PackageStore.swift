// SPDX-License-Identifier: GPL-3.0-or-later
import Commands
import Foundation
import SystemPackage

/// The packages on this machine, each under the SHA-256 of its content, so that nothing wrong can be taken for right and
/// every checkout and profile shares them.
public struct PackageStore: Sendable {
    /// The folder.
    public let folder: FilePath
    /// Where missing packages come from.
    public let mirror: Mirror
    /// Where the tools' output goes.
    public let log: FilePath

    /// How many packages one call of the fetching tool gets: enough to keep the connection busy, few enough for a bar that moves.
    private static let batch = 12

    /// Creates a store over a folder, which is made when it is missing.
    public init(folder: FilePath, mirror: Mirror, log: FilePath) throws {
        self.folder = folder
        self.mirror = mirror
        self.log = log
        try FileManager.default.createDirectory(atPath: folder.string, withIntermediateDirectories: true)
    }

    /// The file of a package.
    public func file(of package: LockedPackage) -> FilePath { folder.appending("\(package.sha256).deb") }

    /// Fetches what is missing. APT's own downloader does it, with the machine's proxies and credentials, and compares each
    /// file's SHA-256 with the lock's; a file gets its name in the store only when it is whole and right.
    ///
    /// - Parameters:
    ///   - packages: What is wanted.
    ///   - progress: Called with the bytes fetched and the bytes to fetch in all.
    /// - Throws: `PackageStoreError`.
    public func fetch(_ packages: [LockedPackage], progress: @Sendable (Int, Int) async -> Void) async throws {
        let missing = packages.filter { !isPresent($0) }
        let total = missing.reduce(0) { $0 + $1.size }
        var done = 0
        try checkRoom(for: total)
        await progress(done, total)
        for start in stride(from: 0, to: missing.count, by: Self.batch) {
            try Task.checkCancellation()
            let batch = Array(missing[start..<min(start + Self.batch, missing.count)])
            try await fetch(batch: batch)
            done += batch.reduce(0) { $0 + $1.size }
            await progress(done, total)
        }
    }

    private func isPresent(_ package: LockedPackage) -> Bool {
        let attributes = try? FileManager.default.attributesOfItem(atPath: file(of: package).string)
        return attributes?[.size] as? Int == package.size
    }

    private func fetch(batch: [LockedPackage]) async throws {
        // A folder of this call alone: two builds may fetch into one store at the same time.
        let arriving = folder.appending("arriving-\(UUID().uuidString)")
        try FileManager.default.createDirectory(atPath: arriving.string, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: arriving.string) }
        var words = ["-o", "APT::Sandbox::User=root", "-o", "Acquire::Retries=2", "download-file"]
        for package in batch {
            words += [
                "\(mirror.address(of: package.archive))/\(package.path)", arriving.appending(package.sha256).string,
                "SHA256:\(package.sha256)",
            ]
        }
        do {
            try await Command("/usr/lib/apt/apt-helper", words).run(log: log)
        } catch let failure as CommandFailure {
            throw PackageStoreError.from(failure, batch: batch, mirror: mirror, folder: folder)
        }
        for package in batch {
            try FileManager.default.setAttributes(
                [.posixPermissions: 0o644], ofItemAtPath: arriving.appending(package.sha256).string)
            // rename(2): a package is in the store whole or not at all.
            guard rename(arriving.appending(package.sha256).string, file(of: package).string) == 0 else {
                throw PackageStoreError.cannotStore(package.fileName, folder: folder)
            }
        }
    }

    private func checkRoom(for bytes: Int) throws {
        let attributes = try FileManager.default.attributesOfFileSystem(forPath: folder.string)
        guard let free = (attributes[.systemFreeSize] as? NSNumber)?.intValue else { return }
        if free < bytes {
            throw PackageStoreError.noRoom(folder: folder, needed: bytes, free: free)
        }
    }
}

/// Why a package could not be had.
public enum PackageStoreError: Error, CustomStringConvertible, Equatable {
    /// The mirror does not hold this version any longer.
    case gone(LockedPackage, mirror: String)
    /// The mirror gave other bits than the lock names.
    case wrongHash(LockedPackage, mirror: String)
    /// The mirror could not be reached, or the connection broke.
    case unreachable(mirror: String, detail: String)
    /// The folder's file system is too full.
    case noRoom(folder: FilePath, needed: Int, free: Int)
    /// A file could not be given its name.
    case cannotStore(String, folder: FilePath)

    static func from(
        _ failure: CommandFailure, batch: [LockedPackage], mirror: Mirror, folder: FilePath
    ) -> PackageStoreError {
        let text = failure.lastLines.joined(separator: "\n")
        if text.contains("No space left on device") {
            return .noRoom(folder: folder, needed: batch.reduce(0) { $0 + $1.size }, free: 0)
        }
        let lines = failure.lastLines.filter {
            $0.contains("Failed to fetch") || $0.hasPrefix("E:") || $0.hasPrefix("Err:")
        }
        for package in batch {
            let address = "\(mirror.address(of: package.archive))/\(package.path)"
            for line in lines where line.contains(address) {
                if line.contains("404") { return .gone(package, mirror: mirror.address(of: package.archive)) }
                if text.contains("Hash Sum mismatch") || text.contains("unexpected size") {
                    return .wrongHash(package, mirror: mirror.address(of: package.archive))
                }
            }
        }
        return .unreachable(mirror: mirror.debian, detail: lines.last ?? failure.lastLines.last ?? failure.status)
    }

    /// The error for a person.
    public var description: String {
        switch self {
        case .gone(let package, let mirror):
            """
            The mirror \(mirror) no longer holds \(package.name) \(package.version), which the lock names.
            Make the lock anew with 'needletail lock', look at what changed, and build again.
            """
        case .wrongHash(let package, let mirror):
            """
            The mirror \(mirror) gave a file for \(package.name) \(package.version) that is not the one in the lock \
            (SHA-256 \(package.sha256)). Nothing of it was used.
            Try another mirror with --mirror. If two mirrors agree, somebody changed the package: look into it before you \
            make a new lock.
            """
        case .unreachable(let mirror, let detail):
            """
            The packages could not be fetched from \(mirror): \(detail)
            What had arrived is kept. Check the network and start the build again.
            """
        case .noRoom(let folder, let needed, let free):
            """
            There is no room for the packages in \(folder): \(needed / 1_000_000) MB are needed, \(free / 1_000_000) MB are \
            free. Make room, or name another folder with --cache.
            """
        case .cannotStore(let name, let folder): "The package \(name) could not be stored in \(folder)."
        }
    }
}
