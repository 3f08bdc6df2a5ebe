// SPDX-License-Identifier: GPL-3.0-or-later

/// Decides whether a session that is being ended in the usual way will never come to its end. systemd gives way to
/// systemd-shutdown(8) after a minute at most (poweroff.target.d), and that unmounts, which a disk that does not answer can hold up
/// for minutes, or for ever; only what follows erases the memory.
///
/// A wrong alarm costs what was not written yet, so who waits for a slow stick waits as long as something is being written.
struct EndWatch {
    /// Where the system has the number of seconds. Read once, at the start.
    static let path = "/usr/lib/needletail/longest-end"
    /// Seconds, when that file does not have them. Programs that do not end take 20 of them (DefaultTimeoutStopSec= twice).
    static let standard: Int64 = 60

    /// Milliseconds between two looks at what is to be written.
    static var interval: Int64 { @_noAllocation get { 5000 } }
    /// Milliseconds for which a disk that still takes what is to be written holds the alarm off.
    static var patience: Int64 { @_noAllocation get { 30_000 } }
    /// Milliseconds after which it is over whatever is written.
    static var last: Int64 { @_noAllocation get { 900_000 } }

    private let limit: Int64
    private var begun: Int64 = -1
    private var lookAt: Int64 = 0
    private var unwritten: Int64 = 0
    private var writtenLast: Int64 = -1

    /// - Parameter seconds: from ``begin(now:)`` on; 10 to 900.
    init(seconds: Int64) { limit = min(max(seconds, 10), 900) * 1000 }

    /// The seconds in a file's text, at most 4 KiB; `#` begins a remark. `nil` when there are none that make sense.
    static func seconds(parsing text: String) -> Int64? {
        guard text.utf8.count <= 4096 else { return nil }
        let words = text.split(separator: "\n").flatMap { $0.prefix { $0 != "#" }.split(separator: " ") }
        guard words.count == 1, let seconds = Int64(words[0]), (10...900).contains(seconds) else { return nil }
        return seconds
    }

    /// Whether systemd-shutdown(8) is at work.
    var isEnding: Bool { @_noAllocation get { begun >= 0 } }

    /// systemd-shutdown(8) is at work. Told more than once, the first time counts.
    @_noAllocation mutating func begin(now: Int64) {
        guard begun < 0 else { return }
        begun = now
        lookAt = now
    }

    /// Whether it is time to look how much is to be written.
    @_noAllocation func wantsLook(now: Int64) -> Bool { begun >= 0 && now >= lookAt }

    /// Whether it took too long. `unwritten` is how many KiB are to be written to disks, or are being written; negative when that is not
    /// known.
    @_noAllocation mutating func isOverdue(now: Int64, unwritten: Int64) -> Bool {
        lookAt = now + Self.interval
        if unwritten >= 0, unwritten < self.unwritten { writtenLast = now }
        self.unwritten = unwritten
        let time = now - begun
        if time < limit { return false }
        return time >= Self.last || writtenLast < 0 || now - writtenLast >= Self.patience
    }
}
