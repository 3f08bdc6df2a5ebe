// SPDX-License-Identifier: GPL-3.0-or-later

/// What happens when the lid is closed: the screen is locked at once, and after a time the computer is switched off.
struct LidPolicy: Hashable, Sendable {
    /// What to do now.
    enum Step: Hashable, Sendable {
        /// Nothing until something happens to the lid, or for so many seconds.
        case wait(Double?)
        case lock
        case powerOff
    }

    /// The file with the time.
    static let file = "/usr/lib/needletail/lid.conf"

    /// Minutes from closing to switching off, 0 to 1440.
    let minutes: Int
    private var closedSince: Double?

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
    ///   - now: seconds of a clock that stands still while the computer sleeps.
    /// - Returns: what to do; to be asked again after it.
    mutating func step(isClosed: Bool, now: Double) -> Step {
        guard isClosed else {
            closedSince = nil
            return .wait(nil)
        }
        guard let since = closedSince else {
            closedSince = now
            return .lock
        }
        let rest = since + Double(minutes) * 60 - now
        return rest > 0 ? .wait(rest) : .powerOff
    }
}
