// SPDX-License-Identifier: GPL-3.0-or-later

/// One command to Tor (control-spec 3). Every way to make one checks its parts, so that no text from outside can add a word, a
/// line or a second command.
public struct Command: Hashable, Sendable {
    /// The line without its end.
    public let line: String

    /// The longest command that is sent, in bytes. Tor closes connections at 1 MB.
    public static let limit = 65_536

    /// A command of words.
    ///
    /// - Parameters:
    ///   - keyword: the command, such as `GETINFO`.
    ///   - words: its arguments: printable ASCII without spaces, quotes and backslashes.
    /// - Throws: ``CommandFailure``; nothing was sent.
    public init(_ keyword: String, _ words: [String] = []) throws(CommandFailure) {
        try self.init(keyword: keyword, parts: try words.map { word throws(CommandFailure) in try Self.word(word) })
    }

    private init(keyword: String, parts: [String]) throws(CommandFailure) {
        guard !keyword.isEmpty, keyword.utf8.allSatisfy({ (0x41...0x5a).contains($0) || $0 == 0x5f }) else {
            throw .badWord(keyword)
        }
        line = ([keyword] + parts).joined(separator: " ")
        guard line.utf8.count <= Self.limit else { throw .longCommand(limit: Self.limit) }
    }

    /// The command in the protocol's bytes.
    public var encoded: [UInt8] { Array(line.utf8) + [0x0d, 0x0a] }

    // MARK: Questions

    /// Asks for keys (control-spec 3.9).
    public static func getInfo(_ keys: [String]) throws(CommandFailure) -> Command { try Command("GETINFO", keys) }

    /// Asks for options (3.3).
    public static func getConf(_ options: [String]) throws(CommandFailure) -> Command {
        try Command("GETCONF", options)
    }

    /// Asks how to authenticate (3.21).
    public static func protocolInfo() throws(CommandFailure) -> Command { try Command("PROTOCOLINFO", ["1"]) }

    // MARK: Changes

    /// A value for an option of Tor's configuration; `nil` is its default.
    public typealias Setting = (option: String, value: String?)

    /// Sets options, all or none (3.1). An option that takes a list is given several times.
    public static func setConf(_ settings: [Setting]) throws(CommandFailure) -> Command {
        try Command(keyword: "SETCONF", parts: try pairs(settings))
    }

    /// Sets options to their defaults, or to values, all or none (3.2).
    public static func resetConf(_ settings: [Setting]) throws(CommandFailure) -> Command {
        try Command(keyword: "RESETCONF", parts: try pairs(settings))
    }

    /// Chooses the events that this connection gets; the ones chosen before are forgotten (3.4).
    public static func setEvents(_ kinds: [EventKind]) throws(CommandFailure) -> Command {
        try Command("SETEVENTS", kinds.map(\.rawValue))
    }

    /// Signals that Tor knows (3.7).
    public enum Signal: String, Sendable, CaseIterable {
        /// Reads its configuration again.
        case reload = "RELOAD"
        /// Ends at once.
        case halt = "HALT"
        /// Uses no circuit of before for a new connection.
        case newIdentity = "NEWNYM"
        /// Forgets the addresses of names.
        case clearDNSCache = "CLEARDNSCACHE"
        /// Wakes up.
        case active = "ACTIVE"
        /// Sleeps until there is a request.
        case dormant = "DORMANT"
    }

    /// Sends Tor a signal.
    public static func signal(_ signal: Signal) throws(CommandFailure) -> Command {
        try Command("SIGNAL", [signal.rawValue])
    }

    /// Closes a circuit (3.14).
    public static func closeCircuit(_ identifier: String) throws(CommandFailure) -> Command {
        try Command("CLOSECIRCUIT", [identifier])
    }

    /// Forgets all guards (3.27): after bridges were changed, for example.
    public static func dropGuards() throws(CommandFailure) -> Command { try Command("DROPGUARDS") }

    // MARK: The connection itself

    /// Proves who we are with the content of the cookie file (3.5).
    public static func authenticate(cookie: [UInt8]) throws(CommandFailure) -> Command {
        let digits = cookie.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        return try Command("AUTHENTICATE", digits.isEmpty ? [] : [digits])
    }

    /// Says good-bye (3.11).
    public static func quit() throws(CommandFailure) -> Command { try Command("QUIT") }

    // MARK: Words

    private static func word(_ word: String) throws(CommandFailure) -> String {
        guard !word.isEmpty,
            word.utf8.allSatisfy({ (0x21...0x7e).contains($0) && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") })
        else { throw .badWord(word) }
        return word
    }

    private static func pairs(_ settings: [Setting]) throws(CommandFailure) -> [String] {
        try settings.map { setting throws(CommandFailure) in
            let (option, value) = setting
            // Options have letters, digits and, in this program, nothing else: `+Option` and `/Option` are for files.
            guard option.utf8.first.map({ $0 >= 0x41 }) == true,
                option.utf8.allSatisfy({
                    (0x30...0x39).contains($0) || (0x41...0x5a).contains($0) || (0x61...0x7a).contains($0) || $0 == 0x5f
                })
            else { throw .badWord(option) }
            guard let value else { return option }
            guard value.unicodeScalars.allSatisfy({ !$0.isControl }) else { throw .badValue(of: option) }
            return "\(option)=\(QuotedString.encode(value))"
        }
    }
}
