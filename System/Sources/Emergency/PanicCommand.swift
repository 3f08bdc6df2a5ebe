// SPDX-License-Identifier: GPL-3.0-or-later
import Linux

/// `needletail-panic`.
public enum PanicCommand {
    /// Where the service listens.
    public static let socket = "/run/needletail/emergency.sock"

    /// Runs the command.
    ///
    /// - Parameters:
    ///   - arguments: without the command's name.
    ///   - socket: where the service listens.
    ///   - answer: what the user says to the question; from standard input.
    /// - Returns: the exit status: 0 when it was done, 1 when the user did not want it, 2 when it is not possible.
    public static func run(
        _ arguments: [String], socket: String = socket, answer: () -> String? = { readLine() }
    ) -> Int32 {
        var isSure = false
        var isStatus = false
        for argument in arguments {
            switch argument {
            case "--yes": isSure = true
            case "--status": isStatus = true
            case "--help", "-h":
                StandardOutput.write(Words.help)
                return 0
            default:
                StandardOutput.write(Words.unknownOption(argument))
                return 2
            }
        }
        if isStatus {
            switch ask("GetState", socket) {
            case #"{"parameters":{"watchesMedium":true}}"#: StandardOutput.write(Words.watching)
            case #"{"parameters":{"watchesMedium":false}}"#: StandardOutput.write(Words.watchingKeysOnly)
            default:
                StandardOutput.write(Words.unreachable)
                return 2
            }
            return 0
        }
        if !isSure {
            StandardOutput.write(Words.question)
            guard answer() == "YES" else {
                StandardOutput.write(Words.notBegun)
                return 1
            }
        }
        guard ask("Start", socket) == #"{"parameters":{}}"# else {
            StandardOutput.write(Words.unreachable)
            return 2
        }
        StandardOutput.write(Words.begun)
        return 0
    }

    /// Sends a message and returns the answer; `nil` when there is none within three seconds.
    private static func ask(_ method: String, _ path: String) -> String? {
        guard let descriptor = try? UnixSocket.connect(to: path) else { return nil }
        defer { UnixSocket.close(descriptor) }
        let message = Array(#"{"method":"org.needletail.Emergency.\#(method)"}"#.utf8) + [0]
        let count = (try? UnixSocket.write(message[...], to: descriptor)) ?? nil
        guard count == message.count else { return nil }
        var bytes: [UInt8] = []
        let end = Machine.uptime + 3
        while bytes.count < 1024, Machine.uptime < end {
            guard !Readiness.wait([descriptor], seconds: end - Machine.uptime).isEmpty,
                let more = try? UnixSocket.read(descriptor, upTo: 256), !more.isEmpty
            else { return nil }
            bytes += more
            if let end = bytes.firstIndex(of: 0) { return String(decoding: bytes[..<end], as: UTF8.self) }
        }
        return nil
    }
}
