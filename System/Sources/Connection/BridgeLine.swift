// SPDX-License-Identifier: GPL-3.0-or-later

/// Reads one line. See tor(1), `Bridge`.
enum BridgeLine {
    private struct Word {
        let text: String
        /// From 1.
        let column: Int
    }

    /// Arguments that snowflake-client takes from a line, see snowflake-client(1).
    private static let snowflakeKeys: Set<String> = [
        "fingerprint", "url", "front", "fronts", "ice", "max", "ampcache", "utls-imitate", "utls-nosni",
        "covertdtls-config",
    ]
    /// Transports that others have and this system does not.
    private static let otherTransports: Set<String> = [
        "webtunnel", "meek", "meek_lite", "obfs2", "obfs3", "scramblesuit", "fte", "conjure", "dnstt",
    ]
    /// SOCKS carries a transport's arguments as a user name and a password of 255 bytes each (tor's pt-spec 3.5).
    private static let argumentLimit = 510

    static func bridge(in bytes: [UInt8]) throws(BridgeProblem) -> Bridge {
        guard bytes.count <= BridgeText.lineLimit else {
            throw BridgeProblem(
                1, nil, "This line is too long.", "A bridge line has at most \(BridgeText.lineLimit) characters.")
        }
        var words = try words(of: bytes)
        if let first = words.first, first.text.lowercased() == "bridge" { words.removeFirst() }
        guard let first = words.first else {
            throw BridgeProblem(bytes.count + 1, nil, "The line ends too early.", "It should go on with an address.")
        }
        var transport = Bridge.Transport.plain
        if first.text.first?.isLetter == true, !first.text.contains(":"), !first.text.contains(".") {
            transport = try self.transport(first)
            words.removeFirst()
        }
        guard let target = words.first else {
            throw BridgeProblem(
                bytes.count + 1, nil, "The address is missing.", "It should look like 192.0.2.7:443.")
        }
        let (address, port) = try endpoint(target, transport)
        words.removeFirst()
        var fingerprint: String?
        if let word = words.first, !word.text.contains("=") {
            guard word.text.utf8.count == 40, word.text.utf8.allSatisfy(isHexDigit) else {
                throw BridgeProblem(
                    word.column, word.text, "This is no fingerprint.",
                    "A fingerprint has 40 characters from 0 to 9 and A to F; this one has \(word.text.utf8.count).")
            }
            fingerprint = word.text.uppercased()
            words.removeFirst()
        }
        try checkArguments(words, of: transport, fingerprint: fingerprint, end: bytes.count + 1)
        return Bridge(
            transport: transport, address: address, port: port, fingerprint: fingerprint,
            arguments: transport == .snowflake ? arguments(words.map(\.text)) : words.map(\.text))
    }

