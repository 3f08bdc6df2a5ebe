// SPDX-License-Identifier: GPL-3.0-or-later

/// A local network that a machine can be plugged into, and what its DHCP server says.
public struct LocalNetwork: Sendable, Hashable {
    /// One option of DHCP's answers, sent whether it was asked for or not.
    public struct Option: Sendable, Hashable {
        /// Its number (RFC 2132 and later).
        public let code: UInt8
        /// Its value, 1…255 bytes.
        public let value: [UInt8]

        /// An option with a value in bytes.
        public init(_ code: UInt8, _ value: [UInt8]) {
            self.code = code
            self.value = value
        }

        /// An option with text.
        public init(_ code: UInt8, _ text: String) { self.init(code, Array(text.utf8)) }

        /// As `dnsmasq` takes it: what it knows as addresses or text as that, a single byte as a number, all else byte by byte.
        var word: String {
            let text: String
            if [3, 6, 33, 42, 44].contains(code) {
                text = stride(from: 0, to: value.count, by: 4).map { start in
                    value[start..<min(start + 4, value.count)].map(String.init).joined(separator: ".")
                }.joined(separator: ",")
            } else if [12, 15, 17, 66, 67, 100, 101, 119].contains(code) {
                text = String(decoding: value, as: UTF8.self)
            } else {
                text = value.count == 1 ? "\(value[0])" : value.map(hexadecimal).joined(separator: ":")
            }
            return "--dhcp-option-force=\(code),\(text)"
        }
    }

    /// The bridge that joins the machines' taps, in the namespace `lan`.
    public var bridge: String
    /// The router's address, which is the DHCP server's and the name server's.
    public var router: String
    /// The length of the network's prefix.
    public var prefix: Int
    /// The first and the last address that are handed out.
    public var first: String
    /// The last of them.
    public var last: String
    /// For how many seconds an address is handed out; 120 at the least.
    public var leaseSeconds: Int
    /// Further addresses of the router, which the server names as ways to somewhere.
    public var otherRouters: [String] = []
    /// What the server says beyond address, router and name server, or instead of them.
    public var options: [Option]

    /// A network from its parts.
    public init(
        bridge: String, router: String, prefix: Int, first: String, last: String, leaseSeconds: Int = 3600,
        options: [Option] = []
    ) {
        self.bridge = bridge
        self.router = router
        self.prefix = prefix
        self.first = first
        self.last = last
        self.leaseSeconds = leaseSeconds
        self.options = options
    }

    /// The network that every machine is in unless said otherwise: 192.0.2.0/24.
    public static let ordinary = LocalNetwork(
        bridge: PrivateNetwork.bridge, router: Address.router, prefix: 24, first: Address.leases.first,
        last: Address.leases.last)

    /// Another one, as of the café on the other side of the street: 172.16.5.0/24.
    public static let other = LocalNetwork(
        bridge: "br-other", router: "172.16.5.1", prefix: 24, first: "172.16.5.100", last: "172.16.5.199")

    /// The ordinary network, whose server says what a client should not believe, and says it again every minute.
    public static var hostile: LocalNetwork {
        var network = ordinary
        network.leaseSeconds = 120
        network.options = hostileOptions
        network.otherRouters = [attacker]
        return network
    }

    /// A network whose addresses are those of the link between the session and Tor: what is sent to the one must not reach the
    /// other.
    public static let conflicting = LocalNetwork(
        bridge: "br-clash", router: "10.77.0.1", prefix: 30, first: "10.77.0.2", last: "10.77.0.2",
        leaseSeconds: 120)

    /// The attacker's address in the ordinary network, where nobody is, and in the hostile one.
    public static let attacker = "192.0.2.66"

    /// Routes, names, proxies and numbers of an attacker.
    static let hostileOptions: [Option] = {
        let attacker: [UInt8] = [192, 0, 2, 66]
        let router: [UInt8] = [192, 0, 2, 1]
        // RFC 3442: length of the prefix, its bytes, the router. The default route is the right one, so that all looks well.
        let routes: [UInt8] =
            [0] + router + [1, 0] + attacker + [1, 128] + attacker + [8, 10] + attacker
            + [24, 198, 51, 100] + attacker + [16, 127, 192] + attacker
        return [
            Option(121, routes), Option(249, routes),
            // RFC 2132, 5.8: pairs of a host and its router.
            Option(33, [198, 51, 100, 11] + attacker),
            Option(6, attacker), Option(12, "$(reboot);'`reboot`|&"), Option(15, "attacker.example;reboot"),
            Option(119, "attacker.example"),
            Option(252, "http://192.0.2.66/wpad.dat"), Option(114, "http://192.0.2.66/portal?$(reboot)"),
            Option(26, [2, 0x40]), Option(42, attacker), Option(44, attacker), Option(46, [8]),
            Option(2, [0x7F, 0xFF, 0xFF, 0xFF]), Option(100, "$(reboot)"), Option(101, "../../../etc/shadow"),
            Option(43, [UInt8](repeating: 0x41, count: 24)), Option(66, "attacker.example"), Option(67, "$(reboot)"),
            Option(17, String(repeating: "/../", count: 4)), Option(108, [0, 0, 1, 0x2C]),
            Option(19, [1]), Option(20, [1]), Option(31, [1]), Option(37, [1]),
        ]
    }()

    /// The network as the judge knows it.
    var network: IPv4Network? {
        guard let address = IPv4Address(router) else { return nil }
        let mask = prefix == 0 ? 0 : UInt32.max << UInt32(32 - prefix)
        return IPv4Network("\(IPv4Address(address.value & mask))/\(prefix)")
    }

    /// The network's mask with dots.
    var mask: String { "\(IPv4Address(prefix == 0 ? 0 : UInt32.max << UInt32(32 - prefix)))" }

    /// What `dnsmasq` is told of it.
    var words: [String] {
        [
            "--interface=\(bridge)", "--dhcp-authoritative", "--log-dhcp",
            "--dhcp-range=\(first),\(last),\(mask),\(leaseSeconds)",
            "--dhcp-option=option:router,\(router)", "--dhcp-option=option:dns-server,\(router)",
            // Else it pings an address for 3 s before it offers it.
            "--no-ping",
        ] + options.map(\.word)
    }
}
