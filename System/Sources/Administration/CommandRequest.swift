// SPDX-License-Identifier: GPL-3.0-or-later
import Linux

/// A command that is to run in the room, as the service hands it in.
struct CommandRequest: Hashable, Sendable {
    /// The longest command with all its arguments, in bytes.
    static let longest = 65_536
    /// The most arguments.
    static let mostArguments = 1024

    /// The program and its arguments; none for a shell.
    let arguments: [String]
    /// The terminal's kind and size; `nil` for a command whose input and output are no terminal.
    let terminal: TerminalRequest?

    /// A terminal in the room.
    struct TerminalRequest: Hashable, Sendable {
        /// The kind by the name in the terminal database.
        let kind: String
        /// Its size.
        let window: Terminal.Window
    }

    /// A request, or `nil` when it is too long or holds what a program cannot be given.
    init?(arguments: [String], terminal: TerminalRequest?) {
        guard arguments.count <= Self.mostArguments,
            arguments.reduce(0, { $0 + $1.utf8.count + 1 }) <= Self.longest,
            !arguments.contains(where: { $0.utf8.contains(0) }), arguments.first != ""
        else { return nil }
        if let kind = terminal?.kind {
            // It becomes a variable of the environment and part of a path.
            let allowed = { (byte: UInt8) in
                (0x30...0x39).contains(byte) || (0x61...0x7a).contains(byte | 0x20) || byte == 0x2d || byte == 0x2b
            }
            guard (1...32).contains(kind.utf8.count), kind.utf8.allSatisfy(allowed) else { return nil }
        }
        self.arguments = arguments
        self.terminal = terminal
    }

    /// Reads what ``bytes`` wrote.
    init?(_ bytes: [UInt8]) {
        var words = bytes.split(separator: 0, omittingEmptySubsequences: false).map {
            String(decoding: $0, as: UTF8.self)
        }
        guard words.count >= 5, words.removeFirst() == "run", words.popLast() == "" else { return nil }
        let kind = words[0]
        guard let rows = Int(words[1]), let columns = Int(words[2]) else { return nil }
        let terminal =
            kind.isEmpty
            ? nil : TerminalRequest(kind: kind, window: Terminal.Window(rows: rows, columns: columns))
        self.init(arguments: Array(words.dropFirst(3)), terminal: terminal)
    }

    /// The request as one message.
    var bytes: [UInt8] {
        let window = terminal?.window
        let words = ["run", terminal?.kind ?? "", "\(window?.rows ?? 0)", "\(window?.columns ?? 0)"] + arguments
        return words.flatMap { Array($0.utf8) + [0] }
    }
}