    private static func words(of bytes: [UInt8]) throws(BridgeProblem) -> [Word] {
        var words: [Word] = []
        var start: Int?
        for (place, byte) in (bytes + [0x20]).enumerated() {
            if byte == 0x20 || byte == 0x09 {
                if let begin = start {
                    words.append(Word(text: String(decoding: bytes[begin..<place], as: UTF8.self), column: begin + 1))
                }
                start = nil
                continue
            }
            // Quotes and backslashes have a meaning for Tor, and none in a bridge line.
            guard (0x21...0x7e).contains(byte), byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\") else {
                let text = String(decoding: bytes[(start ?? place)...].prefix(60), as: UTF8.self)
                throw BridgeProblem(
                    place + 1, text, "There is a sign here that no bridge line has.",
                    "Copy the line again, as plain text.")
            }
            if start == nil { start = place }
        }
        return words
    }

    private static func transport(_ word: Word) throws(BridgeProblem) -> Bridge.Transport {
        if let transport = Bridge.Transport(rawValue: word.text.lowercased()), transport != .plain { return transport }
        if otherTransports.contains(word.text.lowercased()) {
            throw BridgeProblem(
                word.column, word.text, "This system does not have this kind of bridge.",
                "It can use obfs4 bridges, snowflake, and bridges without a kind.")
        }
        throw BridgeProblem(
            word.column, word.text, "This kind of bridge is not known.",
            "A line starts with obfs4, with snowflake, or with an address like 192.0.2.7:443.")
    }

    private static func endpoint(
        _ word: Word, _ transport: Bridge.Transport
    ) throws(BridgeProblem) -> (String, UInt16) {
        let expected = "It should look like 192.0.2.7:443."
        if word.text.hasPrefix("[") || word.text.utf8.count(where: { $0 == UInt8(ascii: ":") }) > 1 {
            throw BridgeProblem(
                word.column, word.text, "This is a bridge with an IPv6 address, and IPv6 is off in this system.",
                "Ask for a bridge with an IPv4 address. " + expected)
        }
        let parts = word.text.utf8.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        let numbers = (parts.first ?? "".utf8[...]).split(
            separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        let octets = numbers.compactMap { number(String($0) ?? "", below: 256) }
        guard numbers.count == 4, octets.count == 4 else {
            throw BridgeProblem(word.column, word.text, "This is no IPv4 address.", expected)
        }
        guard parts.count == 2 else {
            throw BridgeProblem(word.column, word.text, "The port is missing after the address.", expected)
        }
        guard let port = number(String(parts[1]) ?? "", below: 65536), port > 0 else {
            throw BridgeProblem(
                word.column, word.text, "This is no port.", "A port is a number from 1 to 65535. " + expected)
        }
        // This computer itself, nobody, and many at once.
        guard octets[0] != 0, octets[0] != 127, octets[0] < 224 else {
            throw BridgeProblem(word.column, word.text, "No bridge can have this address.", expected)
        }
        return (octets.map(String.init).joined(separator: "."), UInt16(port))
    }

    /// A decimal number without leading zeros.
    private static func number(_ text: String, below limit: Int) -> Int? {
        guard (1...5).contains(text.utf8.count), text.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            text == "0" || text.utf8.first != 0x30, let value = Int(text), value < limit
        else { return nil }
        return value
    }

    private static func isHexDigit(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x46).contains(byte) || (0x61...0x66).contains(byte)
    }

    // MARK: Arguments

    private static func checkArguments(
        _ words: [Word], of transport: Bridge.Transport, fingerprint: String?, end: Int
    ) throws(BridgeProblem) {
        var values: [String: String] = [:]
        for word in words {
            let parts = word.text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty, transport != .plain else {
                throw BridgeProblem(
                    word.column, word.text, "This word does not belong here.",
                    transport == .plain
                        ? "A bridge without a kind has an address and a fingerprint, nothing else. "
                            + "Perhaps the first word is missing, such as obfs4."
                        : "After the fingerprint there are words like name=value.")
            }
            guard values.updateValue(parts[1], forKey: parts[0]) == nil else {
                throw BridgeProblem(word.column, word.text, "\(parts[0]) is there twice.", "Leave one of the two out.")
            }
            switch transport {
            case .plain: break
            case .obfs4: try checkObfs4(word, parts[0], parts[1])
            case .snowflake: try checkSnowflake(word, parts[0], parts[1], fingerprint)
            }
        }
        guard words.reduce(0, { $0 + $1.text.utf8.count + 1 }) <= argumentLimit else {
            throw BridgeProblem(
                words.first?.column ?? 1, nil, "The words after the fingerprint are too long.",
                "Together they may have \(argumentLimit) characters.")
        }
        if transport == .obfs4 {
            guard values["cert"] != nil else {
                throw BridgeProblem(
                    end, nil, "The line ends too early: cert= is missing.",
                    "An obfs4 line ends with cert=… iat-mode=0.")
            }
            guard values["iat-mode"] != nil else {
                throw BridgeProblem(
                    end, nil, "The line ends too early: iat-mode= is missing.",
                    "An obfs4 line ends with cert=… iat-mode=0.")
            }
        }
    }

    private static func checkObfs4(_ word: Word, _ key: String, _ value: String) throws(BridgeProblem) {
        switch key {
        case "cert":
            // 20 bytes of the fingerprint and 32 of a key, in base64 without its padding.
            guard value.utf8.count == 70, value.utf8.allSatisfy(isBase64) else {
                throw BridgeProblem(
                    word.column, word.text, "cert= is not complete.",
                    "After cert= there are 70 letters, digits, + and /; here there are \(value.utf8.count).")
            }
        case "iat-mode":
            guard ["0", "1", "2"].contains(value) else {
                throw BridgeProblem(word.column, word.text, "iat-mode= has a wrong value.", "It is 0, 1 or 2.")
            }
        default:
            throw BridgeProblem(
                word.column, word.text, "obfs4 knows no “\(key)”.", "An obfs4 line ends with cert=… iat-mode=0.")
        }
    }

    /// This system's snowflake-client (2.5.1) knows `front=`, but not `fronts=`: it would pass over the list, and name the broker
    /// itself for all to see. One of the list takes its place; without either word nothing was to be hidden.
    private static func arguments(_ words: [String]) -> [String] {
        let hasFront = words.contains { $0.hasPrefix("front=") }
        return words.compactMap { word in
            guard word.hasPrefix("fronts=") else { return word }
            return hasFront ? nil : word.dropFirst(7).split(separator: ",").first.map { "front=\($0)" }
        }
    }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
    }

    private static func isBase64(_ byte: UInt8) -> Bool {
        isLetterOrDigit(byte) || byte == UInt8(ascii: "+") || byte == UInt8(ascii: "/")
    }

    private static func isName(_ text: Substring) -> Bool {
        (1...253).contains(text.utf8.count)
            && text.utf8.allSatisfy { isLetterOrDigit($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: ".") }
    }

    private static func checkSnowflake(
        _ word: Word, _ key: String, _ value: String, _ fingerprint: String?
    ) throws(BridgeProblem) {
        guard snowflakeKeys.contains(key) else {
            throw BridgeProblem(
                word.column, word.text, "snowflake knows no “\(key)”.",
                "Copy the line again from where it comes from.")
        }
        switch key {
        case "url", "ampcache":
            guard value.hasPrefix("https://") else {
                throw BridgeProblem(word.column, word.text, "\(key)= is no safe address.", "It starts with https://.")
            }
        case "fingerprint":
            guard value.uppercased() == fingerprint else {
                throw BridgeProblem(
                    word.column, word.text, "This fingerprint is not the one before.", "Both are the same.")
            }
        case "ice":
            guard value.split(separator: ",").allSatisfy({ $0.hasPrefix("stun:") || $0.hasPrefix("turn:") }) else {
                throw BridgeProblem(
                    word.column, word.text, "ice= has a wrong value.",
                    "It looks like stun:server:3478,stun:server:3478.")
            }
        case "front", "fronts":
            guard value.split(separator: ",", omittingEmptySubsequences: false).allSatisfy(isName),
                key == "fronts" || !value.contains(",")
            else {
                throw BridgeProblem(
                    word.column, word.text, "\(key)= has a wrong value.", "It is a name such as www.example.com.")
            }
        case "max":
            guard number(value, below: 21) != nil else {
                throw BridgeProblem(word.column, word.text, "max= has a wrong value.", "It is a number up to 20.")
            }
        default: break
        }
    }
}
