// SPDX-License-Identifier: GPL-3.0-or-later

/// What the clock service tells others, as in the interface `org.needletail.Clock`.
public struct ClockState: Hashable, Sendable, Codable {
    /// How far it is.
    public enum Stage: String, Hashable, Sendable, Codable {
        /// Nothing has been heard yet.
        case waiting
        /// The clock was changed because of what relays say; Tor is not connected yet.
        case searching
        /// Tor is connected, so the clock is right to some hours at the least.
        case connected
        /// At least three operators agree with the clock.
        case confirmed
        /// Tor is connected, but the web sites do not agree, or too few answered.
        case unconfirmed
    }

    /// A change of the clock.
    public struct Correction: Hashable, Sendable, Codable {
        /// Seconds by which the clock went forward; negative when it went back.
        public let seconds: Double
        /// The time that it was set to, UTC.
        public let time: String
        /// Whose word that was.
        public let source: Source
        /// Why, for people.
        public let words: String

        /// Whose word a correction rests on.
        public enum Source: String, Hashable, Sendable, Codable {
            /// The system's own limits: its build, and the newest signed network status.
            case bounds
            /// Relays of the Tor network.
            case relays
            /// Web sites through Tor.
            case sites
        }
    }

    /// A web site that was asked.
    public struct Site: Hashable, Sendable, Codable {
        /// Who runs it.
        public let operatorName: String
        /// Its host name.
        public let host: String
        /// Seconds by which its time is ahead of this clock (before the correction); `nil` when it gave none.
        public let ahead: Double?
        /// Whether it differs from the others.
        public let isOutlier: Bool
        /// Why it gave no time.
        public let failure: String?

        enum CodingKeys: String, CodingKey {
            case operatorName = "operator"
            case host, ahead, isOutlier, failure
        }
    }

    /// How far it is.
    public var stage = Stage.waiting
    /// The earliest time that is possible, UTC: when the system was built, or when a signed network status came into force.
    public var earliest: String
    /// Seconds by which all corrections together moved the clock forward.
    public var corrected = 0.0
    /// The newest corrections, the last one last, 16 at the most.
    public var corrections: [Correction] = []
    /// The web sites of the last survey.
    public var sites: [Site] = []

    /// Nothing done yet.
    public init(earliest: Moment) { self.earliest = earliest.description }

    mutating func note(_ correction: Correction) {
        corrected += correction.seconds
        corrections.append(correction)
        if corrections.count > 16 { corrections.removeFirst() }
    }

    mutating func note(_ report: Surveyor.Report) {
        sites =
            report.survey.answers.map { answer in
                Site(
                    operatorName: answer.operatorName, host: answer.host, ahead: answer.correction,
                    isOutlier: report.survey.outliers.contains(answer), failure: nil)
            }
            + report.failures.map { failure in
                Site(
                    operatorName: failure.operatorName, host: failure.host, ahead: nil, isOutlier: false,
                    failure: failure.words)
            }
    }

    /// The interface's text.
    public static let interface = """
        # The clock: corrected by what Tor's relays say, then by the dates of web sites through Tor. Nobody can set it from here.
        interface org.needletail.Clock

        # How far it is: 'waiting' (nothing heard yet), 'searching' (corrected by relays' word, Tor not connected yet), 'connected'
        # (right to some hours at the least), 'confirmed' (three or more operators of web sites agree), 'unconfirmed' (they do not)
        type Stage (waiting, searching, connected, confirmed, unconfirmed)

        # A change of the clock: forward by so many seconds, or back by a negative number
        type Correction (seconds: float, time: string, source: (bounds, relays, sites), words: string)

        # A web site that was asked, and by how many seconds its time was ahead of the clock
        type Site (operator: string, host: string, ahead: ?float, isOutlier: bool, failure: ?string)

        # Times are in UTC, as 2026-11-21 11:42:25
        type State (
            stage: Stage,
            earliest: string,
            corrected: float,
            corrections: []Correction,
            sites: []Site
        )

        # The state now
        method GetState() -> (state: State)

        # The state now, and again whenever it changes
        method Monitor() -> (state: State)

        """
}
