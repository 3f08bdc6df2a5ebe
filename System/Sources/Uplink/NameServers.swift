// SPDX-License-Identifier: GPL-3.0-or-later
import Linux

/// The name servers that the network's DHCP server named. Nobody else asks them; see `ignore-auto-dns` in NetworkManager's profile.
public enum NameServers {
    /// More are of no use to a resolver.
    public static let limit = 3

    /// Asks NetworkManager's own client: the lease is nowhere in a file, and the client only reads. Waits for it, at most 5 s.
    ///
    /// - Parameter uplink: whose lease.
    /// - Returns: at most three addresses; none when there is no lease, or no answer.
    public static func current(of uplink: Uplink) -> [NetworkAddress] {
        let words = ["--terse", "--fields", "DHCP4", "device", "show", uplink.interface]
        let outcome = try? Program.run("/usr/bin/nmcli", words, environment: ["LC_ALL=C.UTF-8"], seconds: 5)
        return outcome.map { read($0.output) } ?? []
    }

    /// Reads what `nmcli --terse --fields DHCP4 device show` prints.
    ///
    /// - Parameter text: lines such as `DHCP4.OPTION[3]:domain_name_servers = 192.0.2.1 192.0.2.2`.
    /// - Returns: at most three addresses that can be a name server's; the network chose them, so others are passed over.
    public static func read(_ text: String) -> [NetworkAddress] {
        for line in text.split(separator: "\n").prefix(200) where line.hasPrefix("DHCP4.OPTION[") {
            guard let colon = line.firstIndex(of: ":") else { continue }
            let words = line[line.index(after: colon)...].split(separator: " ")
            guard words.count >= 3, words[0] == "domain_name_servers", words[1] == "=" else { continue }
            var servers: [NetworkAddress] = []
            for word in words.dropFirst(2).prefix(16) {
                guard let address = NetworkAddress(word), address.isSomebody, !servers.contains(address) else {
                    continue
                }
                servers.append(address)
            }
            return Array(servers.prefix(limit))
        }
        return []
    }
}
