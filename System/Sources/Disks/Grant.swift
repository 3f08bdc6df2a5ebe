// SPDX-License-Identifier: GPL-3.0-or-later
import Linux

/// What tells a disk, and what is in a drive, from the next one that gets its name: the kernel counts them and uses no number
/// twice. See `diskseq` in the kernel's `ABI/stable/sysfs-block`.
public enum DiskSequence {
    /// The number of a disk, or of the disk that a partition is on; `nil` when there is none.
    ///
    /// - Parameter name: the kernel's name.
    /// - Returns: the number, 1 or more.
    public static func of(_ name: String) -> UInt64? {
        guard !name.isEmpty, let path = FileTree.resolved("/sys/class/block/\(name)") else { return nil }
        let isPart = FileTree.exists("\(path)/partition")
        let disk = isPart ? path.split(separator: "/").dropLast().map { "/\($0)" }.joined() : path
        return File.line("\(disk)/diskseq").flatMap { UInt64($0) }
    }
}

/// What the user has been given of a disk or a partition: a node to read it, or to write to it.
public struct Grant: Hashable, Sendable {
    /// The loop device between, through which nobody can write; `nil` when the node is that of the disk itself.
    public let loop: String?
    /// Which disk it was given for; 0, which is no disk's, when that cannot be known.
    public let sequence: UInt64

    /// Whether it may be written to.
    public var isWriting: Bool { loop == nil }

    init(loop: String?, sequence: UInt64) {
        self.loop = loop
        self.sequence = sequence
    }

    /// Reads what ``text`` wrote. What cannot be read counts as one for writing that applies to no disk, so that it is locked.
    init(_ text: String) {
        let words = text.split(whereSeparator: \.isWhitespace)
        self.init(
            loop: words.first.flatMap { $0.hasPrefix("loop") ? String($0) : nil },
            sequence: words.count == 2 ? UInt64(words[1]) ?? 0 : 0)
    }

    /// The content of its file.
    var text: String { "\(loop ?? "writable") \(sequence)\n" }
}
