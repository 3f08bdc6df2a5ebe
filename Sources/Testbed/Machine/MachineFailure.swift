// SPDX-License-Identifier: GPL-3.0-or-later
import SystemPackage

/// Why a machine could not be made, or did not do what was waited for.
public struct MachineFailure: Error, Sendable, CustomStringConvertible {
    /// The kind of failure, for programs.
    public enum Code: Sendable {
        /// The description cannot be a machine.
        case badDescription
        /// The folder cannot hold the machine's sockets.
        case badFolder
        /// The firmware is not installed.
        case missingFirmware
        /// A drive's image is not there.
        case missingImage
        /// QEMU ended, or never began.
        case ended
        /// QEMU refused a command.
        case refused
        /// What was waited for did not come.
        case timedOut
        /// The machine has no such part.
        case noSuchPart
        /// A text cannot be typed or matched.
        case badText
    }

    /// The kind of failure.
    public let code: Code
    /// What happened, in a sentence or two.
    public let message: String
    /// The last lines of the serial console, or of QEMU's own messages.
    public var lastLines: [String] = []
    /// A picture of the screen when it happened.
    public var screenshot: FilePath?
    /// A file with more.
    public var log: FilePath?

    init(_ code: Code, _ message: String, lastLines: [String] = [], screenshot: FilePath? = nil, log: FilePath? = nil) {
        self.code = code
        self.message = message
        self.lastLines = lastLines
        self.screenshot = screenshot
        self.log = log
    }

    /// The failure for a person.
    public var description: String {
        var text = message
        if !lastLines.isEmpty { text += "\n" + lastLines.map { "    \($0)" }.joined(separator: "\n") }
        if let screenshot { text += "\nThe screen at that moment: \(screenshot)" }
        if let log { text += "\nAll that was written is in \(log)." }
        return text
    }
}
