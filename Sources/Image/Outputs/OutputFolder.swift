// SPDX-License-Identifier: GPL-3.0-or-later
import Foundation
import SystemPackage

/// The folder that takes a build's files. A file there is whole or not there: each is written under another name first.
final class OutputFolder: Sendable {
    let folder: FilePath
    private let lock: FileDescriptor

    /// Opens the folder, which is made when it is missing, and keeps other builds out of it.
    init(_ folder: FilePath) throws {
        let lock: FileDescriptor
        do {
            try FileManager.default.createDirectory(
                atPath: folder.appending("logs").string, withIntermediateDirectories: true)
            lock = try FileDescriptor.open(
                folder.appending(".lock"), .writeOnly, options: [.create, .closeOnExec], permissions: [.ownerReadWrite])
        } catch {
            throw OutputError.notWritable(folder, String(describing: error))
        }
        // flock(2): goes with the process, however it ends.
        guard flock(lock.rawValue, LOCK_EX | LOCK_NB) == 0 else {
            try? lock.close()
            throw OutputError.inUse(folder)
        }
        self.folder = folder
        self.lock = lock
    }

    deinit { try? lock.close() }

    /// Fails when the file system has less room than is needed, before hours are spent.
    func checkRoom(for bytes: Int) throws {
        let attributes = try FileManager.default.attributesOfFileSystem(forPath: folder.string)
        guard let free = (attributes[.systemFreeSize] as? NSNumber)?.intValue, free < bytes else { return }
        throw OutputError.noRoom(folder, needed: bytes, free: free)
    }

    /// Where a file is written before it gets its name.
    func partial(_ name: String) -> FilePath { folder.appending(".\(name).new") }

    /// Gives the files their names, all at the end. Whoever still reads the old ones keeps reading the old ones.
    func publish(_ names: [String]) throws {
        for name in names {
            guard rename(partial(name).string, folder.appending(name).string) == 0 else {
                throw OutputError.cannotReplace(folder.appending(name), String(cString: strerror(errno)))
            }
        }
    }

    /// Removes what was written and has no name yet.
    func discard(_ names: [String]) {
        for name in names {
            try? FileManager.default.removeItem(atPath: partial(name).string)
            try? FileManager.default.removeItem(atPath: partial(name).string + ".partial")
        }
    }
}

/// Why the outputs cannot be written.
public enum OutputError: Error, CustomStringConvertible, Equatable {
    /// The folder cannot be made or written to.
    case notWritable(FilePath, String)
    /// Another build is writing there.
    case inUse(FilePath)
    /// Too little room.
    case noRoom(FilePath, needed: Int, free: Int)
    /// An existing file cannot be replaced.
    case cannotReplace(FilePath, String)

    /// The error for a person.
    public var description: String {
        switch self {
        case .notWritable(let folder, let why): "The folder \(folder) cannot be written to: \(why)"
        case .inUse(let folder):
            "Another build is writing into \(folder). Wait until it has ended, or name another folder with --output."
        case .noRoom(let folder, let needed, let free):
            """
            There is no room for the image in \(folder): about \(needed / 1_000_000) MB are needed, \
            \(free / 1_000_000) MB are free. Nothing was changed there.
            """
        case .cannotReplace(let path, let why): "\(path) cannot be replaced: \(why). The old file is still there."
        }
    }
}
