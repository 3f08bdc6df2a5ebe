// SPDX-License-Identifier: GPL-3.0-or-later

/// What happens when the lid is closed: the screen is locked at once, and after a time the computer is switched off, if nobody
/// has unlocked it meanwhile, as who works on another screen does. When the lock does not come up, it is switched off at once.
struct LidPolicy: Hashable, Sendable {
    /// What to do now.
    enum Step: Hashable, Sendable {
        /// Nothing until something happens to the lid, or for so many seconds.
        case wait(Double?)
        case lock
        case powerOff(Reason)
    }

    /// Why the computer is switched off.
    enum Reason: Hashable, Sendable {
        case closedTooLong
        case notLocked
    }

    /// Since when it has been so.
    private enum State: Hashable, Sendable {
        case open
        /// The lock was asked for.
        case asked(Double)
        case locked(Double)
        /// It was locked, and is not at this moment; nobody has opened the lock.
        case lost(lockedSince: Double, Double)
        /// Somebody has opened the lock, and works with the lid closed.
        case unlocked
    }

    /// The file with the time.
    static let file = "/usr/lib/needletail/lid.conf"
    /// How long the lock may take, in seconds. The session is on the screen for so long.
    static let patience = 10.0
    /// The same when the lid is closed from the start: everything else is started as well, and nobody has done anything yet.
    static let patienceAtStart = 60.0

    /// Minutes from closing to switching off, 0 to 1440.
    let minutes: Int
    private var state = State.open
    /// Whether it was once as it should be.
    private var isStarted = false

    /// A policy; what is out of range, or cannot be read, is 30 minutes.
    ///
    /// - Parameter text: the content of ``file``: a line `minutes=NUMBER`; lines with `#` are comments.
    init(_ text: String) {
        let line = text.split(separator: "\n").last { $0.hasPrefix("minutes=") }
        let number = line.flatMap { Int($0.dropFirst("minutes=".utf8.count)) }
        minutes = number.flatMap { (0...1440).contains($0) ? $0 : nil } ?? 30
    }

    /// Decides.
    ///
    /// - Parameters:
    ///   - isClosed: the lid.
    ///   - isLocked: the screen.
    ///   - isOpened: whether somebody has opened the lock: it is not there any more, and has not failed. Asked only when it
    ///     matters.
    ///   - now: seconds of a clock that stands still while the computer sleeps.
    /// - Returns: what to do; to be asked again after it.
    mutating func step(isClosed: Bool, isLocked: Bool, isOpened: () -> Bool, now: Double) -> Step {
        switch state {
        case .open where isClosed:
            state = .asked(now)
            return .lock
        // Opening the lid does not end these two: the session would be on the screen.
        case .asked(let since) where !isLocked:
            return limit(since, closedSince: isClosed ? since : nil, now, again: 0.05)
        case .locked(let since) where !isLocked: return lost(now, lockedSince: since, isClosed, isOpened, now)
        case .lost(let lockedSince, let since) where !isLocked:
            return lost(since, lockedSince: lockedSince, isClosed, isOpened, now)
        case .asked(let since) where isClosed, .locked(let since) where isClosed, .lost(let since, _) where isClosed:
            state = .locked(since)
            isStarted = true
            return rest(since, now, atMost: 2)
        case .unlocked where isClosed:
            // It can be locked again by hand, and then the time begins anew.
            if isLocked { state = .locked(now) }
            return .wait(2)
        case .open, .asked, .locked, .lost, .unlocked:
            state = .open
            isStarted = true
            return .wait(nil)
        }
    }

    private mutating func lost(
        _ since: Double, lockedSince: Double, _ isClosed: Bool, _ isOpened: () -> Bool, _ now: Double
    ) -> Step {
        if isOpened() {
            state = isClosed ? .unlocked : .open
            return .wait(isClosed ? 2 : nil)
        }
        state = .lost(lockedSince: lockedSince, since)
        return limit(since, closedSince: isClosed ? lockedSince : nil, now, again: 0.2)
    }

    /// The screen is not locked, and should be.
    private func limit(_ since: Double, closedSince: Double?, _ now: Double, again: Double) -> Step {
        if now >= since + (isStarted ? Self.patience : Self.patienceAtStart) { return .powerOff(.notLocked) }
        return closedSince.map { rest($0, now, atMost: again) } ?? .wait(again)
    }

    private func rest(_ since: Double, _ now: Double, atMost longest: Double) -> Step {
        let rest = since + Double(minutes) * 60 - now
        return rest > 0 ? .wait(min(rest, longest)) : .powerOff(.closedTooLong)
    }
}
