// SPDX-License-Identifier: GPL-3.0-or-later
import Foundation
import SystemPackage

/// Reads the table of a tar archive in the pax format (POSIX.1-2017, pax, "ustar Interchange Format" and "pax Header
/// Block"), with GNU's long names.
///
/// Device nodes and the like are left out: the image's `/dev` is the kernel's.
struct TarReader {
    let archive: FilePath
    let data: Data

    init(_ archive: FilePath) throws {
        self.archive = archive
        data = try Data(contentsOf: URL(filePath: archive.string), options: .alwaysMapped)
    }

    /// The entries by their paths, without leading `./` and slashes at either end; the root is the empty path.
    func entries() throws -> [String: TarEntry] {
        try data.withUnsafeBytes { bytes in try Scan(archive: archive, bytes: bytes).entries() }
    }
}

private struct Scan {
    let archive: FilePath
    let bytes: UnsafeRawBufferPointer

    func entries() throws -> [String: TarEntry] {
        var result: [String: TarEntry] = [:]
        var offset = 0
        var records: [String: [UInt8]] = [:]
        while offset + 512 <= bytes.count {
            if bytes[offset] == 0 { break }
            let type = bytes[offset + 156]
            let size =
                try records["size"].map { try number(records: $0, at: offset) } ?? number(offset + 124, 12)
            let content = offset + 512
            guard size >= 0, content + size <= bytes.count else { throw error(offset, "The entry is cut short.") }
            let next = content + (size + 511) / 512 * 512
            defer { offset = next }
            switch type {
            case UInt8(ascii: "x"):
                records.merge(try paxRecords(content, size)) { _, new in new }
                continue
            case UInt8(ascii: "g"):
                continue
            case UInt8(ascii: "L"):
                records["path"] = Array(bytes[content..<content + size].prefix { $0 != 0 })
                continue
            case UInt8(ascii: "K"):
                records["linkpath"] = Array(bytes[content..<content + size].prefix { $0 != 0 })
                continue
            default:
                break
            }
            defer { records = [:] }
            let path = try clean(
                records["path"].map { String(decoding: $0, as: UTF8.self) } ?? headerPath(offset), offset)
            let link = records["linkpath"].map { String(decoding: $0, as: UTF8.self) } ?? text(offset + 157, 100)
            var entry = TarEntry(
                kind: .file, mode: UInt16(truncatingIfNeeded: try number(offset + 100, 8) & 0o7777),
                uid: UInt32(truncatingIfNeeded: try number(offset + 108, 8)),
                gid: UInt32(truncatingIfNeeded: try number(offset + 116, 8)), time: try number(offset + 136, 12))
            for (name, value) in records where name.hasPrefix("SCHILY.xattr.") {
                entry.attributes[String(name.dropFirst("SCHILY.xattr.".count))] = value
            }
            switch type {
            case UInt8(ascii: "0"), 0:
                entry.content = .archived(offset: content, length: size)
            case UInt8(ascii: "1"):
                guard let target = result[try clean(link, offset)] else {
                    throw error(
                        offset, "'\(path)' is a hard link to '\(link)', which the archive does not have before it.")
                }
                entry.content = target.content
            case UInt8(ascii: "2"):
                entry.kind = .link(link)
            case UInt8(ascii: "5"):
                entry.kind = .folder
            default:
                continue
            }
            result[path] = entry
        }
        return result
    }

    private func paxRecords(_ start: Int, _ size: Int) throws -> [String: [UInt8]] {
        var result: [String: [UInt8]] = [:]
        var at = start
        let end = start + size
        while at < end {
            var length = 0
            var digit = at
            while digit < end, bytes[digit] != UInt8(ascii: " ") {
                guard (48...57).contains(bytes[digit]), length < 1 << 30 else {
                    throw error(at, "A damaged pax record.")
                }
                length = length * 10 + Int(bytes[digit] - 48)
                digit += 1
            }
            guard length > digit - at + 2, at + length <= end else { throw error(at, "A damaged pax record.") }
            let record = bytes[(digit + 1)..<(at + length - 1)]
            guard let equals = record.firstIndex(of: UInt8(ascii: "=")) else {
                throw error(at, "A damaged pax record.")
            }
            result[String(decoding: record[record.startIndex..<equals], as: UTF8.self)] = Array(record[(equals + 1)...])
            at += length
        }
        return result
    }

    private func headerPath(_ offset: Int) -> String {
        let name = text(offset, 100)
        let isUstar = text(offset + 257, 5) == "ustar" && bytes[offset + 262] == 0
        let prefix = isUstar ? text(offset + 345, 155) : ""
        return prefix.isEmpty ? name : prefix + "/" + name
    }

    private func clean(_ path: String, _ offset: Int) throws -> String {
        let segments = path.split(separator: "/").filter { $0 != "." }
        if segments.contains("..") { throw error(offset, "The path '\(path)' leaves the tree.") }
        return segments.joined(separator: "/")
    }

    private func text(_ start: Int, _ length: Int) -> String {
        String(decoding: bytes[start..<start + length].prefix { $0 != 0 }, as: UTF8.self)
    }

    private func number(_ start: Int, _ length: Int) throws -> Int {
        // GNU's base-256 form is used for numbers that do not fit; none of ours may be so large.
        guard bytes[start] & 0x80 == 0 else { throw error(start, "A number that is too large.") }
        let digits = text(start, length).trimmingCharacters(in: .whitespaces)
        guard let value = digits.isEmpty ? 0 : Int(digits, radix: 8) else {
            throw error(start, "'\(digits)' is not an octal number.")
        }
        return value
    }

    private func number(records text: [UInt8], at offset: Int) throws -> Int {
        guard let value = Int(String(decoding: text, as: UTF8.self)) else { throw error(offset, "A damaged size.") }
        return value
    }

    private func error(_ offset: Int, _ problem: String) -> TarError {
        TarError(archive: archive, offset: offset, problem: problem)
    }
}
