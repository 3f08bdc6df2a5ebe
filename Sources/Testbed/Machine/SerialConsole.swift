// SPDX-License-Identifier: GPL-3.0-or-later
import Foundation
import Synchronization
import SystemPackage

/// The machine's serial port: what the guest wrote to it since power-on, and a way to answer.
public final class SerialConsole: Sendable {
    /// All that the guest wrote, as it wrote it.
    public let log: FilePath
    /// The socket of the port, for a person's terminal; one at a time.
    public let socket: FilePath
    private let line: Mutex<UNIXConnection?> = Mutex(nil)

    init(log: FilePath, socket: FilePath) {
        self.log = log
        self.socket = socket
    }

    /// What the guest wrote, without the escape sequences that colour it.
    public var text: String {
        let data = (try? Data(contentsOf: URL(fileURLWithPath: log.string))) ?? Data()
        return Self.plain(data)
    }

    /// The lines that the guest wrote; the last may not be complete.
    public var lines: [String] { text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init) }

    /// The last lines that are not empty.
    func tail(_ count: Int = 20) -> [String] {
        lines.filter { !$0.allSatisfy(\.isWhitespace) }.suffix(count).map { String($0.prefix(200)) }
    }

    /// Sends text to the guest, as if typed at a terminal on the serial port.
    ///
    /// - Throws: `Errno` when somebody else holds the port, or the machine has ended.
    public func send(_ text: String) throws {
        try line.withLock { line in
            if line == nil { line = try UNIXConnection(path: socket) }
            line?.send(Array(text.utf8))
        }
    }

    /// Lets go of the port, so that a person's terminal can take it.
    public func release() {
        line.withLock { line in
            line?.close()
            line = nil
        }
    }

    /// Bytes of a terminal as plain text: no escape sequences (ECMA-48), no carriage returns, no other control bytes.
    static func plain(_ bytes: some Collection<UInt8>) -> String {
        var plain: [UInt8] = []
        plain.reserveCapacity(bytes.count)
        var state = 0
        for byte in bytes {
            switch (state, byte) {
            case (0, 0x1B): state = 1
            case (0, 10), (0, 9), (0, 32...126), (0, 128...): plain.append(byte)
            case (0, _): break
            case (1, UInt8(ascii: "[")): state = 2
            case (1, UInt8(ascii: "]")): state = 3
            case (1, 0x20...0x2F): state = 4
            case (1, _): state = 0
            // A control sequence ends with a letter or the like, a text for the terminal with BEL or ESC \.
            case (2, 0x40...0x7E): state = 0
            case (3, 7): state = 0
            case (3, 0x1B): state = 4
            case (4, _): state = 0
            default: break
            }
        }
        return String(decoding: plain, as: UTF8.self)
    }
}

/// Lines that match a pattern, looked for in a text that grows.
struct LineSearch {
    let pattern: Regex<AnyRegexOutput>
    private var seen = 0

    /// A search; the pattern is Swift's regular expression syntax.
    init(_ pattern: String) throws {
        do {
            self.pattern = try Regex(pattern)
        } catch {
            throw MachineFailure(.badText, "'\(pattern)' is no regular expression: \(error)")
        }
    }

    /// The first line that matches, among those that were not looked at when they were complete.
    mutating func first(in lines: [String]) -> String? {
        let start = min(seen, max(0, lines.count - 1))
        // The last line may still grow.
        seen = max(0, lines.count - 1)
        return lines[start...].first { $0.firstMatch(of: pattern) != nil }
    }
}
