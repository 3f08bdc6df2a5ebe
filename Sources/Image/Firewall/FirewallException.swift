// SPDX-License-Identifier: GPL-3.0-or-later
import Walls

/// One thing that a firewall lets pass.
public struct FirewallException: Sendable, Decodable {
    /// The namespace whose firewall has the rule.
    public enum Namespace: String, Sendable, Decodable, CaseIterable {
        /// With the network cards and Tor.
        case root
        /// The user's.
        case session
        /// The login page's.
        case portal
    }

    /// Which way.
    public enum Direction: String, Sendable, Decodable {
        /// From a program of the namespace.
        case out
        /// To a program of the namespace.
        case `in`
        /// From a link to a network card.
        case through
    }

    /// What is carried.
    public enum Transport: String, Sendable, Decodable {
        /// Streams.
        case tcp
        /// Single packets.
        case udp
        /// ICMP's "fragmentation needed".
        case tooBig = "too-big"
    }

    /// A link between the root namespace and another.
    public enum LinkName: String, Sendable, Decodable {
        /// The session's.
        case session
        /// The login page's.
        case portal

        var link: NamespaceLink {
            switch self {
            case .session: .session
            case .portal: .portal
            }
        }
    }

    /// A mark of connections, by which their later packets are known.
    public enum Mark: String, Sendable, Decodable, CaseIterable {
        /// Begun by Tor.
        case tor
        /// Begun by the login page's browser.
        case portal

        var value: String {
            switch self {
            case .tor: "0x\(String(Walls.torMark, radix: 16))"
            case .portal: "0x\(String(Walls.portalMark, radix: 16))"
            }
        }
    }

    /// A port: a number, or the name that `TorPort` has for it.
    public struct Port: Sendable, Decodable, Hashable {
        /// The number.
        public let number: UInt16

        static let names: [String: UInt16] = [
            "transparent": TorPort.transparent, "names": TorPort.names, "socks": TorPort.socks,
            "browser": TorPort.browser,
        ]

        /// Decodes a port.
        public init(from decoder: any Decoder) throws {
            let value = try decoder.singleValueContainer()
            let text = try value.decode(String.self)
            guard let number = Self.names[text] ?? UInt16(text), number > 0 else {
                throw DecodingError.dataCorruptedError(
                    in: value,
                    debugDescription:
                        "'\(text)' is neither a port's number nor one of: \(Self.names.keys.sorted().joined(separator: ", "))."
                )
            }
            self.number = number
        }
    }

    /// What it is called.
    public let name: String
    /// Where the rule is.
    public let namespace: Namespace
    /// Which way.
    public let direction: Direction
    /// The account whose programs may, for what goes out.
    public let owner: String?
    /// A set in which the account must be as well.
    public let ownerIn: String?
    /// The set of network cards.
    public let interface: String?
    /// The link.
    public let link: LinkName?
    /// Where to: a network, `@set`, `link` (our end of the link) or `onion`; anywhere when it is missing.
    public let destination: String?
    /// Where not to.
    public let exceptDestinations: [String]
    /// What is carried.
    public let protocols: [Transport]
    /// The sender's port.
    public let sourcePort: Port?
    /// The ports; all when it is empty.
    public let ports: [Port]
    /// Ports that are not meant.
    public let exceptPorts: [Port]
    /// How later packets of a connection are known.
    public let mark: Mark?
    /// Whether only answers pass.
    public let onlyAnswers: Bool
    /// Whether packets to any address come here.
    public let isRedirected: Bool
    /// Who can make it work.
    public let opener: FirewallOpener
    /// Why, for the reader.
    public let reason: String

    enum CodingKeys: String, CodingKey, CaseIterable {
        case name, namespace, direction, owner, ownerIn, interface, link, destination, exceptDestinations, protocols,
            sourcePort, ports, exceptPorts, mark, onlyAnswers, isRedirected, opener, reason
    }

    /// Decodes an exception. What does not go together is an error.
    public init(from decoder: any Decoder) throws {
        let values = try decoder.strictContainer(keyedBy: CodingKeys.self)
        name = try values.decode(String.self, .name) { Self.line($0) }
        namespace = try values.decode(Namespace.self, forKey: .namespace)
        direction = try values.decode(Direction.self, forKey: .direction)
        owner = try values.decodeIfPresent(String.self, forKey: .owner)
        ownerIn = try Self.set(values, .ownerIn)
        interface = try Self.set(values, .interface)
        link = try values.decodeIfPresent(LinkName.self, forKey: .link)
        destination = try values.decodeIfPresent(String.self, forKey: .destination)
        exceptDestinations = try values.decodeIfPresent([String].self, forKey: .exceptDestinations) ?? []
        protocols = try values.decode([Transport].self, .protocols) { $0.isEmpty ? "A protocol is needed." : nil }
        sourcePort = try values.decodeIfPresent(Port.self, forKey: .sourcePort)
        ports = try values.decodeIfPresent([Port].self, forKey: .ports) ?? []
        exceptPorts = try values.decodeIfPresent([Port].self, forKey: .exceptPorts) ?? []
        mark = try values.decodeIfPresent(Mark.self, forKey: .mark)
        onlyAnswers = try values.decodeIfPresent(Bool.self, forKey: .onlyAnswers) ?? false
        isRedirected = try values.decodeIfPresent(Bool.self, forKey: .isRedirected) ?? false
        opener = try values.decode(FirewallOpener.self, forKey: .opener)
        reason = try values.decode(String.self, .reason) { Self.line($0) }
        try check(values)
    }

