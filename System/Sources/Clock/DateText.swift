// SPDX-License-Identifier: GPL-3.0-or-later

/// The three ways in which strangers write a date. All are read byte by byte, in English, whatever the locale; what is not
/// exactly of the form is nothing.
extension Moment {
    /// Reads Tor's `2026-11-21 11:42:25`.
    public init?(torDate text: String) {
        var reader = DateReader(text)
        guard let year = reader.number(digits: 4), reader.skip("-"), let month = reader.number(digits: 2),
            reader.skip("-"), let day = reader.number(digits: 2), reader.skip(" "), let time = reader.time(),
            reader.isAtEnd
        else { return nil }
        self.init(year, month, day, time)
    }

    /// Reads `Nov 11 00:00:00 2026`, as in Tor's messages on certificates.
    public init?(certificateDate text: String) {
        var reader = DateReader(text)
        guard let month = reader.month(), reader.skip(" "), let day = reader.paddedDay(), reader.skip(" "),
            let time = reader.time(), reader.skip(" "), let year = reader.number(digits: 4), reader.isAtEnd
        else { return nil }
        self.init(year, month, day, time)
    }

    /// Reads the value of an HTTP `Date` field in one of its three forms (RFC 9110, section 5.6.7):
    /// `Sun, 06 Nov 1994 08:49:37 GMT`, `Sunday, 06-Nov-94 08:49:37 GMT`, `Sun Nov  6 08:49:37 1994`.
    ///
    /// The name of the day is not compared with the date. Years of two digits are those of 1970 to 2069.
    public init?(httpDate text: String) {
        guard let moment = Self.fixed(text) ?? Self.old(text) ?? Self.asctime(text) else { return nil }
        self = moment
    }

    private static func fixed(_ text: String) -> Moment? {
        var reader = DateReader(text)
        guard reader.word(3...3) != nil, reader.skip(", "), let day = reader.number(digits: 2), reader.skip(" "),
            let month = reader.month(), reader.skip(" "), let year = reader.number(digits: 4), reader.skip(" "),
            let time = reader.time(), reader.skip(" GMT"), reader.isAtEnd
        else { return nil }
        return Moment(year, month, day, time)
    }

    private static func old(_ text: String) -> Moment? {
        var reader = DateReader(text)
        guard reader.word(6...9) != nil, reader.skip(", "), let day = reader.number(digits: 2), reader.skip("-"),
            let month = reader.month(), reader.skip("-"), let year = reader.number(digits: 2), reader.skip(" "),
            let time = reader.time(), reader.skip(" GMT"), reader.isAtEnd
        else { return nil }
        return Moment(year + (year < 70 ? 2000 : 1900), month, day, time)
    }

    private static func asctime(_ text: String) -> Moment? {
        var reader = DateReader(text)
        guard reader.word(3...3) != nil, reader.skip(" "), let month = reader.month(), reader.skip(" "),
            let day = reader.paddedDay(), reader.skip(" "), let time = reader.time(), reader.skip(" "),
            let year = reader.number(digits: 4), reader.isAtEnd
        else { return nil }
        return Moment(year, month, day, time)
    }

    private init?(_ year: Int, _ month: Int, _ day: Int, _ time: (hour: Int, minute: Int, second: Int)) {
        self.init(year: year, month: month, day: day, hour: time.hour, minute: time.minute, second: time.second)
    }
}

/// Reads a short text of ASCII from its start.
private struct DateReader {
    private var rest: ArraySlice<UInt8>

    /// No date is longer than 40 bytes; what is longer is not looked at.
    init(_ text: String) {
        let bytes = Array(text.utf8.prefix(41))
        rest = bytes.count > 40 ? [] : bytes[...]
    }

    var isAtEnd: Bool { rest.isEmpty }

    mutating func skip(_ text: StaticString) -> Bool {
        let wanted = text.withUTF8Buffer { Array($0) }
        guard rest.starts(with: wanted) else { return false }
        rest.removeFirst(wanted.count)
        return true
    }

    mutating func number(digits: Int) -> Int? {
        guard rest.count >= digits else { return nil }
        var value = 0
        for byte in rest.prefix(digits) {
            guard (48...57).contains(byte) else { return nil }
            value = value * 10 + Int(byte - 48)
        }
        rest.removeFirst(digits)
        return value
    }

    /// Two digits, or a space and a digit.
    mutating func paddedDay() -> Int? { skip(" ") ? number(digits: 1) : number(digits: 2) }

    mutating func time() -> (hour: Int, minute: Int, second: Int)? {
        guard let hour = number(digits: 2), skip(":"), let minute = number(digits: 2), skip(":"),
            let second = number(digits: 2)
        else { return nil }
        return (hour, minute, second)
    }

    mutating func word(_ length: ClosedRange<Int>) -> ArraySlice<UInt8>? {
        let word = rest.prefix { (65...90).contains($0) || (97...122).contains($0) }
        guard length.contains(word.count) else { return nil }
        rest.removeFirst(word.count)
        return word
    }

    mutating func month() -> Int? {
        let names: [StaticString] = [
            "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
        ]
        for (index, name) in names.enumerated() where skip(name) { return index + 1 }
        return nil
    }
}
