// SPDX-License-Identifier: GPL-3.0-or-later
import Foundation

extension SystemTree {
    /// Looks for what could open a disk by itself.
    ///
    /// - Parameters:
    ///   - table: Where to look, and what may be there.
    ///   - source: The archive of the installed packages.
    /// - Throws: `DiskTableError`.
    func check(_ table: DiskTable, source: Data) throws(DiskTableError) {
        let watched = table.watch.map { (PathPattern($0.path.value), $0.words) }
        let left = table.left.map { PathPattern($0.path.value) }
        var used: Set<Int> = []
        var unlisted: [String] = []
        for (path, entry) in entries where entry.kind != .folder && !isMasked(path, entry) {
            let segments = path.split(separator: "/").map(\.utf8)
            for (index, pattern) in left.enumerated() where pattern.matches(segments) { used.insert(index) }
            let isFound = watched.contains { pattern, words in
                guard pattern.matches(segments) else { return false }
                if words.isEmpty { return true }
                let text = String(decoding: bytes(of: path, in: source) ?? [], as: UTF8.self)
                return words.contains { text.contains($0) }
            }
            if isFound, !left.contains(where: { $0.matches(segments) }) { unlisted.append("/\(path)") }
        }
        let stale = table.left.enumerated().filter { !used.contains($0.offset) }.map(\.element.path.value)
        guard unlisted.isEmpty, stale.isEmpty else {
            throw DiskTableError(unlisted: unlisted.sorted(), stale: stale)
        }
    }

    /// Whether it is a unit that never starts.
    private func isMasked(_ path: String, _ entry: TarEntry) -> Bool {
        if entry.kind == .link("/dev/null") { return true }
        guard path.hasPrefix("usr/lib/systemd/system/"), let name = path.split(separator: "/").last else {
            return false
        }
        return entries["etc/systemd/system/\(name)"]?.kind == .link("/dev/null")
    }
}
