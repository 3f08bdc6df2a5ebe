// SPDX-License-Identifier: GPL-3.0-or-later

/// What is typed at the question: a number that only the question shows. Somebody who cannot read that screen, but could make
/// the user type at the wrong moment or could press keys blindly, does not know it.
struct ConsentEntry {
    enum Event: Hashable {
        /// Nothing has been decided; the text is what to show of the key.
        case going(show: String)
        case agreed
        case refused
        /// Another number was typed.
        case wrong
    }

    /// Four digits.
    let code: String
    private var typed = ""

    init(code: String) { self.code = code }

    /// A number that nobody knows before.
    static func newCode() -> String {
        var generator = SystemRandomNumberGenerator()
        return String(Int.random(in: 1000...9999, using: &generator))
    }

    /// Takes one byte from the keyboard.
    mutating func take(_ byte: UInt8) -> Event {
        switch byte {
        case 0x30...0x39:
            guard typed.utf8.count < 8 else { return .going(show: "") }
            let digit = String(UnicodeScalar(byte))
            typed += digit
            return .going(show: digit)
        case 0x08, 0x7f:
            guard !typed.isEmpty else { return .going(show: "") }
            typed.removeLast()
            return .going(show: "\u{8} \u{8}")
        case 0x0a, 0x0d:
            if typed.isEmpty { return .refused }
            let isRight = typed == code
            typed = ""
            return isRight ? .agreed : .wrong
        // Escape, Ctrl-C, Ctrl-D, n, q: somebody wants out.
        case 0x1b, 0x03, 0x04, UInt8(ascii: "n"), UInt8(ascii: "N"), UInt8(ascii: "q"), UInt8(ascii: "Q"):
            return .refused
        default: return .going(show: "")
        }
    }
}
