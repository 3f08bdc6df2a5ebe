// SPDX-License-Identifier: GPL-3.0-or-later
import Linux
import Walls

/// The interface through which this computer reaches its network's router. What it says comes from the network, which may be
/// anybody's.
public struct Uplink: Sendable, Hashable {
    /// The interface's name.
    public let interface: String
    /// The router.
    public let gateway: NetworkAddress

    /// The one that there is now in this network namespace; `nil` when there is none.
    public static func current() -> Uplink? {
        (try? File.text("/proc/self/net/route")).flatMap { Uplink(routes: $0) }
    }

    /// The default route with the lowest metric; `nil` when there is no default route with a router.
    ///
    /// - Parameter table: the text of `/proc/net/route`; addresses are numbers of the machine's byte order in hexadecimal.
    public init?(routes table: String) {
        var best: (metric: UInt32, interface: String, gateway: NetworkAddress)?
        // A table of this computer, which only root fills; the limit is against surprises, not against the network.
        for line in table.split(separator: "\n").dropFirst().prefix(1000) {
            // Iface Destination Gateway Flags RefCnt Use Metric Mask …
            let words = line.split(whereSeparator: { $0 == "\t" || $0 == " " })
            guard words.count >= 8, words[1] == "00000000", words[7] == "00000000",
                let flags = UInt32(words[3], radix: 16), flags & 3 == 3,  // RTF_UP, RTF_GATEWAY
                let reversed = UInt32(words[2], radix: 16), let metric = UInt32(words[6])
            else { continue }
            let gateway = NetworkAddress(number: reversed.byteSwapped)
            let interface = String(words[0])
            guard Self.isName(interface), gateway.isSomebody, metric < best?.metric ?? .max else { continue }
            best = (metric, interface, gateway)
        }
        guard let best else { return nil }
        interface = best.interface
        gateway = best.gateway
    }

    /// An uplink from its parts.
    public init(interface: String, gateway: NetworkAddress) {
        self.interface = interface
        self.gateway = gateway
    }

    /// Whether a text is an interface's name that can be written into a command: udev gives only such names.
    public static func isName(_ name: String) -> Bool {
        (1...15).contains(name.utf8.count) && name != "lo" && name != Link.session.outerName
            && name != Link.portal.outerName && name.utf8.first != UInt8(ascii: "-")
            && name.utf8.allSatisfy {
                (48...57).contains($0) || (65...90).contains($0) || (97...122).contains($0)
                    || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: ".")
            }
    }
}
