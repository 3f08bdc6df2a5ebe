// SPDX-License-Identifier: GPL-3.0-or-later
import FoundationEssentials

/// The web sites that are asked for the time: the data file `time-sources.json`.
public struct TimeSources: Hashable, Sendable, Codable {
    /// Who runs web sites, independently of the others.
    public struct Operator: Hashable, Sendable, Codable {
        /// The name for people and the log.
        public let name: String
        /// Why this one, and independent of whom.
        public let reason: String
        /// Its web sites; one of them is asked.
        public let sources: [Source]
    }

    /// A web site.
    public struct Source: Hashable, Sendable, Codable {
        /// How it proves who it is.
        public enum Kind: String, Hashable, Sendable, Codable {
            /// By a certificate.
            case https
            /// By its address: an onion service, asked without TLS.
            case onion
        }

        /// How it proves who it is.
        public let kind: Kind
        /// Its host name, with a port after a colon when it is not the usual one.
        public let host: String

        /// The address that is asked for.
        public var address: String { "\(kind == .https ? "https" : "http")://\(host)/" }

        enum CodingKeys: String, CodingKey { case kind, host }

        /// Names a source.
        ///
        /// - Throws: `DecodingError` for what is no host name: it becomes part of a program's arguments.
        public init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            kind = try container.decode(Kind.self, forKey: .kind)
            host = try container.decode(String.self, forKey: .host)
            guard Self.isHost(host, kind) else {
                throw DecodingError.dataCorruptedError(
                    forKey: .host, in: container,
                    debugDescription: "“\(host.prefix(80))” is not the host name of a source of kind \(kind.rawValue).")
            }
        }

        static func isHost(_ text: String, _ kind: Kind) -> Bool {
            let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = parts.first, (1...253).contains(name.utf8.count), let first = name.utf8.first,
                first != UInt8(ascii: "-"), first != UInt8(ascii: "."),
                name.utf8.allSatisfy({ (97...122).contains($0) || (48...57).contains($0) || $0 == 45 || $0 == 46 })
            else { return false }
            if parts.count == 2 {
                guard let port = UInt16(parts[1]), port > 0, parts[1].utf8.first != UInt8(ascii: "+") else {
                    return false
                }
            }
            switch kind {
            case .https: return !name.hasSuffix(".onion")
            case .onion:
                // Version 3: 56 characters of Base32, possibly behind a subdomain. It is the key with which the service proves itself.
                let labels = name.split(separator: ".")
                return labels.last == "onion" && labels.dropLast().last?.utf8.count == 56
            }
        }
    }

    /// A file of PEM certificates that vouch for the web sites; `nil` for the system's list.
    public let authorities: String?
    /// Who is asked, at least three.
    public let operators: [Operator]

    enum CodingKeys: String, CodingKey { case authorities, operators }

    /// Reads and checks.
    ///
    /// - Throws: `DecodingError` with a sentence.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        authorities = try container.decodeIfPresent(String.self, forKey: .authorities)
        operators = try container.decode([Operator].self, forKey: .operators)
        func fail(_ sentence: String) -> DecodingError {
            .dataCorruptedError(forKey: .operators, in: container, debugDescription: sentence)
        }
        guard (Survey.quorum...64).contains(operators.count) else {
            throw fail("There are \(operators.count) operators; \(Survey.quorum) to 64 are needed.")
        }
        guard Set(operators.map(\.name)).count == operators.count else { throw fail("Two operators have one name.") }
        for one in operators where !(1...16).contains(one.sources.count) {
            throw fail("The operator \(one.name) has \(one.sources.count) sources; 1 to 16 are needed.")
        }
        let hosts = operators.flatMap(\.sources).map(\.host)
        guard Set(hosts).count == hosts.count else { throw fail("A host is in the list twice.") }
    }

    /// The administrator's file goes before the system's.
    public static let paths = ["/etc/needletail/time-sources.json", "/usr/lib/needletail/time-sources.json"]

    /// Reads a file's content.
    ///
    /// - Throws: `DecodingError`.
    public init(json: [UInt8]) throws { self = try JSONDecoder().decode(TimeSources.self, from: Data(json)) }
}
