// SPDX-License-Identifier: GPL-3.0-or-later

/// A frame that should not have left the guest, or a doubt about the capture itself.
public struct Finding: Sendable, Hashable, CustomStringConvertible {
    /// What was found.
    public enum Kind: String, Sendable, Hashable, CaseIterable {
        case arp = "ARP beyond its own and the routers' addresses"
        case captureIncomplete = "capture incomplete"
        case dhcpClientIdentifier = "DHCP client identifier"
        case dhcpHostName = "DHCP host name"
        case dhcpOption = "DHCP option"
        case dhcpOther = "DHCP beyond a client's request"
        case dhcpV6 = "DHCPv6"
        case dhcpVendorClass = "DHCP vendor class"
        case dns = "DNS"
        case dnsOverTLS = "DNS over TLS or QUIC"
        case fragment = "fragment"
        case hardwareAddress = "hardware MAC address"
        case icmp = "ICMP"
        case identity = "name of host or user"
        case igmp = "IGMP"
        case ipOptions = "IP options"
        case ipv6 = "IPv6"
        case ipv6ListenerReport = "IPv6 multicast listener report"
        case ipv6NeighbourDiscovery = "IPv6 neighbour discovery"
        case ipv6RouterSolicitation = "IPv6 router solicitation"
        case lldp = "LLDP"
        case llmnr = "LLMNR"
        case logicalLink = "802.3 frame"
        case malformed = "malformed frame"
        case mdns = "mDNS"
        case netbios = "NetBIOS"
        case ntp = "NTP"
        case otherProtocol = "other IP protocol"
        case otherTCP = "other TCP"
        case otherUDP = "other UDP"
        case plainHTTP = "plain HTTP"
        case quic = "QUIC"
        case sourceAddress = "foreign source address"
        case ssdp = "SSDP"
        case stun = "STUN"
        case strayBytes = "stray bytes"
        case tcpTimestamp = "TCP timestamp"
        case unknownEtherType = "unknown EtherType"
        case vlan = "VLAN tag"
        case webServiceDiscovery = "WS-Discovery"
    }

    /// What was found.
    public let kind: Kind
    /// When, in nanoseconds since 1970 by the capturing machine's clock; `nil` for a doubt about the whole capture.
    public let nanoseconds: UInt64?
    /// Seconds since the capture's first frame.
    public let seconds: Double
    /// One line: what was sent to whom.
    public let line: String

    /// Time, kind and line.
    public var description: String {
        let thousandths = Int((seconds * 1000).rounded())
        let fraction = String(1000 + thousandths % 1000).dropFirst()
        return "+\(thousandths / 1000).\(fraction) s  \(kind.rawValue): \(line)"
    }
}
