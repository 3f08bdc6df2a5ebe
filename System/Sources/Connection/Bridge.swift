// SPDX-License-Identifier: GPL-3.0-or-later

/// A way into Tor that is not in the public list of relays. Only ``BridgeText`` makes one, so every one is well formed.
public struct Bridge: Sendable, Hashable {
    /// How the traffic to a bridge looks.
    public enum Transport: String, Sendable, Hashable, CaseIterable {
        /// Like Tor's.
        case plain
        /// Like nothing known.
        case obfs4
        /// Like a video call with a volunteer's browser.
        case snowflake
    }

    /// How the traffic looks.
    public let transport: Transport
    /// The IPv4 address.
    public let address: String
    /// The port.
    public let port: UInt16
    /// The fingerprint of the bridge's key, 40 capital hexadecimal digits.
    public let fingerprint: String?
    /// What the transport needs to know, as `key=value` words.
    public let arguments: [String]

    /// Address and port, as Tor names a bridge whose fingerprint it does not know.
    public var endpoint: String { "\(address):\(port)" }

    /// The value of Tor's option `Bridge`; printable ASCII.
    public var line: String {
        ((transport == .plain ? [] : [transport.rawValue]) + [endpoint] + (fingerprint.map { [$0] } ?? []) + arguments)
            .joined(separator: " ")
    }

    /// Whether its transport sends UDP, which the firewall only lets out when asked to.
    public var needsUDP: Bool { transport == .snowflake }
}

/// What is wrong with a line, for people.
public struct BridgeProblem: Error, Sendable, Hashable, CustomStringConvertible {
    /// The character in the line at which the wrong word starts, from 1.
    public let column: Int
    /// The wrong word, cut to 60 characters, other signs than printable ASCII as `?`; `nil` when a word is missing.
    public let word: String?
    /// What is wrong with it.
    public let problem: String
    /// How it should look.
    public let expected: String

    /// Describes a problem.
    init(_ column: Int, _ word: String?, _ problem: String, _ expected: String) {
        self.column = column
        self.word = word.map { word in
            String(word.unicodeScalars.prefix(60).map { (0x20...0x7e).contains($0.value) ? Character($0) : "?" })
        }
        self.problem = problem
        self.expected = expected
    }

    /// For example `character 7, “1.2.3:80”: this is no address. It should look like 192.0.2.7:443.`
    public var description: String {
        "character \(column)" + (word.map { ", “\($0)”" } ?? "") + ": \(problem) \(expected)"
    }
}

/// What was found out about one line.
public struct BridgeVerdict: Sendable, Hashable {
    /// The line, or the entry of a QR code's list, from 1.
    public let line: Int
    /// The bridge, or what is wrong.
    public let result: Result<Bridge, BridgeProblem>
}
