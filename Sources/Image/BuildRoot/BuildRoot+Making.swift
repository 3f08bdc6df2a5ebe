// SPDX-License-Identifier: GPL-3.0-or-later
import Commands
import Foundation
import SystemPackage

extension BuildRoot {
    /// Unpacks an archive of a system as a build root. All of it belongs to the user who builds; nothing in it is run as
    /// another.
    static func unpack(_ tar: FilePath, to folder: FilePath, log: FilePath) async throws {
        let partial = FilePath(folder.string + ".partial-\(UUID().uuidString)")
        try FileManager.default.createDirectory(atPath: partial.string, withIntermediateDirectories: true)
        do {
            try await Command(
                "tar",
                [
                    "--extract", "--file=\(tar)", "--directory=\(partial)", "--no-same-owner", "--no-xattrs",
                    "--exclude=./dev/*", "--mode=u+rwX",
                ]
            ).run(log: log)
            try FileManager.default.moveItem(atPath: partial.string, toPath: folder.string)
        } catch {
            try? FileManager.default.removeItem(atPath: partial.string)
            throw error
        }
    }
}
