// SPDX-License-Identifier: GPL-3.0-or-later

/// The kinds of events that SETEVENTS knows (control-spec 4.1).
public struct EventKind: RawRepresentable, Hashable, Sendable {
    /// The name in capitals.
    public let rawValue: String
    /// Names a kind.
    public init(rawValue: String) { self.rawValue = rawValue }

    /// Bytes of each second.
    public static let bandwidth = EventKind(rawValue: "BW")
    /// Circuits.
    public static let circuit = EventKind(rawValue: "CIRC")
    /// Connections of programs.
    public static let stream = EventKind(rawValue: "STREAM")
    /// Connections to relays and bridges.
    public static let relayConnection = EventKind(rawValue: "ORCONN")
    /// Of Tor as a whole, such as a wrong clock.
    public static let statusGeneral = EventKind(rawValue: "STATUS_GENERAL")
    /// Of Tor as a client, such as how far it is in connecting.
    public static let statusClient = EventKind(rawValue: "STATUS_CLIENT")
    /// Of Tor as a relay.
    public static let statusServer = EventKind(rawValue: "STATUS_SERVER")
    /// Whether Tor believes that the network works.
    public static let networkLiveness = EventKind(rawValue: "NETWORK_LIVENESS")
    /// Guards.
    public static let entryGuard = EventKind(rawValue: "GUARD")
    /// Log messages at level notice.
    public static let notice = EventKind(rawValue: "NOTICE")
    /// Log messages at level warning.
    public static let warning = EventKind(rawValue: "WARN")
    /// Log messages at level error.
    public static let error = EventKind(rawValue: "ERR")
    /// Options that got another value.
    public static let configurationChanged = EventKind(rawValue: "CONF_CHANGED")
    /// Pluggable transports that were started.
    public static let transportLaunched = EventKind(rawValue: "TRANSPORT_LAUNCHED")
    /// Log messages of pluggable transports.
    public static let transportLog = EventKind(rawValue: "PT_LOG")
    /// States of pluggable transports.
    public static let transportStatus = EventKind(rawValue: "PT_STATUS")
    /// Onion services' descriptors.
    public static let onionDescriptor = EventKind(rawValue: "HS_DESC")
}

/// How bad a message of Tor is.
public enum LogSeverity: String, Hashable, Sendable {
    case debug = "DEBUG"
    case info = "INFO"
    case notice = "NOTICE"
    case warning = "WARN"
    case error = "ERR"
}

/// A stream: one connection of a program through a circuit (control-spec 4.1.2).
public struct StreamEvent: Hashable, Sendable {
    /// 1 to 16 letters and digits.
    public let identifier: String
    /// Such as `NEW`, `SENTCONNECT`, `SUCCEEDED`, `FAILED`, `CLOSED`, `DETACHED`.
    public let status: String
    /// The circuit's identifier; `nil` as long as there is none.
    public let circuit: String?
    /// Name or address, and port.
    public let target: String
    /// Why it failed or was closed.
    public let reason: String?
    /// Such as `USER`, `DIR_FETCH`, `DNS_REQUEST`.
    public let purpose: String?
    /// Everything of the line.
    public let fields: Fields

    /// Reads a line of `GETINFO stream-status`, or what follows `STREAM` in an event.
    public init?(_ text: some StringProtocol) {
        guard let fields = Fields(text, words: 4), fields.words.count >= 4, Circuit.isIdentifier(fields.words[0]),
            Circuit.isIdentifier(fields.words[2])
        else { return nil }
        self.fields = fields
        identifier = fields.words[0]
        status = fields.words[1]
        circuit = fields.words[2] == "0" ? nil : fields.words[2]
        target = fields.words[3]
        reason = fields["REASON"]
        purpose = fields["PURPOSE"]
    }
}

/// A connection between Tor and a relay or bridge (control-spec 4.1.3).
public struct RelayConnection: Hashable, Sendable {
    /// How far a connection is.
    public enum Status: String, Hashable, Sendable {
        case new = "NEW"
        case launched = "LAUNCHED"
        case connected = "CONNECTED"
        case failed = "FAILED"
        case closed = "CLOSED"
    }

    /// `$FINGERPRINT~nickname`, or address and port as long as it is not known who is there.
    public let target: String
    /// How far it is.
    public let status: Status
    /// `MISC`, `DONE`, `CONNECTREFUSED`, `IDENTITY`, `CONNECTRESET`, `TIMEOUT`, `NOROUTE`, `IOERROR`, `RESOURCELIMIT`, `PT_MISSING`.
    public let reason: String?
    /// Tor's number for it.
    public let identifier: String?
    /// Everything of the line.
    public let fields: Fields

    /// The relay, when Tor names one.
    public var relay: Relay? { Relay(target) }

    init?(_ fields: Fields) {
        guard fields.words.count >= 2, let status = Status(rawValue: fields.words[1]) else { return nil }
        target = fields.words[0]
        self.status = status
        self.fields = fields
        reason = fields["REASON"]
        identifier = fields["ID"]
    }
}

