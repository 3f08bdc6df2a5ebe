// SPDX-License-Identifier: GPL-3.0-or-later
import Linux

/// What was wrong with bytes that should have been Tor's control protocol. After it nothing more of the connection can be trusted.
public enum ProtocolFailure: Error, Hashable, Sendable, CustomStringConvertible {
    /// A line of more bytes than the limit.
    case longLine(limit: Int)
    /// A reply of more lines than the limit.
    case manyLines(limit: Int)
    /// A reply of more bytes than the limit.
    case longReply(limit: Int)
    /// A line that ends without carriage return.
    case bareLineFeed
    /// A line that does not start with a status and one of `-`, `+` and a space.
    case malformedLine
    /// An event began within a reply, or a reply within an event.
    case mixedReply
    /// A reply to nothing that was asked.
    case unasked

    /// A sentence.
    public var description: String {
        switch self {
        case .longLine(let limit): "Tor's control port sent a line of more than \(limit) bytes."
        case .manyLines(let limit): "Tor's control port sent a reply of more than \(limit) lines."
        case .longReply(let limit): "Tor's control port sent a reply of more than \(limit) bytes."
        case .bareLineFeed: "Tor's control port sent a line that does not end as lines do there."
        case .malformedLine: "Tor's control port sent a line without a status."
        case .mixedReply: "Tor's control port mixed an event and a reply."
        case .unasked: "Tor's control port sent a reply that nobody asked for."
        }
    }
}

/// A command that cannot be put in words of the protocol; nothing was sent.
public enum CommandFailure: Error, Hashable, Sendable, CustomStringConvertible {
    /// A keyword, key or name with characters outside its alphabet.
    case badWord(String)
    /// A value with a control character.
    case badValue(of: String)
    /// A command of more bytes than Tor or this library accept.
    case longCommand(limit: Int)

    /// A sentence without the offending text's control characters.
    public var description: String {
        switch self {
        case .badWord(let word): "'\(word.printable)' is no word of Tor's control protocol. Nothing was sent."
        case .badValue(let key): "The value of '\(key.printable)' has a control character in it. Nothing was sent."
        case .longCommand(let limit): "A command to Tor may have at most \(limit) bytes. Nothing was sent."
        }
    }
}

/// Why a request to Tor did not succeed.
public enum ControlFailure: Error, Hashable, Sendable, CustomStringConvertible {
    /// Nothing listens there, or this account may not connect: Tor does not run, or just starts.
    case unreachable(SystemCallFailure)
    /// The cookie that proves that this account may control Tor cannot be read.
    case noCookie(SystemCallFailure)
    /// Tor did not accept the cookie, or the file is not one.
    case notAuthenticated(String)
    /// Tor refused the request: its status and words.
    case refused(status: Int, text: String)
    /// The connection ended before the answer came.
    case ended(EndReason)
    /// No answer within the time allowed.
    case noAnswer
    /// More requests are waiting for an answer than are allowed.
    case tooManyRequests
    /// The answer has not the form that the request must get.
    case unexpectedAnswer(String)

    /// A sentence.
    public var description: String {
        switch self {
        case .unreachable(let cause): "Tor's control port cannot be reached: Tor is not running. (\(cause))"
        case .noCookie(let cause): "The key to Tor's control port cannot be read. (\(cause))"
        case .notAuthenticated(let text): "Tor did not accept the key to its control port: \(text)"
        case .refused(let status, let text): "Tor refused: \(text) (\(status))"
        case .ended(let reason): "The connection to Tor's control port ended. \(reason)"
        case .noAnswer: "Tor's control port did not answer in time."
        case .tooManyRequests: "Too many questions to Tor are waiting for an answer."
        case .unexpectedAnswer(let what): "Tor's answer to '\(what)' is not understood."
        }
    }
}

/// Why a connection to Tor's control port is no more.
public enum EndReason: Hashable, Sendable, CustomStringConvertible {
    /// This program closed it.
    case closed
    /// Tor closed it: it stopped, crashed or was restarted.
    case torGone
    /// The socket failed.
    case socket(SystemCallFailure)
    /// What came was not the protocol.
    case protocolFailure(ProtocolFailure)

    /// A sentence.
    public var description: String {
        switch self {
        case .closed: "This program closed it."
        case .torGone: "Tor stopped."
        case .socket(let failure): "\(failure)"
        case .protocolFailure(let failure): "\(failure)"
        }
    }
}

extension String {
    /// The text with every control character replaced, so that it can be shown on a terminal or written to a log.
    public var printable: String {
        guard unicodeScalars.contains(where: { $0.isControl }) else { return self }
        var text = String.UnicodeScalarView()
        text.append(contentsOf: unicodeScalars.lazy.map { $0.isControl ? "\u{FFFD}" : $0 })
        return String(text)
    }
}

extension Unicode.Scalar {
    /// C0, DEL, C1, and the marks that turn the direction of text, which can make a line read as another.
    var isControl: Bool {
        switch value {
        case 0..<0x20, 0x7f..<0xa0, 0x200e, 0x200f, 0x2028...0x202e, 0x2066...0x2069: true
        default: false
        }
    }
}
