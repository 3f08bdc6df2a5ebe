// SPDX-License-Identifier: GPL-3.0-or-later
import Uplink

/// What the service is doing. Its JSON is the type `State` of org.needletail.Portal.
public struct PortalState: Sendable, Hashable, Codable {
    /// The three things that it can be doing.
    public enum Phase: String, Sendable, Codable {
        /// Nothing is open and nobody is asked.
        case closed
        /// The user is being asked.
        case asking
        /// The browser is open.
        case open
    }

    /// How the last one ended.
    public enum End: String, Sendable, Codable, CaseIterable {
        /// The user said no.
        case refused
        /// Nobody answered in time.
        case unanswered
        /// The user left the browser.
        case quit
        /// The time was up.
        case timeLimit
        /// Tor connected: there is nothing more to log in to.
        case connected
        /// The network is gone, or is another one.
        case networkGone
        /// Somebody asked for the end.
        case cancelled
        /// The browser could not show the page.
        case pageFailed
        /// Something in this computer did not work.
        case failed
    }

    /// What it is doing.
    public var phase: Phase = .closed
    /// Seconds until it ends by itself, while the user is asked or the browser is open.
    public var secondsLeft: Int?
    /// How the last one ended; `nil` when there was none.
    public var end: End?

    /// A state.
    public init(phase: Phase = .closed, secondsLeft: Int? = nil, end: End? = nil) {
        self.phase = phase
        self.secondsLeft = secondsLeft
        self.end = end
    }
}

/// Why the user is not even asked.
public enum PortalRefusal: String, Error, Sendable, Codable, CaseIterable {
    /// Tor is connected: whoever wants to see a page can do so without being seen.
    case torConnected
    /// It is not known whether Tor is connected.
    case connectionUnknown
    /// No interface has an address and a router.
    case noNetwork
    /// The user is being asked, or the browser is open.
    case busy
    /// The last no was a moment ago: nobody is asked until they give in.
    case tooSoon
}

/// Whether Tor can be used, as far as the service can learn.
public enum TorReach: Sendable, Hashable {
    /// It can.
    case connected
    /// It cannot, for whatever reason.
    case notConnected
    /// Nobody could be asked.
    case unknown
}

/// Who may be asked, and when. A pure function: the order is the order in which the user hears of reasons.
enum PortalPolicy {
    /// Seconds after a no, or no answer, in which nobody is asked again.
    static let pause = 15.0

    static func refusal(
        phase: PortalState.Phase, tor: TorReach, uplink: Uplink?, secondsSinceNo: Double?
    ) -> PortalRefusal? {
        if phase != .closed { return .busy }
        switch tor {
        case .connected: return .torConnected
        case .unknown: return .connectionUnknown
        case .notConnected: break
        }
        if uplink == nil { return .noNetwork }
        if let secondsSinceNo, secondsSinceNo < pause { return .tooSoon }
        return nil
    }
}

/// A failure of the service itself, for the journal.
enum PortalFailure: Error, CustomStringConvertible {
    case door(String)
    case console(String)

    var description: String {
        switch self {
        case .door(let words): "The way to the network was not opened or not closed: \(words)"
        case .console(let words): "The screen could not be used: \(words)"
        }
    }
}
