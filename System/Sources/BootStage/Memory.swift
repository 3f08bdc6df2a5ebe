// SPDX-License-Identifier: GPL-3.0-or-later
import Linux

/// How much memory the computer has, from `/proc/meminfo`. See `man 5 proc_meminfo`.
struct Memory: Hashable {
    /// All that the kernel can use, in bytes.
    let total: UInt64
    /// What programs could get now, in bytes.
    let available: UInt64

    /// The least `total` with which a start is tried, in bytes. With less, the kernel ends programs at random
    /// somewhere in the start, and nobody is told why. A computer of 256 MiB has some 200 left behind its kernel.
    static let floor: UInt64 = 192 << 20
    /// What has to stay free beside a system that is copied into memory.
    static let reserve: UInt64 = 192 << 20

    /// Reads `/proc/meminfo`; `nil` when a line is missing.
    ///
    /// - Parameter text: its content.
    init?(parsing text: String) {
        func value(_ key: String) -> UInt64? {
            for line in text.split(separator: "\n") where line.hasPrefix(key + ":") {
                let words = line.split(separator: " ")
                guard words.count == 3, words[2] == "kB" else { return nil }
                return UInt64(words[1]).map { $0 * 1024 }
            }
            return nil
        }
        guard let total = value("MemTotal"), let available = value("MemAvailable") else { return nil }
        self.total = total
        self.available = available
    }

    /// What this computer has.
    static var current: Memory? { (try? File.text("/proc/meminfo")).flatMap(Memory.init(parsing:)) }
}
