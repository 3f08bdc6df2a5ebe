// SPDX-License-Identifier: GPL-3.0-or-later
import Commands
import Foundation
import SystemPackage

/// The program in `Tests/Probe` that tries to get round the walls by every means: compiled here, run in a guest or in a
/// namespace of the sandbox. It is in no image.
public struct Probe: Sendable {
    /// One thing that it tried.
    public struct Attempt: Sendable, Hashable, CustomStringConvertible {
        /// What came of it.
        public enum Outcome: String, Sendable, Hashable {
            /// The kernel or the firewall said no.
            case refused
            /// Nobody said no; whether something left, the capture says.
            case sent
            /// Somebody answered.
            case answered
            /// A setting of the namespace was changed.
            case changed
            /// The probe could not put something back.
            case failed
        }

        /// What came of it.
        public let outcome: Outcome
        /// How long it took.
        public let milliseconds: Int
        /// What was tried.
        public let name: String
        /// The error's name, or what was answered.
        public let detail: String

        /// One line.
        public var description: String {
            "\(outcome.rawValue) \(name)\(detail.isEmpty ? "" : ": \(detail)") (\(milliseconds) ms)"
        }
    }

    /// What a computer without walls lets out when the probe runs on it as root: everything that the judge has a name for,
    /// but doubts about the capture itself, and the timestamps of TCP, which are judged on demand only.
    public static let leaks = Set(Finding.Kind.allCases).subtracting([.captureIncomplete, .tcpTimestamp])

    private static let place = GuestProgram.Place(name: "probe")
    /// The program in a guest.
    public static let guestPath = place.path
    private let guestProgram: GuestProgram

    /// Compiles it; takes about a second.
    ///
    /// - Parameters:
    ///   - source: The folder `Tests/Probe` of the project.
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

    /// Reads what it wrote.
    ///
    /// - Returns: The attempts in their order.
    /// - Throws: `NetworkFailure` when it did not come to its end: it crashed, was killed, or could not be started.
    public static func attempts(in text: String) throws -> [Attempt] {
        let lines = text.split(separator: "\n")
        guard lines.last == "end" else {
            throw NetworkFailure(
                .unexpectedOutput,
                "The probe did not come to its end. Its last words: \(lines.suffix(5).joined(separator: " / "))")
        }
        return lines.compactMap { line in
            let words = line.split(separator: "\t", omittingEmptySubsequences: false)
            guard words.count == 4, let outcome = Attempt.Outcome(rawValue: String(words[0])), let time = Int(words[1])
            else { return nil }
            return Attempt(outcome: outcome, milliseconds: time, name: String(words[2]), detail: String(words[3]))
        }
    }
}

extension [Probe.Attempt] {
    /// A line for each kind of result, for a person.
    public var summary: String {
        let counts = reduce(into: [:]) { $0[$1.outcome.rawValue, default: 0] += 1 }
        let slowest = self.max { $0.milliseconds < $1.milliseconds }
        let words = counts.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }.joined(separator: ", ")
        return "\(count) attempts: \(words); the slowest: \(slowest.map { "\($0)" } ?? "none")"
    }
}
