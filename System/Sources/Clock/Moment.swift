// SPDX-License-Identifier: GPL-3.0-or-later

/// A point in time in whole seconds of UTC, in the years 1970 to 9999.
public struct Moment: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// Seconds since 1970-01-01 00:00:00 UTC, 0 to ``last``.
    public let seconds: Int64
    /// 9999-12-31 23:59:59.
    public static let last: Int64 = 253_402_300_799

    /// The nearest moment in range.
    ///
    /// - Parameter seconds: since 1970.
    public init(clamping seconds: Int64) { self.seconds = min(max(0, seconds), Self.last) }

    /// The nearest moment in range; 1970 for what is no number.
    ///
    /// - Parameter seconds: since 1970.
    public init(clamping seconds: Double) {
        self.init(clamping: seconds.isFinite ? Int64(min(max(0, seconds), Double(Self.last))) : 0)
    }

    /// A date and time of the calendar in UTC.
    ///
    /// - Returns: `nil` when there is no such date or time. A leap second is the second after it.
    public init?(year: Int, month: Int, day: Int, hour: Int, minute: Int, second: Int) {
        guard (1970...9999).contains(year), (1...12).contains(month), day >= 1,
            day <= Self.length(ofMonth: month, year: year), (0...23).contains(hour), (0...59).contains(minute),
            (0...60).contains(second)
        else { return nil }
        let days = Self.days(year: year, month: month, day: day)
        self.init(clamping: Int64(days) * 86_400 + Int64(hour) * 3600 + Int64(minute) * 60 + Int64(second))
    }

    /// A moment later; earlier for a negative number.
    ///
    /// - Parameter seconds: how much, any number.
    /// - Returns: the moment, in range.
    public func advanced(by seconds: Int64) -> Moment {
        let (sum, isOver) = self.seconds.addingReportingOverflow(seconds)
        return Moment(clamping: isOver ? (seconds > 0 ? Self.last : 0) : sum)
    }

    /// Seconds from another moment to this one; negative when this one is earlier.
    public func since(_ other: Moment) -> Int64 { seconds - other.seconds }

    /// Whether one comes before the other.
    public static func < (a: Moment, b: Moment) -> Bool { a.seconds < b.seconds }

    /// For example `2026-11-21 11:42:25`.
    public var description: String {
        let (days, rest) = seconds.quotientAndRemainder(dividingBy: 86_400)
        let date = Self.date(day: Int(days))
        return "\(date.year)-\(Self.two(date.month))-\(Self.two(date.day)) "
            + "\(Self.two(Int(rest / 3600))):\(Self.two(Int(rest / 60 % 60))):\(Self.two(Int(rest % 60)))"
    }

    // MARK: The Gregorian calendar. Years are counted from March, so that the leap day is a year's last one.

    private static func length(ofMonth month: Int, year: Int) -> Int {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// Days from 1970-01-01.
    private static func days(year: Int, month: Int, day: Int) -> Int {
        let marchYear = month > 2 ? year : year - 1
        let dayOfYear = (153 * ((month + 9) % 12) + 2) / 5 + day - 1
        return marchYear * 365 + marchYear / 4 - marchYear / 100 + marchYear / 400 + dayOfYear - 719_468
    }

    private static func date(day: Int) -> (year: Int, month: Int, day: Int) {
        let shifted = day + 719_468
        let era = shifted / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let marchMonth = (5 * dayOfYear + 2) / 153
        let month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
        return (era * 400 + yearOfEra + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * marchMonth + 2) / 5 + 1)
    }

    private static func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
}
