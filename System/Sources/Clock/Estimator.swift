// SPDX-License-Identifier: GPL-3.0-or-later

/// Where the clock may stand.
///
/// Never before the build of the system, never before a network status that the directory authorities have signed in this session
/// came into force (so nobody can play an older one than was seen), and never later than an image of this age can be used.
public struct Bounds: Hashable, Sendable {
    /// When the system was built.
    public let floor: Moment
    /// The end of what is plausible.
    public let ceiling: Moment
    /// When the newest signed network status of this session came into force.
    public private(set) var signed: Moment?

    /// Years after its build in which an image can be expected to be used: keys and protocols of Tor do not live longer.
    public static let years = 10

    /// The bounds of a system.
    ///
    /// - Parameter floor: when it was built.
    public init(floor: Moment) {
        self.floor = floor
        ceiling = floor.advanced(by: Int64(Self.years) * 31_557_600)
    }

    /// The earliest moment that it can be.
    public var earliest: Moment { max(floor, signed ?? floor) }

    /// The moment, or the nearest one that is possible.
    public func clamp(_ moment: Moment) -> Moment { min(max(moment, earliest), ceiling) }

    /// Takes note of a network status. One from beyond the end of what is plausible is left out.
    mutating func note(_ consensus: Evidence.Consensus) {
        guard consensus.validAfter <= ceiling else { return }
        signed = max(signed ?? floor, consensus.validAfter)
    }
}

/// Decides from Tor's evidence where the clock should stand, until Tor is connected.
///
/// A value without clock or network of its own: it is told the time by who uses it. Each piece of evidence may be a lie, so
/// a step goes no further than ``Bounds``, and there are only so many of them. What ends the guessing is a network status that the
/// authorities have signed and that is in force at the time to which the clock was set: Tor itself goes no further without.
public struct Estimator: Sendable {
    /// A change of the clock.
    public struct Step: Hashable, Sendable {
        /// The moment to which the clock is set.
        public let target: Moment
        /// Why.
        public let reason: Reason
    }

    /// Why the clock is changed.
    public enum Reason: Hashable, Sendable {
        /// It stood before the earliest possible moment.
        case tooEarly
        /// It stood after the end of what is plausible.
        case implausible
        /// So many relays say by how much it is wrong.
        case relays(Int)
        /// The certificates of relays have expired: it is earlier. The earliest possible moment is the place to look from.
        case expiredCertificates
        /// The certificates of relays are not valid yet: it is later.
        case unbornCertificates
    }

    /// What Tor calls a skew is more than half an hour; smaller ones are left to the survey of web sites.
    public static let smallest: Int64 = 600
    /// Seconds in which more relays may speak after the first one.
    public static let patience = 1.5
    /// So many steps at once, and then one more after each ``pause``.
    public static let stepLimit = 8
    /// Seconds.
    public static let pause = 300.0

    /// Where the clock may stand.
    public private(set) var bounds: Bounds

    private static let relayLimit = 16
    private var skews: [String: Int64] = [:]
    private var expired = 0
    private var windows: [Moment] = []
    private var firstWord: Double?
    private var stepsLeft = Self.stepLimit
    private var lastRefill: Double?
    /// The last correction and when: what was said before it can arrive after it.
    private var echo: (ahead: Int64, until: Double)?

    /// An estimator that has heard nothing.
    ///
    /// - Parameter bounds: where the clock may stand.
    public init(bounds: Bounds) { self.bounds = bounds }

    /// Takes a piece of evidence.
    ///
    /// - Parameters:
    ///   - evidence: what Tor says.
    ///   - uptime: seconds of a clock that never jumps.
    public mutating func take(_ evidence: Evidence, uptime: Double) {
        switch evidence {
        case .skew(let ahead, let source):
            if let echo, uptime < echo.until, abs(ahead - echo.ahead) < Self.smallest { return }
            guard skews.count < Self.relayLimit || skews[source] != nil else { return }
            skews[source] = ahead
            expired = 0
        case .certificateExpired:
            expired = min(expired + 1, 1000)
        case .certificateNotYetValid(let from, _):
            guard windows.count < Self.relayLimit, !windows.contains(from) else { return }
            windows.append(from)
        case .handshake:
            expired = 0
            return
        case .consensus(let consensus):
            bounds.note(consensus)
            return
        }
        if firstWord == nil { firstWord = uptime }
    }

    /// Whether there is something to decide in a moment, even if nothing more is heard.
    public var isWaiting: Bool { firstWord != nil }

    /// Decides.
    ///
    /// - Parameters:
    ///   - now: the clock.
    ///   - uptime: seconds of a clock that never jumps.
    /// - Returns: `nil` when the clock can stay, or it is too early to say.
    public mutating func decide(now: Moment, uptime: Double) -> Step? {
        // These two need nobody's word, and are not counted.
        if now < bounds.earliest { return step(to: bounds.earliest, .tooEarly, now: now, uptime: uptime) }
        if now > bounds.ceiling { return step(to: bounds.earliest, .implausible, now: now, uptime: uptime) }
        guard let firstWord else { return nil }
        let isSettled = uptime - firstWord >= Self.patience
        refill(uptime)
        guard stepsLeft > 0, let (wish, reason) = wish(now: now, isSettled: isSettled) else { return nil }
        let target = bounds.clamp(wish)
        guard abs(target.since(now)) >= Self.smallest else {
            // Nothing that can be followed; listen anew.
            forget()
            return nil
        }
        stepsLeft -= 1
        return step(to: target, reason, now: now, uptime: uptime)
    }

    private func wish(now: Moment, isSettled: Bool) -> (Moment, Reason)? {
        if skews.count >= 3 || (isSettled && !skews.isEmpty) {
            // The median: one liar among three changes nothing. Of two, the one who asks for less.
            let sorted = skews.values.sorted { abs($0) < abs($1) }
            let middle = sorted.count == 2 ? sorted[0] : skews.values.sorted()[(sorted.count - 1) / 2]
            return (now.advanced(by: -middle), .relays(sorted.count))
        }
        guard skews.isEmpty else { return nil }
        // Tor tries one relay after the other: three that fail alike are a clock, one is a relay.
        if expired >= 3 { return (bounds.earliest, .expiredCertificates) }
        if isSettled, !windows.isEmpty {
            // It is later than each of these moments, if none lies. The middle one brings at least half of the relays to talk, and
            // who talks says the time. A day more, because certificates begin at midnight.
            let middle = windows.sorted()[windows.count / 2].advanced(by: 86_400)
            if middle > now { return (middle, .unbornCertificates) }
        }
        return nil
    }

    private mutating func step(to target: Moment, _ reason: Reason, now: Moment, uptime: Double) -> Step {
        echo = (now.since(target), uptime + 5)
        forget()
        return Step(target: target, reason: reason)
    }

    private mutating func forget() {
        skews = [:]
        expired = 0
        windows = []
        firstWord = nil
    }

    private mutating func refill(_ uptime: Double) {
        guard let last = lastRefill else {
            lastRefill = uptime
            return
        }
        guard uptime - last >= Self.pause else { return }
        stepsLeft = min(Self.stepLimit, stepsLeft + 1)
        lastRefill = uptime
    }
}
