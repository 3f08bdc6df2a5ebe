// SPDX-License-Identifier: GPL-3.0-or-later
import Foundation
import SystemPackage

/// A capture file in the classic format, as `tcpdump -w` writes it: both byte orders, micro- and nanoseconds.
///
/// Nothing in the file is trusted. A record that is cut or lies about its length ends the reading with an error or, at the
/// end of the file (tcpdump was killed in the middle of a write), with `isCut`. See `man 5 pcap-savefile`.
public struct PcapFile: Sendable {
    /// The frames in the order of the file.
    public let frames: [CapturedFrame]
    /// Whether the file ends in the middle of a record.
    public let isCut: Bool

    /// The longest record that is taken: more than any frame of any Ethernet.
    static let longestRecord = 262_144

    /// Reads a capture file.
    ///
    /// - Throws: `PcapError`, or Foundation's error when the file cannot be read.
    public init(readingFrom path: FilePath) throws {
        try self.init(Data(contentsOf: URL(fileURLWithPath: path.string)), name: path.string)
    }

    /// Reads the bytes of a capture file.
    ///
    /// - Parameters:
    ///   - bytes: The whole file.
    ///   - name: What errors call it.
    /// - Throws: `PcapError` when it is no capture of Ethernet frames, or a record in it cannot be.
    public init(_ bytes: some Collection<UInt8>, name: String = "capture") throws {
        var cursor = ByteCursor(bytes)
        guard let magic = cursor.big32() else { throw PcapError(file: name, reason: "has no header") }
        let little: Bool
        let nanoseconds: Bool
        switch magic {
        case 0xA1B2_C3D4: (little, nanoseconds) = (false, false)
        case 0xD4C3_B2A1: (little, nanoseconds) = (true, false)
        case 0xA1B2_3C4D: (little, nanoseconds) = (false, true)
        case 0x4D3C_B2A1: (little, nanoseconds) = (true, true)
        case 0x0A0D_0D0A: throw PcapError(file: name, reason: "is in the pcapng format; write it with tcpdump -w")
        default: throw PcapError(file: name, reason: "does not begin as a capture file does")
        }
        guard let major = cursor.half(littleEndian: little), cursor.take(2) != nil, cursor.take(8) != nil,
            cursor.take(4) != nil, let link = cursor.word(littleEndian: little)
        else { throw PcapError(file: name, reason: "has a header that is cut") }
        guard major == 2 else { throw PcapError(file: name, reason: "has version \(major), not 2") }
        // The upper bits of the link type tell the length of a checksum that the frames carry.
        guard link & 0xFFFF == 1, link >> 28 == 0 else {
            throw PcapError(file: name, reason: "holds link type \(link), not Ethernet (1)")
        }
        var frames: [CapturedFrame] = []
        var isCut = false
        while !cursor.isAtEnd {
            guard let seconds = cursor.word(littleEndian: little), let fraction = cursor.word(littleEndian: little),
                let length = cursor.word(littleEndian: little), let original = cursor.word(littleEndian: little)
            else {
                isCut = true
                break
            }
            guard length <= Self.longestRecord else {
                throw PcapError(file: name, reason: "has a record of \(length) bytes after \(frames.count) frames")
            }
            guard let data = cursor.take(Int(length)) else {
                isCut = true
                break
            }
            let time = UInt64(seconds) * 1_000_000_000 + UInt64(fraction) * (nanoseconds ? 1 : 1000)
            frames.append(CapturedFrame(nanoseconds: time, bytes: Array(data), originalLength: Int(original)))
        }
        self.frames = frames
        self.isCut = isCut
    }

    /// The bytes of a capture file with the given frames: little endian, nanoseconds.
    public static func encode(_ frames: [CapturedFrame]) -> [UInt8] {
        var bytes: [UInt8] = []
        func append(_ value: UInt32) { bytes += withUnsafeBytes(of: value.littleEndian) { Array($0) } }
        append(0xA1B2_3C4D)
        append(0x0004_0002)
        append(0)
        append(0)
        append(UInt32(longestRecord))
        append(1)
        for frame in frames {
            append(UInt32(truncatingIfNeeded: frame.nanoseconds / 1_000_000_000))
            append(UInt32(frame.nanoseconds % 1_000_000_000))
            append(UInt32(truncatingIfNeeded: frame.bytes.count))
            append(UInt32(truncatingIfNeeded: frame.originalLength))
            bytes += frame.bytes
        }
        return bytes
    }
}

/// A capture file that cannot be read.
public struct PcapError: Error, Sendable, CustomStringConvertible {
    /// The file.
    public let file: String
    /// What is wrong, as the end of a sentence.
    public let reason: String

    /// The error for a person.
    public var description: String {
        "The capture '\(file)' \(reason). No verdict can rest on it: capture again."
    }
}
