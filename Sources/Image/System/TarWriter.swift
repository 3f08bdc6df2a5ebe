// SPDX-License-Identifier: GPL-3.0-or-later
import Foundation
import SystemPackage

/// Writes a tree as a tar archive in the pax format, the same bytes for the same tree.
///
/// Only what is needed is written as a pax record (long names, extended attributes), and names of users and groups are left
/// out, so that nothing of the machine gets in.
struct TarWriter: ~Copyable {
    private let output: FileDescriptor
    private let source: Data
    private var buffer: [UInt8] = []
    /// Where each content of the source archive was written first: what comes again is a hard link.
    private var written: [Int: String] = [:]

    /// Opens the file to write; `source` is the archive in which `.archived` contents lie.
    init(to path: FilePath, source: Data) throws {
        output = try FileDescriptor.open(
            path, .writeOnly, options: [.create, .truncate, .closeOnExec],
            permissions: [.ownerReadWrite, .groupRead, .otherRead])
        self.source = source
        buffer.reserveCapacity(2 << 20)
    }

    /// Appends an entry; a folder has to come before what is in it.
    mutating func append(_ path: String, _ entry: TarEntry) throws {
        var records: [(String, [UInt8])] = entry.attributes.sorted { $0.key < $1.key }
            .map { ("SCHILY.xattr.\($0.key)", $0.value) }
        var type = UInt8(ascii: "0")
        var target = ""
        var size = 0
        switch entry.kind {
        case .folder: type = UInt8(ascii: "5")
        case .link(let text):
            type = UInt8(ascii: "2")
            target = text
        case .file:
            size = entry.content.length
            if case .archived(let offset, let length) = entry.content, length > 0 {
                if let first = written[offset] {
                    type = UInt8(ascii: "1")
                    target = "./" + first
                    size = 0
                } else {
                    written[offset] = path
                }
            }
        }
        let name = "./" + path + (entry.kind == .folder && !path.isEmpty ? "/" : "")
        if name.utf8.count > 100 { records.append(("path", Array(name.utf8))) }
        if target.utf8.count > 100 { records.append(("linkpath", Array(target.utf8))) }
        if !records.isEmpty {
            let body = records.flatMap { Self.record($0.0, $0.1) }
            try header("./PaxHeaders/entry", entry, type: UInt8(ascii: "x"), size: body.count, target: "")
            try write(body)
            try pad(body.count)
        }
        try header(name, entry, type: type, size: size, target: target)
        guard size > 0 else { return }
        switch entry.content {
        case .bytes(let bytes): try write(bytes)
        case .archived(let offset, let length): try write(source[offset..<offset + length])
        case .file(let path, let length):
            let data = try Data(contentsOf: URL(filePath: path.string), options: .alwaysMapped)
            guard data.count == length else {
                throw TarError(archive: path, offset: 0, problem: "The file changed while it was read.")
            }
            try write(data)
        }
        try pad(size)
    }

    /// Ends the archive.
    consuming func finish() throws {
        try write([UInt8](repeating: 0, count: 1024))
        try flush()
        try output.close()
    }

    private mutating func header(_ name: String, _ entry: TarEntry, type: UInt8, size: Int, target: String) throws {
        var block = [UInt8](repeating: 0, count: 512)
        func put(_ text: some Sequence<UInt8>, _ start: Int, _ length: Int) {
            for (index, byte) in text.prefix(length).enumerated() { block[start + index] = byte }
        }
        func octal(_ value: Int, _ start: Int, _ length: Int) {
            let digits = String(value, radix: 8)
            put((String(repeating: "0", count: max(0, length - 1 - digits.count)) + digits).utf8, start, length - 1)
        }
        put(name.utf8, 0, 100)
        octal(Int(entry.mode), 100, 8)
        octal(Int(entry.uid), 108, 8)
        octal(Int(entry.gid), 116, 8)
        octal(size, 124, 12)
        octal(entry.time, 136, 12)
        put([UInt8](repeating: UInt8(ascii: " "), count: 8), 148, 8)
        block[156] = type
        put(target.utf8, 157, 100)
        put("ustar\u{0}00".utf8, 257, 8)
        octal(0, 329, 8)
        octal(0, 337, 8)
        let sum = block.reduce(0) { $0 + Int($1) }
        let digits = String(sum, radix: 8)
        put((String(repeating: "0", count: 6 - digits.count) + digits + "\u{0} ").utf8, 148, 8)
        try write(block)
    }

    private static func record(_ key: String, _ value: [UInt8]) -> [UInt8] {
        let rest = Array(" \(key)=".utf8) + value + [UInt8(ascii: "\n")]
        // The length counts its own digits.
        var length = rest.count + 1
        while String(length).utf8.count + rest.count != length { length += 1 }
        return Array(String(length).utf8) + rest
    }

    private mutating func pad(_ size: Int) throws {
        let rest = (512 - size % 512) % 512
        if rest > 0 { try write([UInt8](repeating: 0, count: rest)) }
    }

    private mutating func write(_ bytes: some Collection<UInt8>) throws {
        if bytes.count > 1 << 20 {
            try flush()
            if let wrote = try bytes.withContiguousStorageIfAvailable({ try output.writeAll($0) }) {
                _ = wrote
                return
            }
        }
        buffer.append(contentsOf: bytes)
        if buffer.count > 1 << 20 { try flush() }
    }

    private mutating func flush() throws {
        try output.writeAll(buffer)
        buffer.removeAll(keepingCapacity: true)
    }
}
