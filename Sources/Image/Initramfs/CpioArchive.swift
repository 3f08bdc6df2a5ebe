// SPDX-License-Identifier: GPL-3.0-or-later

/// An archive in the "newc" format that the kernel unpacks as its first root (Linux,
/// Documentation/driver-api/early-userspace/buffer-format.rst).
struct CpioArchive {
    private var bytes: [UInt8] = []
    private var number: UInt32 = 0
    private var folders: Set<String> = []
    private let time: UInt32

    /// All entries get the same time, in seconds since 1970.
    init(time: Int) {
        self.time = UInt32(clamping: time)
    }

    /// Adds a folder, and those above it.
    mutating func folder(_ path: String) {
        for parent in SystemTree.parents(of: path) + [path] where folders.insert(parent).inserted {
            entry(parent, mode: 0o040755, links: 2, [])
        }
    }

    /// Adds a file, and the folders above it.
    mutating func file(_ path: String, _ content: [UInt8], mode: UInt32 = 0o644) {
        if let parent = SystemTree.parents(of: path).last { folder(parent) }
        entry(path, mode: 0o100000 | mode, links: 1, content)
    }

    /// Adds a character device.
    mutating func device(_ path: String, major: UInt32, minor: UInt32, mode: UInt32) {
        if let parent = SystemTree.parents(of: path).last { folder(parent) }
        entry(path, mode: 0o020000 | mode, links: 1, [], major: major, minor: minor)
    }

    /// Ends the archive and returns it.
    consuming func finish() -> [UInt8] {
        number = 0
        entry("TRAILER!!!", mode: 0, links: 1, [])
        bytes += [UInt8](repeating: 0, count: (512 - bytes.count % 512) % 512)
        return bytes
    }

    private mutating func entry(
        _ path: String, mode: UInt32, links: UInt32, _ content: [UInt8], major: UInt32 = 0, minor: UInt32 = 0
    ) {
        number += 1
        let isTrailer = path == "TRAILER!!!"
        let fields: [UInt32] = [
            isTrailer ? 0 : number, mode, 0, 0, links, isTrailer ? 0 : time, UInt32(content.count), 0, 0, major, minor,
            UInt32(path.utf8.count + 1), 0,
        ]
        bytes += Array("070701".utf8)
        for field in fields {
            let digits = String(field, radix: 16)
            bytes += Array((String(repeating: "0", count: 8 - digits.count) + digits).utf8)
        }
        bytes += Array(path.utf8) + [0]
        pad()
        bytes += content
        pad()
    }

    private mutating func pad() {
        bytes += [UInt8](repeating: 0, count: (4 - bytes.count % 4) % 4)
    }
}
