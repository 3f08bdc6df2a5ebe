// SPDX-License-Identifier: GPL-3.0-or-later
import Linux

/// What is mounted, in the order of mounting. See `man 5 proc_pid_mountinfo`.
public struct MountTable: Hashable, Sendable {
    /// One mount.
    public struct Entry: Hashable, Sendable {
        /// Its directory or file.
        public let path: String
        /// The kind of file system, such as `tmpfs` or `fuse.portal`.
        public let type: String
        /// The device or other source.
        public let source: String
        /// Whether it can be written to.
        public let isWritable: Bool

        /// Whether a program answers for it, which may not answer at all.
        public var isServed: Bool {
            type == "fuse" || type.hasPrefix("fuse.") || ["nfs", "nfs4", "cifs", "9p", "ceph", "smb3"].contains(type)
        }
        /// Whether it lies on a device, so that unmounting may wait for that.
        public var isOnDevice: Bool { source.hasPrefix("/dev/") || type == "fuseblk" }
    }

    /// The mounts.
    public let entries: [Entry]

    /// Reads the table; lines that are not of its form are left out.
    ///
    /// - Parameter text: the content of `/proc/self/mountinfo`.
    public init(parsing text: String) {
        entries = text.split(separator: "\n").compactMap { line in
            let words = line.split(separator: " ")
            guard words.count >= 10, let dash = words.dropFirst(6).firstIndex(of: "-"), words.count > dash + 3 else {
                return nil
            }
            return Entry(
                path: Self.plain(words[4]), type: Self.plain(words[dash + 1]), source: Self.plain(words[dash + 2]),
                isWritable: words[5].split(separator: ",").contains("rw"))
        }
    }

    /// What is mounted for this process.
    public static var current: MountTable {
        MountTable(parsing: (try? File.text("/proc/self/mountinfo")) ?? "")
    }

    /// Undoes `\040` and the like.
    static func plain(_ word: Substring) -> String {
        var bytes: [UInt8] = []
        var rest = Array(word.utf8)[...]
        while let byte = rest.popFirst() {
            let digits = rest.prefix(3)
            if byte == UInt8(ascii: "\\"), digits.count == 3, digits.allSatisfy({ (0x30...0x37).contains($0) }) {
                bytes.append(UInt8(truncatingIfNeeded: digits.reduce(0) { $0 * 8 + Int($1 - 0x30) }))
                rest = rest.dropFirst(3)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// Unmounting everything.
public enum Unmounting {
    /// What this program itself needs: its own file system and those that show the kernel.
    public static let needed: Set<String> = ["/", "/dev", "/proc", "/sys"]

    /// Unmounts all but a few, the innermost first. What is busy is detached from the tree and ends with its last user; a
    /// file system whose server does not answer is cut off from it.
    ///
    /// - Parameters:
    ///   - kept: paths that stay.
    ///   - root: nothing outside this directory is touched; `/` for everything.
    ///   - complaints: where it is told what was busy.
    public static func run(keeping kept: Set<String> = needed, below root: String = "/", _ complaints: Step.Complaints)
    {
        func wanted() -> [MountTable.Entry] {
            MountTable.current.entries.reversed().filter {
                !kept.contains($0.path) && (root == "/" || $0.path == root || $0.path.hasPrefix(root + "/"))
            }
        }
        // A mount may become idle when another has gone, so there are several passes.
        var left = wanted()
        for _ in 0..<8 where !left.isEmpty {
            for entry in left { _ = remove(entry, entry.isServed ? .forced : .idle) }
            let next = wanted()
            if next.count == left.count { break }
            left = next
        }
        for entry in wanted() {
            // With what was in use on top of it detached, it may be idle now.
            if !entry.isServed, remove(entry, .idle) == nil { continue }
            let failure = remove(entry, .detached)
            if let failure { complaints.add(Words.stillMounted(entry.path, failure)) }
            // Memory of a busy tmpfs, or a file system on a disk, matters to the user; a view of the kernel does not.
            let matters = entry.isOnDevice && entry.isWritable || ["tmpfs", "overlay", "ramfs"].contains(entry.type)
            if failure == nil, matters { complaints.add(Words.detached(entry.path)) }
        }
    }

    /// Unmounts one, in a process of its own when it may hang.
    ///
    /// - Returns: why it is still there; `nil` when it is gone.
    private static func remove(_ entry: MountTable.Entry, _ removal: Mount.Removal) -> String? {
        guard entry.isServed || entry.isOnDevice && entry.isWritable else {
            do throws(SystemCallFailure) {
                try Mount.remove(entry.path, removal)
                return nil
            } catch {
                return "\(error)"
            }
        }
        // Writing out to a slow stick takes its time, and the user's documents are worth it.
        let outcome = Step("unmount", entry.path, seconds: entry.isOnDevice ? 30 : 3) { complaints in
            complaints.attempt { () throws(SystemCallFailure) in try Mount.remove(entry.path, removal) }
        }.perform()
        return outcome.isDone ? nil : outcome.complaints.first ?? Words.tookTooLong
    }
}
