// SPDX-License-Identifier: GPL-3.0-or-later

/// The addresses of the private network, all of them from the ranges that are kept for documentation (RFC 5737).
public enum Address {
    /// The guest LAN's router: gateway, DHCP server and DNS server of the machines under test.
    public static let router = "192.0.2.1"
    /// A computer in the LAN that is not a machine under test: where the bare client runs.
    public static let lanComputer = "192.0.2.10"
    /// The addresses that DHCP hands out in the LAN, first and last.
    public static let leases = (first: "192.0.2.100", last: "192.0.2.199")
    /// The resolver that the exit relays ask; it knows `webName` only.
    public static let exitResolver = "198.51.100.53"
    /// The directory authorities.
    public static let authorities = ["198.51.100.11", "198.51.100.12", "198.51.100.13"]
    /// The exit relays.
    public static let exits = ["198.51.100.21", "198.51.100.22", "198.51.100.23"]
    /// Kept for a bridge.
    public static let bridge = "198.51.100.31"
    /// The web server.
    public static let web = "203.0.113.80"
    /// The web server's name, which only the exits' resolver knows (RFC 2606).
    public static let webName = "web.example"
    /// The web servers that know the time.
    public static let timeServers = ["203.0.113.81", "203.0.113.82", "203.0.113.83", "203.0.113.84"]
    /// Their names, in the same order, which only the exits' resolver knows.
    public static let timeServerNames = ["one.example", "two.example", "three.example", "four.example"]
    /// Stands in for the server where snowflake begins, and for the one that tells it its own address.
    public static let broker = "203.0.113.85"
    /// The names under which snowflake looks for it, and for its own address. The LAN's server knows these two and no others.
    public static let brokerNames = (front: "front.example", stun: "stun.example")

    /// The LAN's side of the link to the relays, and the relays' side.
    static let link = (lan: "198.51.100.1", internet: "198.51.100.2")
    /// The relays' side of the link to the web server.
    static let webGateway = "203.0.113.1"
}