    private func check(_ values: KeyedDecodingContainer<CodingKeys>) throws {
        if let owner, let problem = Self.word(owner) { throw values.error(.owner, problem) }
        if let destination, !["link", "onion"].contains(destination), !Self.isSet(destination),
            !Self.isNetwork(destination)
        {
            throw values.error(.destination, "'\(destination)' is no network, no @set, and neither 'link' nor 'onion'.")
        }
        if let wrong = exceptDestinations.first(where: { !Self.isNetwork($0) }) {
            throw values.error(.exceptDestinations, "'\(wrong)' is no IPv4 network.")
        }
        if protocols.contains(.tooBig), protocols.count > 1 || !ports.isEmpty {
            throw values.error(.protocols, "'too-big' stands alone and has no ports.")
        }
        if isRedirected, ports.count != 1 || direction != .in || protocols.count != 1 {
            throw values.error(.isRedirected, "Packets are led to one port of one protocol, on their way in.")
        }
        switch (namespace, direction) {
        case (.root, .out):
            if owner == nil { throw values.error(.direction, "What leaves needs an 'owner'.") }
            if interface == nil || link != nil {
                throw values.error(.direction, "What leaves the root namespace needs an 'interface', which is a set.")
            }
            if mark == nil, sourcePort == nil || ports.isEmpty {
                throw values.error(.mark, "Without a mark both ports have to be fixed.")
            }
        case (.root, .in):
            if (interface == nil) == (link == nil) {
                throw values.error(.direction, "What comes in comes from an 'interface' or from a 'link'.")
            }
            if interface != nil, !onlyAnswers, !protocols.contains(.tooBig) {
                throw values.error(.direction, "Nobody begins a connection from outside: 'onlyAnswers' is missing.")
            }
        case (.root, .through):
            if interface == nil || link == nil || mark == nil {
                throw values.error(.direction, "What goes through needs a 'link', an 'interface' and a 'mark'.")
            }
        case (_, .out):
            if link?.rawValue != namespace.rawValue {
                throw values.error(.link, "The only way out of this namespace is its own link.")
            }
        case (_, .in), (_, .through):
            throw values.error(.direction, "Nothing comes into this namespace.")
        }
        if direction != .out, owner != nil || ownerIn != nil {
            throw values.error(.owner, "Only what goes out has an owner.")
        }
    }

    /// The sets that it names: key, name, what the set has to hold.
    var references: [(key: String, name: String, kind: FirewallSet.Kind)] {
        let destination = destination.flatMap { Self.isSet($0) ? $0 : nil }
        return [
            ("ownerIn", ownerIn, FirewallSet.Kind.user), ("interface", interface, .interface),
            ("destination", destination, .address),
        ].compactMap { key, name, kind in name.map { (key, String($0.dropFirst()), kind) } }
    }

    // MARK: Words

    private static func set(_ values: KeyedDecodingContainer<CodingKeys>, _ key: CodingKeys) throws -> String? {
        guard let text = try values.decodeIfPresent(String.self, forKey: key) else { return nil }
        guard isSet(text) else { throw values.error(key, "'\(text)' is not the name of a set with @ before it.") }
        return text
    }

    static func isSet(_ text: String) -> Bool { text.hasPrefix("@") && word(String(text.dropFirst())) == nil }

    /// Whether a text is an IPv4 network such as `10.0.0.0/8`, or one address.
    static func isNetwork(_ text: String) -> Bool {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        let bytes = parts[0].split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count <= 2, bytes.count == 4, bytes.allSatisfy({ UInt8($0) != nil }) else { return false }
        return parts.count == 1 || (0...32).contains(Int(parts[1]) ?? -1)
    }

    /// What is wrong with a word that goes into a rule.
    static func word(_ text: String) -> String? {
        let isFine = text.allSatisfy { $0.isASCII && ($0.isLowercase || $0.isNumber || $0 == "-" || $0 == "_") }
        return isFine && !text.isEmpty && text.count <= 31 ? nil : "'\(text)' is not a name of lower-case letters."
    }

    /// What is wrong with a line for the reader, which becomes a comment.
    static func line(_ text: String) -> String? {
        text.isEmpty ? "It is empty." : text.contains(where: \.isNewline) ? "It has to be one line." : nil
    }
}
