// SPDX-License-Identifier: GPL-3.0-or-later
import Walls

/// What the firewalls let pass: the content of `image/firewall.yaml`. All else is dropped.
public struct FirewallData: Sendable, Decodable {
    /// The sets that services fill.
    public let sets: [FirewallSet]
    /// The exceptions, in the order in which they are documented.
    public let exceptions: [FirewallException]

    enum CodingKeys: String, CodingKey, CaseIterable { case sets, exceptions }

    /// Decodes the file. An exception that names a set which is not there, or of another kind, is an error.
    public init(from decoder: any Decoder) throws {
        let values = try decoder.strictContainer(keyedBy: CodingKeys.self)
        sets = try values.decode([FirewallSet].self, forKey: .sets)
        exceptions = try values.decode([FirewallException].self, forKey: .exceptions)
        let kinds = Dictionary(sets.map { ($0.name, $0.kind) }) { first, _ in first }
        guard kinds.count == sets.count else { throw values.error(.sets, "Two sets have the same name.") }
        for (index, exception) in exceptions.enumerated() {
            let place = values.codingPath + [CodingKeys.exceptions, AnyKey(intValue: index)]
            for (key, name, kind) in exception.references where kinds[name] != kind {
                throw DecodingError.dataCorrupted(
                    .init(
                        codingPath: place + [AnyKey(stringValue: key)],
                        debugDescription: "There is no set '\(name)' of \(kind.plural) under 'sets'."))
            }
            let twins = exceptions.prefix(index).filter { $0.name == exception.name }
            if twins.contains(where: { $0.namespace == exception.namespace }) {
                throw DecodingError.dataCorrupted(
                    .init(
                        codingPath: place + [AnyKey(stringValue: "name")],
                        debugDescription: "Another exception of this namespace is called '\(exception.name)' already."))
            }
        }
    }
}

/// Who can make an exception work.
public enum FirewallOpener: String, Sendable, Decodable, CaseIterable {
    /// Nobody has to.
    case always
    /// The program that gives network cards their addresses.
    case hardwareAddress = "hardware address service"
    /// The service that connects to Tor.
    case connection = "connection service"
    /// The service that shows a network's login page.
    case portal = "portal service"
}

/// A set of the firewall that is empty at the start and that a service fills.
public struct FirewallSet: Sendable, Decodable {
    /// What a set holds.
    public enum Kind: String, Sendable, Decodable {
        /// Names of interfaces.
        case interface
        /// Accounts.
        case user
        /// IPv4 addresses.
        case address

        var type: String {
            switch self {
            case .interface: "ifname"
            case .user: "uid"
            case .address: "ipv4_addr"
            }
        }

        var plural: String { self == .address ? "addresses" : "\(rawValue)s" }
    }

    /// The name.
    public let name: String
    /// What it holds.
    public let kind: Kind
    /// Who fills it.
    public let opener: FirewallOpener
    /// Whether elements may have a time limit.
    public let canTimeOut: Bool
    /// What for.
    public let reason: String

    enum CodingKeys: String, CodingKey, CaseIterable {
        case name
        case kind = "of"
        case opener, canTimeOut, reason
    }

    /// Decodes a set.
    public init(from decoder: any Decoder) throws {
        let values = try decoder.strictContainer(keyedBy: CodingKeys.self)
        name = try values.decode(String.self, .name) { FirewallException.word($0) }
        kind = try values.decode(Kind.self, forKey: .kind)
        opener = try values.decode(FirewallOpener.self, .opener) {
            $0 == .always ? "Nobody would fill this set." : nil
        }
        canTimeOut = try values.decodeIfPresent(Bool.self, forKey: .canTimeOut) ?? false
        reason = try values.decode(String.self, .reason) { FirewallException.line($0) }
    }
}
