// SPDX-License-Identifier: GPL-3.0-or-later
import Commands
import Foundation
import SystemPackage

/// What is kept from one build to the next, outside the source tree, each thing under a hash of all that it was made from.
/// Without it a build takes longer and gives the same bits.
public struct Cache: Sendable {
    /// The folder.
    public let folder: FilePath

    /// Opens a cache; the folder is made when it is missing.
    public init(folder: FilePath) throws {
        self.folder = folder
        try FileManager.default.createDirectory(atPath: folder.string, withIntermediateDirectories: true)
    }

    /// The usual place: `$NEEDLETAIL_CACHE`, or `needletail` below the user's cache folder.
    public static var usualFolder: FilePath {
        let environment = ProcessInfo.processInfo.environment
        if let given = environment["NEEDLETAIL_CACHE"], !given.isEmpty { return FilePath(given) }
        if let base = environment["XDG_CACHE_HOME"], base.hasPrefix("/") {
            return FilePath(base).appending("needletail")
        }
        return FilePath(NSHomeDirectory()).appending(".cache/needletail")
    }

    /// A folder for one build, to be removed after it.
    func makeWork() throws -> FilePath {
        let work = folder.appending("work-\(UUID().uuidString)")
        try FileManager.default.createDirectory(atPath: work.string, withIntermediateDirectories: true)
        return work
    }

    /// Removes a work folder. Processes of a cancelled build may still be dying and hold their last file.
    func remove(_ work: FilePath) {
        for _ in 0..<50 {
            try? FileManager.default.removeItem(atPath: work.string)
            if !FileManager.default.fileExists(atPath: work.string) { return }
            usleep(100_000)
        }
    }

    /// A thing under its key; made, if it is not there, by a body that gets a path to write to. It gets its name only when
    /// the body has ended well.
    ///
    /// - Returns: Where it is, and whether it was there already.
    func get(_ name: String, key: [String], make: (FilePath) async throws -> Void) async throws -> (
        FilePath, wasThere: Bool
    ) {
        let path = folder.appending("\(name)-\(try await Self.hash(key.joined(separator: "\n")).prefix(32))")
        if FileManager.default.fileExists(atPath: path.string) { return (path, true) }
        let partial = FilePath(path.string + ".partial-\(UUID().uuidString)")
        do {
            try await make(partial)
            try FileManager.default.moveItem(atPath: partial.string, toPath: path.string)
        } catch {
            try? FileManager.default.removeItem(atPath: partial.string)
            throw error
        }
        return (path, false)
    }

    /// SHA-256 of a text, 64 hexadecimal digits.
    static func hash(_ text: String) async throws -> String {
        String(try await Command("sha256sum").output(input: text).prefix(64))
    }

    /// SHA-256 of a file, 64 hexadecimal digits.
    static func hash(of file: FilePath) async throws -> String {
        // A backslash at the line's start would announce an escaped name; a name given by a descriptor has none.
        String(try await Command("sha256sum", ["--", file.string]).output().drop { $0 == "\\" }.prefix(64))
    }
}
