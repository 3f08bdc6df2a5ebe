// SPDX-License-Identifier: GPL-3.0-or-later
import Foundation

/// Why a script in the guest has no answer.
public struct ShellFailure: Error, Sendable, CustomStringConvertible {
    /// The kind of failure, for programs.
    public enum Code: Sendable {
        /// There is no shell: the machine has none or has ended.
        case noShell
        /// Neither an answer nor an end in time.
        case timedOut
        /// The shell ended under the script.
        case ended
        /// The script cannot be sent.
        case badScript
        /// The script's status was not 0.
        case failed
        /// What came back is no answer.
        case strangeAnswer
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

/// How a script and its answer travel: both in Base64, the answer between marks that nobody can guess, so that neither bytes of
/// the output nor the rest of an earlier answer are ever taken for something else.
struct ShellFraming: Sendable {
    /// The status of what was killed because it took too long. See: timeout(1).
    static let timedOut = 124

    let mark: String
    let script: String
    let seconds: Int

    init(script: String, seconds: Int, mark: String = ShellFraming.mark()) {
        self.script = script
        self.seconds = seconds
        self.mark = mark
    }

    static func mark() -> String { "needletail-\(UUID().uuidString)" }

    /// What is sent to the shell: one line.
    ///
    /// The status is written to descriptor 3 and the output through base64 to 4, which is the port: a pipe would swallow the
    /// status. `timeout` kills what takes too long; 137 comes when it did not heed SIGTERM.
    var request: [UInt8] {
        let encoded = Data(script.utf8).base64EncodedString()
        let words = "sh -c \"$(printf %s '\(encoded)' | base64 -d)\""
        let inner = "{ timeout -k 2 \(seconds) \(words) </dev/null 2>&1 3>&- 4>&-; echo $? >&3; } | base64 >&4"
        return Array(
            "{ echo; echo \(mark)-begin; s=$({ \(inner); } 3>&1); echo; echo \"\(mark)-end $s\"; } 4>&1\n".utf8)
    }

    /// The answer, when all of it is there; `nil` before.
    ///
    /// - Throws: `ShellFailure` for marks with something else between or after.
    func answer(in bytes: [UInt8]) throws -> GuestShell.Answer? {
        let data = Data(bytes)
        guard let begin = data.range(of: Data("\n\(mark)-begin\n".utf8)),
            let end = data.range(of: Data("\n\(mark)-end ".utf8), in: (begin.upperBound - 1)..<data.endIndex),
            let newline = data[end.upperBound...].firstIndex(of: 10)
        else { return nil }
        let status = String(decoding: data[end.upperBound..<newline], as: UTF8.self)
        let body = begin.upperBound <= end.lowerBound ? data[begin.upperBound..<end.lowerBound] : Data()
        guard let status = Int(status), let output = Data(base64Encoded: Data(body.filter { $0 != 10 && $0 != 13 }))
        else {
            throw ShellFailure(
                .strangeAnswer, "What came back from the guest is no answer: \(printable(body, limit: 200)) \(status)")
        }
        return GuestShell.Answer(status: status, bytes: Array(output))
    }
}
