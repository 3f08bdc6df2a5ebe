// SPDX-License-Identifier: GPL-3.0-or-later
import Foundation
import SystemPackage

/// The files of the image while they are put together: what the packages installed, with the profile's changes.
///
/// It lives in memory, with the contents left where they are, so that owners and modes can be set by an ordinary user and
/// a change of one file costs seconds.
struct SystemTree {
    /// Entries by path, without a leading slash.
    private(set) var entries: [String: TarEntry]
    /// What of an entry's time is kept: nothing is younger than the image.
    let epoch: Int

    init(entries: [String: TarEntry], epoch: Int) {
        self.entries = entries
        self.epoch = epoch
    }

    /// A file's content where it is text in memory or in the archive; `nil` for what is not there or no file.
    func bytes(of path: String, in source: Data) -> [UInt8]? {
        guard let entry = entries[path], entry.kind == .file else { return nil }
        switch entry.content {
        case .bytes(let bytes): return bytes
        case .archived(let offset, let length): return Array(source[offset..<offset + length])
        case .file(let file, _): return FileManager.default.contents(atPath: file.string).map(Array.init)
        }
    }

    /// Leaves out every path that one of the patterns matches, with what is below it. Returns the rules that matched nothing.
    mutating func exclude(_ rules: [PathRule]) -> [PathRule] {
        let patterns = rules.map { PathPattern($0.path.value) }
        var used = Set<Int>()
        var gone: Set<String> = []
        for path in entries.keys {
            let segments = path.split(separator: "/").map(\.utf8)
            for (index, pattern) in patterns.enumerated() where pattern.matches(segments) {
                used.insert(index)
                gone.insert(path)
            }
        }
        remove { path in gone.contains(path) || Self.parents(of: path).contains { gone.contains($0) } }
        return rules.enumerated().filter { !used.contains($0.offset) }.map(\.element)
    }

    /// Leaves out the paths for which the condition holds.
    mutating func remove(where condition: (String) -> Bool) {
        entries = entries.filter { !condition($0.key) }
    }

    /// Puts an entry at a path, with the folders above it where they are missing. A merged-usr link on the way is followed.
    mutating func put(_ path: String, _ entry: TarEntry) {
        let path = resolve(path)
        for parent in Self.parents(of: path) where entries[parent] == nil {
            entries[parent] = .folder(time: epoch)
        }
        // What stands for a folder already, be it a link to one, stays.
        if entry.kind == .folder, let old = entries[path], old.kind != .file { return }
        entries[path] = entry
    }

    /// Changes an entry in place; `false` when there is none.
    mutating func change(_ path: String, _ body: (inout TarEntry) throws -> Void) rethrows -> Bool {
        let path = resolve(path)
        guard var entry = entries[path] else { return false }
        try body(&entry)
        entries[path] = entry
        return true
    }

    /// Lays a folder of the machine over the tree. Modes are 0755 for folders and what may be executed, 0644 for the rest,
    /// whatever the checkout's umask made of them.
    mutating func overlay(_ folder: FilePath) throws {
        guard let walk = FileManager.default.enumerator(atPath: folder.string) else {
            throw SystemTreeError.noSuchFolder(folder)
        }
        var isDirectory = false
        var directory: ObjCBool = false
        isDirectory =
            FileManager.default.fileExists(atPath: folder.string, isDirectory: &directory) && directory.boolValue
        guard isDirectory else { throw SystemTreeError.noSuchFolder(folder) }
        let paths = walk.compactMap { $0 as? String }.sorted()
        for path in paths {
            let source = folder.appending(path)
            let attributes = try FileManager.default.attributesOfItem(atPath: source.string)
            switch attributes[.type] as? FileAttributeType {
            case .typeDirectory:
                put(path, .folder(time: epoch))
            case .typeSymbolicLink:
                put(path, .link(try FileManager.default.destinationOfSymbolicLink(atPath: source.string), time: epoch))
            case .typeRegular:
                let bits = (attributes[.posixPermissions] as? NSNumber)?.uint16Value ?? 0
                let data = try Data(contentsOf: URL(filePath: source.string))
                put(path, .file(Array(data), mode: bits & 0o100 != 0 ? 0o755 : 0o644, time: epoch))
            default:
                throw SystemTreeError.notPlain(source)
            }
        }
    }

    /// Writes the tree as an archive, sorted by path, with no time later than the image's.
    func write(to path: FilePath, source: Data) throws {
        var writer = try TarWriter(to: path, source: source)
        for (path, entry) in entries.sorted(by: { Self.order($0.key, $1.key) }) {
            var entry = entry
            entry.time = min(entry.time, epoch)
            try writer.append(path, entry)
        }
        try writer.finish()
    }

    /// Follows the links that stand for folders on the way to a path (`/lib` → `usr/lib`), within the tree.
    private func resolve(_ path: String) -> String {
        var path = path.split(separator: "/").joined(separator: "/")
        for _ in 0..<8 {
            guard
                let parent = Self.parents(of: path).first(where: {
                    if case .link = entries[$0]?.kind { true } else { false }
                }),
                case .link(let target)? = entries[parent]?.kind
            else { return path }
            let base = target.hasPrefix("/") ? "" : parent.split(separator: "/").dropLast().joined(separator: "/")
            var segments: [Substring] = base.split(separator: "/")
            for segment in target.split(separator: "/") where segment != "." {
                if segment == ".." { _ = segments.popLast() } else { segments.append(segment) }
            }
            path = (segments.map(String.init) + [String(path.dropFirst(parent.count + 1))]).joined(separator: "/")
        }
        return path
    }

    static func parents(of path: String) -> [String] {
        path.indices.filter { path[$0] == "/" }.map { String(path[..<$0]) }
    }

    /// Segment by segment in byte order, so that a folder comes right before what is in it.
    static func order(_ left: String, _ right: String) -> Bool {
        left.utf8.lexicographicallyPrecedes(right.utf8) { a, b in
            (a == UInt8(ascii: "/") ? 0 : a) < (b == UInt8(ascii: "/") ? 0 : b)
        }
    }
}

/// Why the image's files could not be put together.
enum SystemTreeError: Error, CustomStringConvertible {
    case noSuchFolder(FilePath)
    case notPlain(FilePath)
    case missing(String, wantedBy: String)
    case unknownAccount(String, wantedBy: String)

    var description: String {
        switch self {
        case .noSuchFolder(let folder): "The profile names the folder \(folder), which is not there."
        case .notPlain(let path): "\(path) is neither a file, a folder nor a link; it cannot go into the image."
        case .missing(let path, let who): "\(who) names \(path), which the image does not have."
        case .unknownAccount(let name, let who): "\(who) names the account '\(name)', which the image does not have."
        }
    }
}
