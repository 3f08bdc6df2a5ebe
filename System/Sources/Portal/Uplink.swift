// SPDX-License-Identifier: GPL-3.0-or-later
import Walls

/// The interface through which this computer reaches its network's router. What it says comes from the network, which may be
/// anybody's.
struct Uplink: Sendable, Hashable {
    /// The interface's name.
    let interface: String
    /// The router.
    let gateway: PortalAddress

    /// The default route with the lowest metric; `nil` when there is no default route with a router.
    ///
    /// - Parameter table: the text of `/proc/net/route`; addresses are numbers of the machine's byte order in hexadecimal.
    init?(routes table: String) {
        var best: (metric: UInt32, interface: String, gateway: PortalAddress)?
        // A table of this computer, which only root fills; the limit is against surprises, not against the network.
        for line in table.split(separator: "\n").dropFirst().prefix(1000) {
            // Iface Destination Gateway Flags RefCnt Use Metric Mask …
            let words = line.split(whereSeparator: { $0 == "\t" || $0 == " " })
            guard words.count >= 8, words[1] == "00000000", words[7] == "00000000",
                let flags = UInt32(words[3], radix: 16), flags & 3 == 3,  // RTF_UP, RTF_GATEWAY
                let reversed = UInt32(words[2], radix: 16), let metric = UInt32(words[6])
            else { continue }
            let gateway = PortalAddress(number: reversed.byteSwapped)
            let interface = String(words[0])
            guard Self.isName(interface), gateway.isSomebody, metric < best?.metric ?? .max else { continue }
            best = (metric, interface, gateway)
        }
        guard let best else { return nil }
        interface = best.interface
        gateway = best.gateway
    }

    init(interface: String, gateway: PortalAddress) {
        self.interface = interface
        self.gateway = gateway
    }

    /// Whether a text is an interface's name that can be written into a command: udev gives only such names.
    static func isName(_ name: String) -> Bool {
        (1...15).contains(name.utf8.count) && name != "lo" && name != Link.session.outerName
            && name != Link.portal.outerName && name.utf8.first != UInt8(ascii: "-")
            && name.utf8.allSatisfy {
                (48...57).contains($0) || (65...90).contains($0) || (97...122).contains($0)
                    || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: ".")
            }
    }
}

/// The name servers that the network's DHCP server named. Nobody else asks them; see `ignore-auto-dns` in NetworkManager's profile.
enum NameServers {
    /// More are of no use to a resolver.
    static let limit = 3

    /// Reads what `nmcli --terse --fields DHCP4 device show` prints.
    ///
    /// - Parameter text: lines such as `DHCP4.OPTION[3]:domain_name_servers = 192.0.2.1 192.0.2.2`.
    /// - Returns: at most three addresses that can be a name server's; the network chose them, so others are passed over.
    static func read(_ text: String) -> [PortalAddress] {
        for line in text.split(separator: "\n").prefix(200) where line.hasPrefix("DHCP4.OPTION[") {
            guard let colon = line.firstIndex(of: ":") else { continue }
            let words = line[line.index(after: colon)...].split(separator: " ")
            guard words.count >= 3, words[0] == "domain_name_servers", words[1] == "=" else { continue }
            var servers: [PortalAddress] = []
            for word in words.dropFirst(2).prefix(16) {
                guard let address = PortalAddress(word), address.isSomebody, !servers.contains(address) else {
                    continue
                }
                servers.append(address)
            }
            return Array(servers.prefix(limit))
        }
        return []
    }
}
