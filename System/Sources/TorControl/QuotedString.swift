// SPDX-License-Identifier: GPL-3.0-or-later

/// Text between quotes as the protocol writes it (control-spec 2.1.1: QuotedString and CString).
public enum QuotedString {
    /// Puts text between quotes. Quotes, backslashes and control characters are escaped, so that it stays one string of one line.
    public static func encode(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\":
                quoted += "\\"
                quoted.unicodeScalars.append(scalar)
            case "\n": quoted += "\\n"
            case "\r": quoted += "\\r"
            case "\t": quoted += "\\t"
            default:
                if scalar.value < 0x20 || scalar.value == 0x7f {
                    // Three digits always, so that a digit that follows is not taken for a part of it.
                    let digits = String(scalar.value, radix: 8)
                    quoted += "\\" + String(repeating: "0", count: 3 - digits.count) + digits
                } else {
                    quoted.unicodeScalars.append(scalar)
                }
            }
        }
        return quoted + "\""
    }

    /// A value that Tor quotes only where it must, such as an option's: without its quotes, if it has any.
    public static func value(_ text: String) -> String {
        let bytes = Array(text.utf8)
        guard let (value, length) = decode(bytes[...]), length == bytes.count else { return text }
        return value
    }

    /// Reads a quoted string at the start of bytes.
    ///
    /// - Returns: the text, bytes that are not UTF-8 replaced, and the number of bytes it took with its quotes; `nil` when there is
    ///   no whole quoted string.
    public static func decode(_ bytes: ArraySlice<UInt8>) -> (text: String, length: Int)? {
        guard bytes.first == UInt8(ascii: "\"") else { return nil }
        var text: [UInt8] = []
        var place = bytes.startIndex + 1
        while place < bytes.endIndex {
            let byte = bytes[place]
            place += 1
            if byte == UInt8(ascii: "\"") {
                return (String(decoding: text, as: UTF8.self), place - bytes.startIndex)
            }
            guard byte == UInt8(ascii: "\\") else {
                text.append(byte)
                continue
            }
            guard place < bytes.endIndex else { return nil }
            text.append(escaped(bytes, &place))
        }
        return nil
    }

    /// The byte that an escape stands for; `place` is after the backslash, and afterwards after the escape.
    private static func escaped(_ bytes: ArraySlice<UInt8>, _ place: inout Int) -> UInt8 {
        let first = bytes[place]
        place += 1
        switch first {
        case UInt8(ascii: "n"): return 0x0a
        case UInt8(ascii: "r"): return 0x0d
        case UInt8(ascii: "t"): return 0x09
        case UInt8(ascii: "0")...UInt8(ascii: "3"):
            var value = first - UInt8(ascii: "0")
            var digits = 1
            while digits < 3, place < bytes.endIndex, (UInt8(ascii: "0")...UInt8(ascii: "7")).contains(bytes[place]) {
                value = value * 8 + (bytes[place] - UInt8(ascii: "0"))
                place += 1
                digits += 1
            }
            return value
        default: return first
        }
    }
}
