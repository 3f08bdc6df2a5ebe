// SPDX-License-Identifier: GPL-3.0-or-later

/// Small reports from one program to another, as lines `key=value`, and what strangers' words become in them.
public enum ReportText {
    /// Reads lines `key=value`; others are left out, and of two with the same key the last one counts.
    ///
    /// - Parameters:
    ///   - text: the report.
    ///   - limit: the most lines that are looked at.
    /// - Returns: the values.
    public static func values(in text: String, limit: Int = 16) -> [Substring: Substring] {
        var values: [Substring: Substring] = [:]
        for line in text.split(separator: "\n").prefix(limit) {
            let parts = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            if parts.count == 2 { values[parts[0]] = parts[1] }
        }
        return values
    }

    /// Text of a stranger for one line: at most 200 characters, printable ASCII; the rest becomes a question mark.
    ///
    /// - Parameter text: whatever it is.
    /// - Returns: what may stand in a report and on a screen.
    public static func printable(_ text: some StringProtocol) -> String {
        String(decoding: text.utf8.prefix(200).map { (32..<127).contains($0) ? $0 : UInt8(ascii: "?") }, as: UTF8.self)
    }
}