/// Something that Tor tells without being asked (control-spec 4.1).
public enum Event: Hashable, Sendable {
    /// Bytes in the last second.
    case bandwidth(read: UInt64, written: UInt64)
    case circuit(Circuit)
    case stream(StreamEvent)
    case relayConnection(RelayConnection)
    case status(StatusEvent)
    /// Whether Tor believes that the network works.
    case networkLiveness(isUp: Bool)
    /// A guard was chosen or dropped: `NEW`, `UP`, `DOWN`, `BAD`, `GOOD`, `DROPPED`.
    case entryGuard(relay: Relay, status: String)
    case log(LogSeverity, String)
    /// Options that have another value now; `nil` is the default.
    case configurationChanged([ConfigurationChange])
    /// A pluggable transport listens for Tor.
    case transportLaunched(isClient: Bool, name: String, address: String, port: UInt16)
    /// A pluggable transport's own message.
    case transportLog(Fields)
    /// What a pluggable transport says about its connections.
    case transportStatus(Fields)
    /// The fetching or publishing of an onion service's descriptor: `REQUESTED`, `RECEIVED`, `FAILED` …, then the address.
    case onionDescriptor(action: String, address: String, Fields)
    /// One that this library does not know, or could not read.
    case unknown(name: String, Reply)

    /// An option and its new value.
    public struct ConfigurationChange: Hashable, Sendable {
        /// The option's name.
        public let option: String
        /// Its value now; `nil` for the default.
        public let value: String?
    }

    /// Reads a message with a status of 6xx.
    public init(_ reply: Reply) {
        let text = reply.lines.first?.text ?? ""
        let (name, rest) = Self.split(text)
        self = Self.read(name, rest, reply) ?? .unknown(name: name, reply)
    }

    /// The first word, and what follows.
    static func split(_ text: String) -> (name: String, rest: Substring) {
        guard let space = text.utf8.firstIndex(of: UInt8(ascii: " ")) else { return (text, "") }
        return (String(text[..<space]), text[text.utf8.index(after: space)...])
    }

    private static func read(_ name: String, _ rest: Substring, _ reply: Reply) -> Event? {
        switch name {
        case "CIRC": return Circuit(rest).map { .circuit($0) }
        case "STREAM": return StreamEvent(rest).map { .stream($0) }
        case "ORCONN": return Fields(rest, words: 2).flatMap { RelayConnection($0) }.map { .relayConnection($0) }
        case "STATUS_CLIENT": return Fields(rest, words: 2).flatMap { StatusEvent(.client, $0) }.map { .status($0) }
        case "STATUS_GENERAL": return Fields(rest, words: 2).flatMap { StatusEvent(.general, $0) }.map { .status($0) }
        case "STATUS_SERVER": return Fields(rest, words: 2).flatMap { StatusEvent(.server, $0) }.map { .status($0) }
        case "PT_LOG": return Fields(rest).map { .transportLog($0) }
        case "PT_STATUS": return Fields(rest).map { .transportStatus($0) }
        case "CONF_CHANGED": return .configurationChanged(changes(reply))
        case "DEBUG", "INFO", "NOTICE", "WARN", "ERR":
            guard let severity = LogSeverity(rawValue: name) else { return nil }
            if let data = reply.lines.first?.data {
                return .log(severity, String(decoding: data, as: UTF8.self).replacingLineFeeds.printable)
            }
            return .log(severity, String(rest))
        default: return words(name, rest)
        }
    }

    private static func words(_ name: String, _ rest: Substring) -> Event? {
        guard let fields = Fields(rest, words: 2) else { return nil }
        let words = fields.words
        switch (name, words.count) {
        case ("BW", 2...):
            guard let read = UInt64(words[0]), let written = UInt64(words[1]) else { return nil }
            return .bandwidth(read: read, written: written)
        case ("NETWORK_LIVENESS", 1...): return .networkLiveness(isUp: words[0] == "UP")
        case ("GUARD", 3...): return Relay(words[1]).map { .entryGuard(relay: $0, status: words[2]) }
        case ("TRANSPORT_LAUNCHED", 4...):
            guard let port = UInt16(words[3]) else { return nil }
            return .transportLaunched(isClient: words[0] == "client", name: words[1], address: words[2], port: port)
        case ("HS_DESC", 2...): return .onionDescriptor(action: words[0], address: words[1], fields)
        default: return nil
        }
    }

    private static func changes(_ reply: Reply) -> [ConfigurationChange] {
        reply.lines.dropFirst().compactMap { line in
            guard line.text != "OK" || line != reply.lines.last else { return nil }
            guard let equals = line.text.firstIndex(of: "=") else {
                return ConfigurationChange(option: line.text, value: nil)
            }
            return ConfigurationChange(
                option: String(line.text[..<equals]),
                value: QuotedString.value(String(line.text[line.text.index(after: equals)...])))
        }
    }
}

extension String {
    fileprivate var replacingLineFeeds: String { String(map { $0 == "\n" ? " " : $0 }) }
}
