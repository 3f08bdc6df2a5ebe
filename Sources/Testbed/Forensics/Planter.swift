// SPDX-License-Identifier: GPL-3.0-or-later
import Commands
import Foundation
import SystemPackage

/// The program in `Tests/Planter` that fills every kind of memory with markers: compiled here, run in a guest. It is in no image.
public struct Planter: Sendable {
    /// What came of a crop.
    public struct Planted: Sendable, Hashable, CustomStringConvertible {
        /// The crop's name.
        public let name: String
        /// How many records are there.
        public let count: Int
        /// The error's name when it could not be all of them.
        public let trouble: String?

        /// One line.
        public var description: String { "\(name): \(count)" + (trouble.map { " (\($0))" } ?? "") }
    }

    private static let place = GuestProgram.Place(name: "planter")
    /// The program in a guest.
    public static let guestPath = place.path
    private let guestProgram: GuestProgram

    /// Compiles it; takes about a second.
    ///
    /// - Parameters:
    ///   - source: The folder `Tests/Planter` of the project.
    ///   - program: The program to be made; its folder has to exist.
    /// - Throws: `CommandFailure` with the compiler's words.
    public init(source: FilePath, program: FilePath) async throws {
        guestProgram = try await GuestProgram(source: source, file: program, place: Self.place)
    }

    /// The compiled program.
    public var program: FilePath { guestProgram.file }

    /// Brings it into a guest through the root shell, unless it is there.
    ///
    /// - Throws: `CommandFailure`, `ShellFailure`.
    public func install(in shell: GuestShell) async throws { try await guestProgram.install(in: shell) }

    /// Plants; processes that hold what they planted stay behind in the guest.
    ///
    /// - Parameters:
    ///   - crops: What is planted.
    ///   - shell: The guest's root shell.
    ///   - timeout: How long it may take.
    /// - Returns: What came of each.
    /// - Throws: `ShellFailure`; `ForensicsFailure` when the planter did not come to its end.
    public func plant(
        _ crops: [Crop], in shell: GuestShell, timeout: Duration = .seconds(180)
    ) async throws -> [Planted] {
        try await install(in: shell)
        let lines = crops.map(\.line).joined(separator: "\n")
        let text = try await shell.output("\(Self.guestPath) plant <<'END'\n\(lines)\nEND", timeout: timeout)
        return try Self.results(in: text)
    }

    /// Opens a disk as an encrypted one, with dm-crypt itself (the image may have no tool for it).
    ///
    /// - Parameters:
    ///   - device: The disk or partition in the guest.
    ///   - key: 32 bytes for AES-128-XTS.
    ///   - shell: The guest's root shell.
    /// - Returns: The device with the content in clear.
    /// - Throws: `ShellFailure`; `ForensicsFailure` when it cannot be opened.
    public func openEncrypted(_ device: String, key: [UInt8], in shell: GuestShell) async throws -> String {
        try await install(in: shell)
        let digits = key.map { String(format: "%02x", $0) }.joined()
        let text = try await shell.output(
            "modprobe -q dm-crypt; \(Self.guestPath) decrypt <<'END'\nencrypted vault 0 \(digits) \(device)\nEND")
        guard let path = text.split(separator: "\n").last, path.hasPrefix("/dev/") else {
            throw ForensicsFailure(.noPlanting, "The guest cannot open an encrypted disk: \(text)")
        }
        return String(path)
    }

    /// Reads what it wrote.
    ///
    /// - Throws: `ForensicsFailure` when it did not come to its end: it crashed, was killed, or could not be started.
    public static func results(in text: String) throws -> [Planted] {
        let lines = text.split(separator: "\n")
        guard lines.last == "end" else {
            throw ForensicsFailure(
                .noPlanting,
                "The planter did not come to its end. Its last words: \(lines.suffix(5).joined(separator: " / "))")
        }
        return lines.compactMap { line in
            let words = line.split(separator: "\t").map(String.init)
            guard words.count >= 3, ["planted", "failed"].contains(words[0]), let count = Int(words[2]) else {
                return nil
            }
            return Planted(name: words[1], count: count, trouble: words.count > 3 ? words[3] : nil)
        }
    }
}

/// Why traces could not be looked for.
public struct ForensicsFailure: Error, Sendable, CustomStringConvertible {
    /// The kind of failure, for programs.
    public enum Code: Sendable {
        /// No session came to be in which something could be planted.
        case noSession
        /// Nothing or too little was planted.
        case noPlanting
        /// A tool for disks is missing.
        case missingTool
        /// The firmware's store cannot be read.
        case badStore
        /// The machine did not end as it should.
        case noEnd
    }

    /// The kind of failure.
    public let code: Code
    /// The failure for a person.
    public let description: String

    init(_ code: Code, _ description: String) {
        self.code = code
        self.description = description
    }
}
