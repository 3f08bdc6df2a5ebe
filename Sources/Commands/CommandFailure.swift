// SPDX-License-Identifier: GPL-3.0-or-later
import SystemPackage

/// A tool that did not do its work: which, how it ended, its last words, and where the rest of them is.
public struct CommandFailure: Error, CustomStringConvertible {
    /// What was run.
    public let command: Command
    /// How it ended, as the end of a sentence: "ended with status 1".
    public let status: String
    /// The last lines that it wrote.
    public let lastLines: [String]
    /// The file with all that it wrote, where there is one.
    public let log: FilePath?

    /// The failure for a person.
    public var description: String {
        var text = "\(command.executable) \(status)."
        if !lastLines.isEmpty {
            text += "\n" + lastLines.map { "    \($0)" }.joined(separator: "\n")
        }
        text += "\nIt was run as: \(command.line)"
        if let log {
            text += "\nAll that it wrote is in \(log)."
        }
        return text
    }
}
