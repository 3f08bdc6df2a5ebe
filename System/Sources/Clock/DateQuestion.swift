// SPDX-License-Identifier: GPL-3.0-or-later
import Walls

/// The question to a web site, as arguments of `curl`, and what its output says. See `man 1 curl`.
///
/// The question is `HEAD /`: the answer has the date and nothing else that is used. Each question has circuits of its own
/// (SOCKS user name), no cookie, no redirection, and a certificate that must be right: an exit relay that wants to lie about the time
/// would need a certificate in another's name.
public struct DateQuestion: Sendable {
    /// Where it goes.
    public let source: TimeSources.Source
    /// The SOCKS user name that separates circuits.
    let isolation: String
    /// A file of certificates; `nil` for the system's.
    let authorities: String?

    /// The program.
    public static let program = "/usr/bin/curl"
    /// Seconds for all of one question.
    public static let patience = 45
    /// Answers that took longer say too little.
    static let slowest = 20.0
    /// The user agent of Tor Browser, the most common one of those who come from exit relays.
    static let agent = "Mozilla/5.0 (Windows NT 10.0; rv:140.0) Gecko/20100101 Firefox/140.0"
    private static let mark = "needletail-timing"

    /// A question.
    public init(_ source: TimeSources.Source, isolation: String, authorities: String? = nil) {
        self.source = source
        self.isolation = isolation
        self.authorities = authorities
    }

    /// The program's arguments.
    public var arguments: [String] {
        var words = [
            "--disable", "--silent", "--show-error", "--head", "--no-keepalive", "--noproxy", "", "--globoff",
            "--proxy", "socks5h://localhost\(TorPort.systemSocket)", "--proxy-user", "\(isolation):clock",
            "--proto", source.kind == .https ? "=https" : "=http", "--max-redirs", "0", "--max-time",
            "\(Self.patience)",
            "--user-agent", Self.agent, "--header", "Accept: */*",
        ]
        if source.kind == .https {
            words += ["--tlsv1.2"]
            if let authorities { words += ["--cacert", authorities] }
        }
        return words + [
            "--write-out", "\n\(Self.mark) %{http_code} %{time_pretransfer} %{time_starttransfer} %{time_total}\n",
            "--url", source.address,
        ]
    }

    /// What came back.
    public struct Reply: Hashable, Sendable {
        /// The source's time when it answered.
        public let date: Moment
        /// Seconds from the program's start to the middle between question and answer.
        public let middle: Double
        /// Seconds from question to answer.
        public let roundTrip: Double
        /// Seconds that all of it took.
        public let total: Double
    }

    /// Reads the program's output.
    ///
    /// - Parameter output: headers, and the line with the times, which comes last: no header can pretend to be it.
    /// - Returns: `nil` when there is not exactly one date that can be read.
    public static func reply(_ output: String) -> Reply? {
        let lines = output.split(whereSeparator: \.isNewline)
        guard let last = lines.last?.split(separator: " "), last.count == 5, last[0] == Self.mark,
            let status = Int(last[1]), (200...499).contains(status), let sent = seconds(last[2]),
            let answered = seconds(last[3]), let total = seconds(last[4]), sent <= answered, answered <= total,
            answered - sent <= slowest
        else { return nil }
        let dates = lines.prefix(512).compactMap { line -> String? in
            guard line.count < 256, let colon = line.firstIndex(of: ":"), line[..<colon].lowercased() == "date" else {
                return nil
            }
            return line[line.index(after: colon)...].trimmed
        }
        guard dates.count == 1, let date = Moment(httpDate: dates[0]) else { return nil }
        return Reply(date: date, middle: (sent + answered) / 2, roundTrip: answered - sent, total: total)
    }

    private static func seconds(_ text: Substring) -> Double? {
        guard text.utf8.count < 20, text.utf8.allSatisfy({ (48...57).contains($0) || $0 == 46 }),
            let value = Double(text), value.isFinite
        else { return nil }
        return value
    }

    /// What the program's status means, for the log. See `man 1 curl`, "Exit codes".
    public static func failure(status: Int32) -> String {
        switch status {
        case 0: Words.noDate
        case 7, 97: Words.notReached
        case 28, 255: Words.noAnswer
        case 35: Words.noEncryption
        case 60: Words.badCertificate
        default: Words.curl(status)
        }
    }
}

extension Substring {
    fileprivate var trimmed: String {
        var text = self[...]
        while let first = text.first, first == " " || first == "\t" { text.removeFirst() }
        while let last = text.last, last == " " || last == "\t" { text.removeLast() }
        return String(text)
    }
}
