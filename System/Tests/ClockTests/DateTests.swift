// SPDX-License-Identifier: GPL-3.0-or-later
import Testing

@testable import Clock

@Suite("Dates are read as they are written, and nothing else is a date")
struct DateTests {
    @Test(
        "the calendar",
        arguments: [
            ("1970-01-01 00:00:00", 0), ("2000-02-29 12:00:00", 951_825_600), ("2024-02-29 23:59:59", 1_709_251_199),
            ("2026-11-21 11:42:25", 1_795_261_345), ("2038-01-19 03:14:08", 2_147_483_648),
            ("2100-02-28 23:59:59", 4_107_542_399), ("2100-03-01 00:00:00", 4_107_542_400),
            ("9999-12-31 23:59:59", 253_402_300_799),
        ] as [(String, Int64)])
    func calendar(text: String, seconds: Int64) throws {
        let moment = try #require(Moment(torDate: text))
        #expect(moment.seconds == seconds)
        #expect(moment.description == text)
    }

    @Test("every day of 200 years goes there and back")
    func roundTrip() throws {
        var day: Int64 = 0
        while day < 73_000 {
            let moment = Moment(clamping: day * 86_400 + 3661)
            #expect(Moment(torDate: moment.description) == moment)
            day += 1
        }
    }

    @Test(
        "what is no date of Tor's",
        arguments: [
            "", "2026-11-21", "2026-11-21 11:42", "2026-11-21 11:42:25 ", " 2026-11-21 11:42:25", "2026-11-21T11:42:25",
            "2026-02-29 00:00:00", "2100-02-29 00:00:00", "2026-00-10 00:00:00", "2026-13-10 00:00:00",
            "2026-04-31 00:00:00", "2026-11-00 00:00:00", "2026-11-21 24:00:00", "2026-11-21 11:60:00",
            "2026-11-21 11:42:61", "1969-12-31 23:59:59", "-026-11-21 11:42:25", "２026-11-21 11:42:25",
            "2026-11-21 11:42:2\u{660}", String(repeating: "2", count: 100_000),
        ])
    func noTorDate(text: String) { #expect(Moment(torDate: text) == nil) }

    @Test("the three forms of HTTP dates (RFC 9110, 5.6.7)")
    func http() {
        let moment = Moment(torDate: "1994-11-06 08:49:37")
        #expect(Moment(httpDate: "Sun, 06 Nov 1994 08:49:37 GMT") == moment)
        #expect(Moment(httpDate: "Sunday, 06-Nov-94 08:49:37 GMT") == moment)
        #expect(Moment(httpDate: "Sun Nov  6 08:49:37 1994") == moment)
        #expect(Moment(httpDate: "Sat, 29 Feb 2020 23:59:60 GMT") == Moment(torDate: "2020-03-01 00:00:00"))
        #expect(Moment(httpDate: "Monday, 01-Jan-35 00:00:00 GMT") == Moment(torDate: "2035-01-01 00:00:00"))
    }

    @Test(
        "what is no HTTP date",
        arguments: [
            "", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 CET", "Sun, 6 Nov 1994 08:49:37 GMT",
            "06 Nov 1994 08:49:37 GMT", "Sun, 06 Növ 1994 08:49:37 GMT", "Sun, 31 Nov 1994 08:49:37 GMT",
            "Mon, 29 Feb 2021 00:00:00 GMT", "Sun, 06 Nov 1994 08:49:37 GMT; x", "Sun, 06 Nov 99999 08:49:37 GMT",
            "Sun, 06 Nov +994 08:49:37 GMT", "So, 06 Nov 1994 08:49:37 GMT", "1763725345",
        ])
    func noHTTPDate(text: String) { #expect(Moment(httpDate: text) == nil) }

    @Test("numbers beyond all calendars neither crash nor wrap")
    func overflow() {
        let moment = Moment(clamping: Int64(1_800_000_000))
        #expect(moment.advanced(by: .max).seconds == Moment.last)
        #expect(moment.advanced(by: .min).seconds == 0)
        #expect(Moment(clamping: Double.nan).seconds == 0)
        #expect(Moment(clamping: Double.infinity).seconds == 0)
        #expect(Moment(clamping: 1e300).seconds == Moment.last)
        #expect(Moment(clamping: Int64.min).seconds == 0)
    }
}
