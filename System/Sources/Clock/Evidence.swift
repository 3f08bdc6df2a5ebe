// SPDX-License-Identifier: GPL-3.0-or-later
import TorControl

/// What Tor lets us know about the time. Each but ``consensus`` is the word of one relay, which may lie.
public enum Evidence: Hashable, Sendable {
    /// A relay or directory has another time: this clock is ahead of it by so many seconds, or behind by a negative number.
    case skew(ahead: Int64, source: String)
    /// A relay's certificate has expired by this clock. Tor does not say when.
    case certificateExpired
    /// A relay's certificate is not valid yet by this clock; it is from one moment to another.
    case certificateNotYetValid(from: Moment, through: Moment)
    /// A relay's certificates were in order, so that the two could talk.
    case handshake
    /// A network status on which the directory authorities have put their signatures, and Tor has checked them.
    case consensus(Consensus)

    /// The times of a network status.
    public struct Consensus: Hashable, Sendable {
        /// When it came into force: the time now cannot be before.
        public let validAfter: Moment
        /// When the next one comes into force.
        public let freshUntil: Moment
        /// When it goes out of force.
        public let validUntil: Moment

        /// The times in their order.
        ///
        /// - Returns: `nil` when they are in another order.
        public init?(validAfter: Moment, freshUntil: Moment, validUntil: Moment) {
            guard validAfter < freshUntil, freshUntil <= validUntil else { return nil }
            self.validAfter = validAfter
            self.freshUntil = freshUntil
            self.validUntil = validUntil
        }
    }
}

extension Evidence {
    /// The largest difference that is believed: a hundred years. Everything else is a mistake or an attack.
    static let largestSkew: Int64 = 3_155_760_000

    /// Reads an event of Tor.
    ///
    /// - Returns: `nil` for what says nothing about the time.
    public init?(_ event: Event) {
        switch event {
        case .log(.warning, let line): self.init(warning: line)
        case .status(let status):
            switch status.report {
            case .clockSkew(let skew):
                guard let seconds = skew.seconds else { return nil }
                self.init(ahead: seconds, source: skew.source)
            case .bootstrap(let bootstrap) where bootstrap.tag == "handshake_done": self = .handshake
            default: return nil
            }
        default: return nil
        }
    }

    /// Reads what `GETINFO status/bootstrap-phase` says, for what happened before there was a connection to Tor:
    /// `Clock skew -86400 in NETINFO cell from OR`.
    public init?(_ bootstrap: Bootstrap) {
        guard bootstrap.reason == "CLOCK_SKEW", let words = bootstrap.warning?.split(separator: " "),
            words.count >= 3, words[0] == "Clock", words[1] == "skew", let seconds = Int64(words[2])
        else { return nil }
        // The last word says whose time it is: OR, DIRSERV or CONSENSUS. The address may have been left out by the control filter.
        guard let last = words.last, last == "OR" || last == "DIRSERV" else { return nil }
        let address = bootstrap.hostAddress.flatMap { $0 == "?" ? nil : $0 } ?? "a relay"
        self.init(ahead: seconds, source: .relay(address))
    }

    private init?(ahead: Int64, source: ClockSkew.Source) {
        guard ahead > -Self.largestSkew, ahead < Self.largestSkew else { return nil }
        switch source {
        case .relay(let address), .directory(let address):
            self = .skew(ahead: ahead, source: String(address.prefix(64)))
        // It says how long ago a status came into force, not what time it is; it comes as `consensus` too.
        case .consensus, .networkStatus: return nil
        case .unknown(let name): self = .skew(ahead: ahead, source: String(name.prefix(64)))
        }
    }

    /// Reads a line of Tor's log. The lines of tor 0.4.9:
    ///
    ///     Received a bad CERTS cell: At least one certificate expired.
    ///     (certificate lifetime runs from Dec 10 00:00:00 2025 GMT through Dec 10 00:00:00 2026 GMT. Your time is …)
    init?(warning line: String) {
        // Lines of Tor are longer only when something is wrong.
        guard line.utf8.count < 1024 else { return nil }
        if line.hasPrefix("Received a bad CERTS cell"), line.contains("expired") {
            self = .certificateExpired
            return
        }
        guard let start = line.firstRange(of: "certificate lifetime runs from "),
            let middle = line[start.upperBound...].firstRange(of: " GMT through "),
            let end = line[middle.upperBound...].firstRange(of: " GMT"),
            let from = Moment(certificateDate: String(line[start.upperBound..<middle.lowerBound])),
            let through = Moment(certificateDate: String(line[middle.upperBound..<end.lowerBound])), from < through
        else { return nil }
        guard let now = line[end.upperBound...].firstRange(of: "Your time is "),
            let words = Optional(line[now.upperBound...].split(separator: " ")), words.count >= 4,
            let own = Moment(certificateDate: words.prefix(4).joined(separator: " "))
        else { return nil }
        if own < from {
            self = .certificateNotYetValid(from: from, through: through)
        } else if own > through {
            self = .certificateExpired
        } else {
            return nil
        }
    }
}
