// SPDX-License-Identifier: GPL-3.0-or-later
import Foundation
import SystemPackage

/// What a UEFI firmware keeps: the variables in its flash memory.
///
/// See: edk2's MdeModulePkg/Include/Guid/VariableFormat.h, the Platform Initialization Specification on firmware volumes.
public struct FirmwareVariables: Sendable, Hashable {
    /// A variable's name and owner.
    public struct Name: Sendable, Hashable, Comparable, CustomStringConvertible {
        /// Its name.
        public let name: String
        /// Whose it is, as 32 hexadecimal digits in the order of the bytes.
        public let owner: String

        /// Name and owner.
        public var description: String { "\(name) (\(owner.prefix(8)))" }

        /// By name.
        public static func < (one: Name, other: Name) -> Bool {
            (one.name, one.owner) < (other.name, other.owner)
        }
    }

    /// The content of each variable that is valid, with its attributes before it.
    public let values: [Name: [UInt8]]

    /// Reads the flash memory's bytes.
    ///
    /// - Throws: `ForensicsFailure` when they are no store of variables.
    public init(parsing bytes: [UInt8]) throws {
        func bad(_ what: String) -> ForensicsFailure {
            ForensicsFailure(.badStore, "The firmware's store of variables cannot be read: \(what).")
        }
        func number(at place: Int, _ size: Int) throws -> Int {
            guard place >= 0, place + size <= bytes.count else { throw bad("it ends too soon") }
            return (0..<size).reduce(0) { $0 | Int(bytes[place + $1]) << (8 * $1) }
        }
        guard bytes.count > 128, Array(bytes[40..<44]) == Array("_FVH".utf8) else {
            throw bad("no volume begins there")
        }
        guard try number(at: 32, 8) <= bytes.count else { throw bad("it ends too soon") }
        let start = try number(at: 48, 2)
        let end = min(start + (try number(at: start + 16, 4)), bytes.count)
        var place = start + 28
        var values: [Name: [UInt8]] = [:]
        while place + 60 <= end, try number(at: place, 2) == 0x55AA {
            let state = bytes[place + 2]
            let nameSize = try number(at: place + 36, 4)
            let dataSize = try number(at: place + 40, 4)
            let next = place + 60 + nameSize + dataSize
            guard nameSize <= end, dataSize <= end, next <= end else { throw bad("a variable is longer than it") }
            // Added, and added while an older one of its name is on its way out.
            if state == 0x3F || state == 0x3E {
                let name = stride(from: place + 60, to: place + 60 + nameSize - 2, by: 2).map {
                    UInt16(bytes[$0]) | UInt16(bytes[$0 + 1]) << 8
                }
                let owner = bytes[place + 44..<place + 60].map { String(format: "%02x", $0) }.joined()
                let key = Name(name: String(decoding: name, as: UTF16.self), owner: owner)
                values[key] = Array(bytes[place + 4..<place + 8]) + bytes[(place + 60 + nameSize)..<next]
            }
            place = (next + 3) / 4 * 4
        }
        self.values = values
    }

    /// Which variables were added, removed or given another content.
    public func changes(to later: FirmwareVariables) -> [Name] {
        Set(values.keys).union(later.values.keys).filter { values[$0] != later.values[$0] }.sorted()
    }
}

extension Machine {
    /// Reads the firmware's variables, while the guest runs or after its end.
    ///
    /// - Returns: Nothing on a machine without UEFI.
    /// - Throws: `MachineFailure`, `ForensicsFailure` when the store cannot be read.
    public func firmwareVariables() async throws -> FirmwareVariables? {
        guard let firmware = arguments.firmware else { return nil }
        func size(_ path: FilePath) throws -> Int {
            let attributes = try FileManager.default.attributesOfItem(atPath: path.string)
            return (attributes[.size] as? NSNumber)?.intValue ?? 0
        }
        // The flash memory ends at 4 GiB: the variables, then the program. See: QEMU's hw/i386/pc_sysfw.c.
        let end = (4 << 30) - (try size(firmware.code))
        let path = folder.appending("variables")
        defer { try? FileManager.default.removeItem(atPath: path.string) }
        try await dump((end - (try size(firmware.variables)))..<end, to: path.absolute)
        return try FirmwareVariables(parsing: Array(try Data(contentsOf: URL(fileURLWithPath: path.string))))
    }

    /// How often the hardware clock was set after a time: UEFI firmware itself sets it when it starts.
    ///
    /// - Parameter time: Seconds since 1970 by the maker's clock.
    /// - Returns: How often.
    public func clockChanges(after time: Double) -> Int { events.count { $0.name == "RTC_CHANGE" && $0.time > time } }

    /// When the guest's kernel took over from the firmware, in seconds since 1970 by the maker's clock.
    ///
    /// - Returns: The time.
    /// - Throws: `ShellFailure`.
    public func kernelStart() async throws -> Double {
        let text = try await shell.output("cat /proc/uptime")
        let uptime = text.split(separator: " ").first.flatMap { Double($0) } ?? 0
        return Date().timeIntervalSince1970 - uptime
    }

    /// Whether the screen shows nothing: every point is black.
    ///
    /// - Throws: `MachineFailure` when it cannot be photographed.
    public func isScreenDark() async throws -> Bool {
        let path = folder.appending("screen.ppm")
        defer { try? FileManager.default.removeItem(atPath: path.string) }
        try await execute("screendump", ["filename": .string(path.absolute.string)])
        // A header of three lines, then three bytes a point. See: ppm(5).
        let data = try Data(contentsOf: URL(fileURLWithPath: path.string))
        let newlines = data.prefix(64).indices.filter { data[$0] == 10 }
        guard newlines.count >= 3, newlines[2] + 2 < data.count else { return false }
        let points = data[(newlines[2] + 1)...]
        return points.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress, bytes[0] == 0 else { return false }
            return memcmp(base, base + 1, bytes.count - 1) == 0
        }
    }
}
