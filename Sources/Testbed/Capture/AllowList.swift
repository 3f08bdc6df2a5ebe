// SPDX-License-Identifier: GPL-3.0-or-later

/// What a guest may send, as data: each exception with its reason. Everything else is a finding.
public struct AllowList: Sendable, Hashable {
    /// One thing that a guest may send.
    public struct Exception: Sendable, Hashable {
        /// Its name in the verdict's table.
        public let name: String
        /// Why it has to leave the machine.
        public let reason: String
        /// Which frames it lets pass.
        public let rule: Rule

        /// An exception with its reason.
        public init(name: String, reason: String, rule: Rule) {
            self.name = name
            self.reason = reason
            self.rule = rule
        }
    }

    /// Which frames an exception lets pass.
    public enum Rule: Sendable, Hashable {
        /// Asking for an address: UDP from port 68 to port 67 of everybody or of a router, with only these options.
        case dhcp(options: Set<UInt8>)
        /// Finding neighbours: the guest's own addresses (in the local network, claimed in the frame) and the routers'.
        case arp
        /// TCP to these places and no others.
        case tcp(to: Set<Endpoint>)
        /// UDP to these places and no others.
        case udp(to: Set<Endpoint>)
        /// Questions for the addresses of these names and no others, one in a datagram and nothing else in it.
        case names(Set<String>, of: Set<Endpoint>)
    }

    /// The network that the guest is in.
    public var localNetwork: IPv4Network
    /// Further networks that the guest is in: with another card, or later.
    public var otherNetworks: [IPv4Network] = []
    /// The routers of these networks; the guest may ask for them and get its address from them.
    public var routers: Set<IPv4Address>
    /// The exceptions; the first that fits counts.
    public var exceptions: [Exception]

    /// An allow-list from its parts.
    public init(localNetwork: IPv4Network, routers: Set<IPv4Address>, exceptions: [Exception]) {
        self.localNetwork = localNetwork
        self.routers = routers
        self.exceptions = exceptions
    }

    /// Whether an address is of one of the guest's networks.
    func isLocal(_ address: IPv4Address) -> Bool {
        localNetwork.contains(address) || otherNetworks.contains { $0.contains(address) }
    }

    /// What Needletail may send: DHCP, ARP, and TCP to the given relays.
    public static func needletail(
        localNetwork: IPv4Network, routers: Set<IPv4Address>, relays: Set<Endpoint>
    ) -> AllowList {
        AllowList(
            localNetwork: localNetwork, routers: routers,
            exceptions: [
                Exception(
                    name: "DHCP", reason: "the machine needs an address in the local network",
                    rule: .dhcp(options: Set(dhcpOptions.keys))),
                Exception(name: "ARP", reason: "frames to the router need its hardware address", rule: .arp),
                Exception(name: "Tor", reason: "Tor's own connections to its relays", rule: .tcp(to: relays)),
            ])
    }

    /// The DHCP options that a client may send, each with the reason.
    public static let dhcpOptions: [UInt8: String] = [
        50: "names the address that was offered",
        51: "asks for a time of lease",
        52: "says where more options are",
        53: "the kind of message",
        54: "names the server that is meant",
        55: "lists what the client wants to know; the same for everybody who uses the image",
        57: "the longest answer that the client takes",
        61: "the client's identity; judged apart: it may only repeat the frame's own address",
    ]
}
