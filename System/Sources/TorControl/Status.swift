// SPDX-License-Identifier: GPL-3.0-or-later

/// How far Tor is in connecting (control-spec 4.1.10 and `GETINFO status/bootstrap-phase`).
public struct Bootstrap: Hashable, Sendable {
    /// 0 to 100.
    public let progress: Int
    /// The step as a word, such as `conn_done` or `loading_descriptors`.
    public let tag: String
    /// The step in English words.
    public let summary: String
    /// What went wrong in the last try of this step, in English words.
    public let warning: String?
    /// Why, as a word: as for ``RelayConnection/reason``.
    public let reason: String?
    /// How often it went wrong.
    public let count: Int?
    /// What Tor recommends: `ignore` or `warn`.
    public let recommendation: String?
    /// The relay with which it went wrong.
    public let hostIdentity: String?
    /// Its address and port.
    public let hostAddress: String?

    /// Whether Tor can be used.
    public var isDone: Bool { progress >= 100 }

    /// Reads the value of `GETINFO status/bootstrap-phase`: `NOTICE BOOTSTRAP PROGRESS=…`.
    public init?(phase text: some StringProtocol) {
        guard let fields = Fields(text, words: 2), fields.words.count >= 2, fields.words[1] == "BOOTSTRAP" else {
            return nil
        }
        self.init(fields)
    }

    init?(_ fields: Fields) {
        guard let text = fields["PROGRESS"], let progress = Int(text), (0...100).contains(progress),
            let tag = fields["TAG"]
        else { return nil }
        self.progress = progress
        self.tag = tag
        summary = fields["SUMMARY"] ?? tag
        warning = fields["WARNING"]
        reason = fields["REASON"]
        count = fields["COUNT"].flatMap { Int($0) }
        recommendation = fields["RECOMMENDATION"]
        hostIdentity = fields["HOSTID"]
        hostAddress = fields["HOSTADDR"]
    }
}

/// A source of time that did not agree with this computer's clock (control-spec 4.1.10, CLOCK_SKEW).
public struct ClockSkew: Hashable, Sendable {
    /// Whose time it is.
    public enum Source: Hashable, Sendable {
        /// A directory server, with its address and port, if they may be known.
        case directory(String)
        /// A network status document of a directory.
        case networkStatus
        /// A relay, with its address and port, if they may be known.
        case relay(String)
        /// The consensus of the directory authorities.
        case consensus
        case unknown(String)

        init(_ text: String) {
            if text.hasPrefix("DIRSERV:") || text == "DIRSERV" {
                self = .directory(String(text.dropFirst(8)))
            } else if text.hasPrefix("OR:") || text == "OR" {
                self = .relay(String(text.dropFirst(3)))
            } else if text == "NETWORKSTATUS" {
                self = .networkStatus
            } else if text == "CONSENSUS" {
                self = .consensus
            } else {
                self = .unknown(text)
            }
        }
    }

    /// Seconds that this computer's clock is ahead of the source; negative when it is behind. Tor does not always say.
    public let seconds: Int64?
    /// Whose time it is.
    public let source: Source
}

/// What a status event reports.
public enum StatusReport: Hashable, Sendable {
    case bootstrap(Bootstrap)
    case clockSkew(ClockSkew)
    /// The clock jumped by so many seconds since Tor looked last.
    case clockJumped(seconds: Int64)
    /// Tor can make circuits now.
    case circuitEstablished
    /// Tor cannot make circuits any more: `CLOCK_JUMPED`, `DIR_ALL_UNREACHABLE`, `EXTERNAL_ADDRESS` …
    case circuitNotEstablished(reason: String?)
    /// A newer consensus has come.
    case consensusArrived
    case enoughDirectoryInformation
    case notEnoughDirectoryInformation
    /// A program gave Tor an address instead of a name, so it asked a name server itself, perhaps outside of Tor.
    case dangerousSocks(protocolName: String?, address: String?)
    /// A connection to a port whose protocol has no encryption.
    case dangerousPort(port: UInt16?, isRejected: Bool)
    /// A program spoke something else than SOCKS.
    case unknownSocks(data: String?)
    /// A name that is none.
    case badHostName(String?)
    /// This Tor is too old, or not recommended: `OBSOLETE`, `UNRECOMMENDED`, `NEW` …
    case dangerousVersion(reason: String?)
    /// Something that this library does not know.
    case other
}

/// A status event (control-spec 4.1.10).
public struct StatusEvent: Hashable, Sendable {
    /// Whom it concerns.
    public enum Kind: Hashable, Sendable { case general, client, server }

    /// Whom it concerns.
    public let kind: Kind
    /// How bad it is.
    public let severity: LogSeverity
    /// The word for what happened, such as `BOOTSTRAP`.
    public let action: String
    /// What happened.
    public let report: StatusReport
    /// Everything of the line.
    public let fields: Fields

    init?(_ kind: Kind, _ fields: Fields) {
        guard fields.words.count >= 2, let severity = LogSeverity(rawValue: fields.words[0]) else { return nil }
        self.kind = kind
        self.severity = severity
        self.fields = fields
        action = fields.words[1]
        report = Self.report(action, fields)
    }

    private static func report(_ action: String, _ fields: Fields) -> StatusReport {
        switch action {
        case "BOOTSTRAP": Bootstrap(fields).map { .bootstrap($0) } ?? .other
        case "CLOCK_SKEW":
            .clockSkew(
                ClockSkew(
                    seconds: fields["SKEW"].flatMap { Int64($0) },
                    source: ClockSkew.Source(fields["SOURCE"] ?? fields["MIN_SOURCE"] ?? "")))
        case "CLOCK_JUMPED": fields["TIME"].flatMap { Int64($0) }.map { .clockJumped(seconds: $0) } ?? .other
        case "CIRCUIT_ESTABLISHED": .circuitEstablished
        case "CIRCUIT_NOT_ESTABLISHED": .circuitNotEstablished(reason: fields["REASON"])
        case "CONSENSUS_ARRIVED": .consensusArrived
        case "ENOUGH_DIR_INFO": .enoughDirectoryInformation
        case "NOT_ENOUGH_DIR_INFO": .notEnoughDirectoryInformation
        case "DANGEROUS_SOCKS": .dangerousSocks(protocolName: fields["PROTOCOL"], address: fields["ADDRESS"])
        case "DANGEROUS_PORT":
            .dangerousPort(port: fields["PORT"].flatMap { UInt16($0) }, isRejected: fields["RESULT"] == "REJECT")
        case "SOCKS_UNKNOWN_PROTOCOL": .unknownSocks(data: fields["DATA"])
        case "SOCKS_BAD_HOSTNAME": .badHostName(fields["HOSTNAME"])
        case "DANGEROUS_VERSION": .dangerousVersion(reason: fields["REASON"])
        default: .other
        }
    }
}
