// SPDX-License-Identifier: GPL-3.0-or-later
import Foundation
import SystemPackage

/// Shows what is appended to the logs of a folder, for people who want to see the tools' output while they run.
public final class LogFollower: Sendable {
    private let work: Task<Void, Never>

    /// Follows all files of a folder whose names begin with a prefix, from what they hold now on.
    public init(folder: FilePath, prefix: String) {
        let started = Date()
        work = Task {
            var seen: [String: UInt64] = [:]
            func show() {
                let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.string)) ?? []
                for name in names.sorted() where name.hasPrefix(prefix + "-") {
                    let path = folder.appending(name).string
                    // What an earlier run wrote is not shown; this one removes it and writes anew.
                    let changed = (try? FileManager.default.attributesOfItem(atPath: path)[.modificationDate]) as? Date
                    guard let changed, changed >= started, let file = FileHandle(forReadingAtPath: path) else {
                        continue
                    }
                    defer { try? file.close() }
                    let end = (try? file.seekToEnd()) ?? 0
                    let offset = min(seen[name] ?? 0, end)
                    guard end > offset, (try? file.seek(toOffset: offset)) != nil else { continue }
                    FileHandle.standardError.write((try? file.readToEnd()) ?? Data())
                    seen[name] = end
                }
            }
            while !Task.isCancelled {
                show()
                try? await Task.sleep(for: .milliseconds(250))
            }
            show()
        }
    }

    /// Shows what came last and ends.
    public func stop() async {
        work.cancel()
        await work.value
    }
}
