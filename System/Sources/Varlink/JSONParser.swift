// SPDX-License-Identifier: GPL-3.0-or-later

/// Reads JSON as strictly as RFC 8259 allows: UTF-8 only, no name twice in an object, bounded depth. One pass, no recursion
/// deeper than the bound, so that hostile text costs no more than its length.
struct JSONParser {
    /// Objects and arrays within each other.
    static let depthLimit = 32

    private let bytes: [UInt8]
    private var position = 0
    private var depth = 0

    /// Reads a whole text.
    ///
    /// - Throws: ``JSONFailure``.
    static func value(in bytes: [UInt8]) throws(JSONFailure) -> JSONValue {
        guard String(validating: bytes, as: UTF8.self) != nil else {
            throw JSONFailure(description: "the text is not UTF-8", offset: 0)
        }
        var parser = JSONParser(bytes: bytes)
        let value = try parser.value()
        parser.skipSpace()
        guard parser.position == bytes.count else { throw parser.failure("text after the value") }
        return value
    }

    private init(bytes: [UInt8]) { self.bytes = bytes }

    private mutating func value() throws(JSONFailure) -> JSONValue {
        skipSpace()
        guard let byte = current else { throw failure("the text ends where a value should be") }
        switch byte {
        case UInt8(ascii: "{"): return try object()
        case UInt8(ascii: "["): return try array()
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
        default: throw failure("no value starts like this")
        }
    }

    private mutating func object() throws(JSONFailure) -> JSONValue {
        try enter()
        var members: [String: JSONValue] = [:]
        skipSpace()
        if take(UInt8(ascii: "}")) { return leave(.object(members)) }
        repeat {
            skipSpace()
            guard current == UInt8(ascii: "\"") else { throw failure("a name should be here") }
            let name = try string()
            skipSpace()
            guard take(UInt8(ascii: ":")) else { throw failure("a colon should be here") }
            guard members.updateValue(try value(), forKey: name) == nil else { throw failure("a name is there twice") }
            skipSpace()
        } while take(UInt8(ascii: ","))
        guard take(UInt8(ascii: "}")) else { throw failure("the object does not end") }
        return leave(.object(members))
    }

    private mutating func array() throws(JSONFailure) -> JSONValue {
        try enter()
        var values: [JSONValue] = []
        skipSpace()
        if take(UInt8(ascii: "]")) { return leave(.array(values)) }
        repeat {
            values.append(try value())
            skipSpace()
        } while take(UInt8(ascii: ","))
        guard take(UInt8(ascii: "]")) else { throw failure("the list does not end") }
        return leave(.array(values))
    }

    private mutating func enter() throws(JSONFailure) {
        position += 1
        depth += 1
        guard depth <= Self.depthLimit else { throw failure("more than \(Self.depthLimit) levels") }
    }

    private mutating func leave(_ value: JSONValue) -> JSONValue {
        depth -= 1
        return value
    }

    private mutating func word(_ word: StaticString, _ value: JSONValue) throws(JSONFailure) -> JSONValue {
        let count = word.utf8CodeUnitCount
        guard position + count <= bytes.count, bytes[position..<position + count].elementsEqual("\(word)".utf8) else {
            throw failure("no value starts like this")
        }
        position += count
        return value
    }

    private mutating func number() throws(JSONFailure) -> JSONValue {
        let start = position
        var isInteger = true
        _ = take(UInt8(ascii: "-"))
        if take(UInt8(ascii: "0")) {
            if isDigit(current) { throw failure("a number starts with 0") }
        } else {
            try digits()
        }
        if take(UInt8(ascii: ".")) {
            isInteger = false
            try digits()
        }
        if current == UInt8(ascii: "e") || current == UInt8(ascii: "E") {
            isInteger = false
            position += 1
            if current == UInt8(ascii: "+") || current == UInt8(ascii: "-") { position += 1 }
            try digits()
        }
        guard position - start <= 40 else { throw failure("a number of more than 40 characters") }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        if isInteger, let value = Int64(text) { return .int(value) }
        guard let value = Double(text), value.isFinite else { throw failure("a number that is too large") }
        return .float(value)
    }

    private mutating func digits() throws(JSONFailure) {
        guard isDigit(current) else { throw failure("a digit should be here") }
        while isDigit(current) { position += 1 }
    }

    private func isDigit(_ byte: UInt8?) -> Bool {
        guard let byte else { return false }
        return (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }

    private mutating func string() throws(JSONFailure) -> String {
        position += 1
        var output: [UInt8] = []
        while true {
            guard let byte = current else { throw failure("the text ends within quotes") }
            position += 1
            switch byte {
            case UInt8(ascii: "\""): return String(decoding: output, as: UTF8.self)
            case UInt8(ascii: "\\"): try escape(into: &output)
            case ..<0x20: throw failure("a control character within quotes")
            default: output.append(byte)
            }
        }
    }

    private mutating func escape(into output: inout [UInt8]) throws(JSONFailure) {
        guard let byte = current else { throw failure("the text ends within quotes") }
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): output.append(byte)
        case UInt8(ascii: "b"): output.append(0x08)
        case UInt8(ascii: "f"): output.append(0x0c)
        case UInt8(ascii: "n"): output.append(0x0a)
        case UInt8(ascii: "r"): output.append(0x0d)
        case UInt8(ascii: "t"): output.append(0x09)
        case UInt8(ascii: "u"):
            var code = UInt32(try hexadecimal())
            if (0xd800..<0xdc00).contains(code) {
                // Characters beyond 16 bits come as two.
                guard take(UInt8(ascii: "\\")), take(UInt8(ascii: "u")) else { throw failure("half a character") }
                let second = UInt32(try hexadecimal())
                guard (0xdc00..<0xe000).contains(second) else { throw failure("half a character") }
                code = 0x10000 + (code - 0xd800) << 10 + (second - 0xdc00)
            }
            guard let scalar = Unicode.Scalar(code) else { throw failure("half a character") }
            output += String(Character(scalar)).utf8
        default: throw failure("no character is written like this")
        }
    }

    private mutating func hexadecimal() throws(JSONFailure) -> UInt16 {
        guard position + 4 <= bytes.count else { throw failure("the text ends within quotes") }
        var value: UInt16 = 0
        for byte in bytes[position..<position + 4] {
            guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue, byte < 0x80 else {
                throw failure("four hexadecimal digits should be here")
            }
            value = value << 4 | UInt16(digit)
        }
        position += 4
        return value
    }

    private var current: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard current == byte else { return false }
        position += 1
        return true
    }

    private mutating func skipSpace() {
        while let byte = current, byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 { position += 1 }
    }

    private func failure(_ description: String) -> JSONFailure {
        JSONFailure(description: description, offset: position)
    }
}
