// SPDX-License-Identifier: GPL-3.0-or-later

/// Reading and writing numbers at byte offsets, as every format on a disk needs it. Reading never traps: what lies
/// outside the bytes is `nil`, because the bytes may come from a stranger's disk.
extension [UInt8] {
    package func littleEndian<Value: FixedWidthInteger>(at offset: Int, as type: Value.Type = Value.self) -> Value? {
        let width = Value.bitWidth / 8
        guard offset >= 0, count >= width, offset <= count - width else { return nil }
        var value: Value = 0
        for index in (0..<width).reversed() {
            value = (value << 8) | Value(truncatingIfNeeded: self[offset + index])
        }
        return value
    }

    package func bytes(at offset: Int, count wanted: Int) -> [UInt8]? {
        guard offset >= 0, wanted >= 0, count >= wanted, offset <= count - wanted else { return nil }
        return [UInt8](self[offset..<offset + wanted])
    }

    package mutating func append<Value: FixedWidthInteger>(littleEndian value: Value) {
        for shift in stride(from: 0, to: Value.bitWidth, by: 8) {
            append(UInt8(truncatingIfNeeded: value >> Value(shift)))
        }
    }

    package mutating func replace<Value: FixedWidthInteger>(at offset: Int, littleEndian value: Value) {
        var encoded: [UInt8] = []
        encoded.append(littleEndian: value)
        replaceSubrange(offset..<offset + encoded.count, with: encoded)
    }
}

/// Lower-case hexadecimal text of bytes, and back.
package enum Hexadecimal {
    package static func text(_ bytes: some Sequence<UInt8>) -> String {
        let digits = [Character]("0123456789abcdef")
        var text = ""
        for byte in bytes {
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        return text
    }

    /// The bytes of `text`, or `nil` when it has an odd length or holds anything but hexadecimal digits.
    package static func bytes(_ text: some StringProtocol) -> [UInt8]? {
        var bytes: [UInt8] = []
        var high: UInt8?
        for unit in text.utf8 {
            let digit: UInt8
            switch unit {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = unit - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = unit - UInt8(ascii: "a") + 10
            case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = unit - UInt8(ascii: "A") + 10
            default: return nil
            }
            if let first = high {
                bytes.append(first << 4 | digit)
                high = nil
            } else {
                high = digit
            }
        }
        return high == nil ? bytes : nil
    }
}
