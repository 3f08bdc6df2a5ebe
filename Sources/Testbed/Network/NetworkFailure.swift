// SPDX-License-Identifier: GPL-3.0-or-later
import Foundation
import SystemPackage

/// Why a part of the private network did not come up or did not do its work.
public struct NetworkFailure: Error, CustomStringConvertible {
    /// The kind of failure, for programs.
    public enum Code: Sendable {
        /// A tap device could not be made.
        case tap
        /// A name cannot name an interface.
        case badName
        /// A server ended before it was asked to.
        case ended
        /// Something was not reached in time.
        case timeout
        /// A program wrote something that was not expected of it.
        case unexpectedOutput
    }

    /// The kind of failure.
    public let code: Code
    /// The failure for a person.
    public let description: String

    init(_ code: Code, _ description: String) {
        self.code = code
        self.description = description
    }

    /// A failure that shows the last lines of a log.
    init(_ code: Code, _ sentence: String, log: FilePath) {
        let lines = Self.tail(of: log).map { "\n    \($0)" }.joined()
        let end = lines.isEmpty ? "Its log \(log) is empty." : "The end of \(log):\(lines)"
        self.init(code, "\(sentence) \(end)")
    }

    private static func tail(of log: FilePath) -> [Substring] {
        guard let text = try? String(contentsOfFile: log.string, encoding: .utf8) else { return [] }
        return text.split(whereSeparator: \.isNewline).suffix(12)
    }
}
