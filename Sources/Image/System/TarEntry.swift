// SPDX-License-Identifier: GPL-3.0-or-later
import SystemPackage

/// One file, folder or link of a tree, as an archive carries it.
struct TarEntry: Sendable {
    /// What an entry is.
    enum Kind: Sendable, Equatable {
        case file
        case folder
        /// What the symbolic link says.
        case link(String)
    }

    /// Where an entry's bytes are.
    enum Content: Sendable {
        /// In the archive that was read, from an offset on. Entries with the same place are hard links of each other.
        case archived(offset: Int, length: Int)
        /// In memory.
        case bytes([UInt8])
        /// In a file of the machine.
        case file(FilePath, length: Int)

        var length: Int {
            switch self {
            case .archived(_, let length), .file(_, let length): length
            case .bytes(let bytes): bytes.count
            }
        }
    }

    var kind: Kind
    /// Permission bits with set-uid, set-gid and sticky.
    var mode: UInt16
    var uid: UInt32 = 0
    var gid: UInt32 = 0
    /// Seconds since 1970.
    var time: Int
    /// Extended attributes by name, for instance `security.capability`.
    var attributes: [String: [UInt8]] = [:]
    var content: Content = .bytes([])

    static func file(_ bytes: [UInt8], mode: UInt16 = 0o644, time: Int) -> TarEntry {
        TarEntry(kind: .file, mode: mode, time: time, content: .bytes(bytes))
    }

    static func folder(mode: UInt16 = 0o755, time: Int) -> TarEntry {
        TarEntry(kind: .folder, mode: mode, time: time)
    }

    static func link(_ target: String, time: Int) -> TarEntry {
        TarEntry(kind: .link(target), mode: 0o777, time: time)
    }
}

/// An archive that is not one, or is one that the builder does not expect.
struct TarError: Error, CustomStringConvertible {
    let archive: FilePath
    let offset: Int
    let problem: String

    var description: String { "\(archive), byte \(offset): \(problem)" }
}
