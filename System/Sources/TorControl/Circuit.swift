// SPDX-License-Identifier: GPL-3.0-or-later

/// A relay as events and circuits name it: `$FINGERPRINT~nickname`.
public struct Relay: Hashable, Sendable, CustomStringConvertible {
    /// 40 hexadecimal digits in capitals.
    public let fingerprint: String
    /// The name that its operator chose: 1 to 19 letters and digits; anybody may choose any.
    public let nickname: String?

    /// Reads `$FINGERPRINT`, `$FINGERPRINT~nickname` or `$FINGERPRINT=nickname`.
    ///
    /// - Returns: `nil` for anything else.
    public init?(_ text: some StringProtocol) {
        let bytes = Array(text.utf8)
        guard bytes.count >= 41, bytes[0] == UInt8(ascii: "$") else { return nil }
        let digits = bytes[1..<41]
        guard digits.allSatisfy({ Self.isHexadecimal($0) }) else { return nil }
        fingerprint = String(decoding: digits, as: UTF8.self).uppercased()
        if bytes.count == 41 {
            nickname = nil
            return
        }
        let name = bytes[42...]
        guard bytes[41] == UInt8(ascii: "~") || bytes[41] == UInt8(ascii: "="), (1...19).contains(name.count),
            name.allSatisfy({ Self.isAlphanumeric($0) })
        else { return nil }
        nickname = String(decoding: name, as: UTF8.self)
    }

    /// As Tor writes it.
    public var description: String { "$\(fingerprint)" + (nickname.map { "~\($0)" } ?? "") }

    private static func isHexadecimal(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "F"),
            UInt8(ascii: "a")...UInt8(ascii: "f"):
            true
        default: false
        }
    }

    static func isAlphanumeric(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "a")...UInt8(ascii: "z"):
            true
        default: false
        }
    }
}

/// A circuit: a path through relays (control-spec 4.1.1).
public struct Circuit: Hashable, Sendable {
    /// How far it is.
    public enum Status: Hashable, Sendable {
        case launched, built, guardWait, extended, failed, closed
        /// A status that this library does not know.
        case unknown(String)

        init(_ text: String) {
            self =
                switch text {
                case "LAUNCHED": .launched
                case "BUILT": .built
                case "GUARD_WAIT": .guardWait
                case "EXTENDED": .extended
                case "FAILED": .failed
                case "CLOSED": .closed
                default: .unknown(text)
                }
        }
    }

    /// 1 to 16 letters and digits.
    public let identifier: String
    /// How far it is.
    public let status: Status
    /// The relays it goes through by now, from the nearest; at most 32.
    public let path: [Relay]
    /// What it is for, such as `GENERAL` or `HS_CLIENT_REND`.
    public let purpose: String?
    /// Such as `ONEHOP_TUNNEL`, `IS_INTERNAL`, `NEED_CAPACITY`.
    public let flags: [String]
    /// Why it failed or was closed.
    public let reason: String?
    /// The reason that the other side gave.
    public let remoteReason: String?
    /// The state of an onion service's circuit.
    public let onionState: String?
    /// The onion service it is for, without `.onion`.
    public let onionAddress: String?
    /// When it was made: `2026-11-21T11:40:10.000000`, by Tor's clock.
    public let created: String?
    /// The user name that the program gave at the SOCKS port.
    public let socksUser: String?
    /// Everything of the line, understood or not.
    public let fields: Fields

    /// Reads a line of `GETINFO circuit-status`, or what follows `CIRC` in an event.
    ///
    /// - Returns: `nil` when it is no circuit.
    public init?(_ text: some StringProtocol) {
        guard let fields = Fields(text, words: 2), fields.words.count >= 2, Self.isIdentifier(fields.words[0]) else {
            return nil
        }
        self.fields = fields
        identifier = fields.words[0]
        status = Status(fields.words[1])
        if fields.words.count > 2 {
            let names = fields.words[2].split(separator: ",", maxSplits: 33)
            let relays = names.compactMap { Relay($0) }
            guard relays.count == names.count, relays.count <= 32 else { return nil }
            path = relays
        } else {
            path = []
        }
        purpose = fields["PURPOSE"]
        flags = fields["BUILD_FLAGS"]?.split(separator: ",").map(String.init) ?? []
        reason = fields["REASON"]
        remoteReason = fields["REMOTE_REASON"]
        onionState = fields["HS_STATE"]
        onionAddress = fields["REND_QUERY"]
        created = fields["TIME_CREATED"]
        socksUser = fields["SOCKS_USERNAME"]
    }

    /// Whether text can be the identifier of a circuit or stream: 1 to 16 letters and digits.
    public static func isIdentifier(_ text: String) -> Bool {
        (1...16).contains(text.utf8.count) && text.utf8.allSatisfy { Relay.isAlphanumeric($0) }
    }
}
