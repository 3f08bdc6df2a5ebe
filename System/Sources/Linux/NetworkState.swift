// SPDX-License-Identifier: GPL-3.0-or-later
import CLinux
import Glibc

/// The network interfaces of this computer that lead outside, and whether one of them has a way to the internet.
public struct NetworkState: Sendable, Hashable {
    /// A network card, a USB adapter, a telephone.
    public struct Interface: Sendable, Hashable {
        /// Its name.
        public let name: String
        /// Whether somebody has switched it on.
        public let isUp: Bool
        /// Whether there is a cable in it, or a wireless network around it.
        public let hasCarrier: Bool
        /// Whether it has an IPv4 address.
        public let hasAddress: Bool
        /// Whether the way to everywhere leads through it.
        public let hasDefaultRoute: Bool

        /// Describes an interface.
        public init(name: String, isUp: Bool, hasCarrier: Bool, hasAddress: Bool, hasDefaultRoute: Bool) {
            self.name = name
            self.isUp = isUp
            self.hasCarrier = hasCarrier
            self.hasAddress = hasAddress
            self.hasDefaultRoute = hasDefaultRoute
        }
    }

    /// The interfaces that are devices, sorted by name.
    public var interfaces: [Interface]

    /// Whether packets can leave.
    public var isReady: Bool { interfaces.contains { $0.isUp && $0.hasCarrier && $0.hasAddress && $0.hasDefaultRoute } }

    /// Puts a state together.
    public init(interfaces: [Interface]) { self.interfaces = interfaces }

    /// Reads the state as it is now in this network namespace.
    public static func current() -> NetworkState {
        let addresses = namesWithAddress()
        let routes = namesWithDefaultRoute()
        let names = FileTree.names(in: "/sys/class/net").filter { FileTree.exists("/sys/class/net/\($0)/device") }
        return NetworkState(
            interfaces: names.sorted().map { name in
                // IFF_UP is bit 0. While an interface is off, its carrier cannot be read.
                let flags =
                    File.line("/sys/class/net/\(name)/flags").flatMap { UInt32($0.dropFirst(2), radix: 16) } ?? 0
                return Interface(
                    name: name, isUp: flags & 1 != 0, hasCarrier: File.line("/sys/class/net/\(name)/carrier") == "1",
                    hasAddress: addresses.contains(name), hasDefaultRoute: routes.contains(name))
            })
    }

    /// See `man 3 getifaddrs`.
    private static func namesWithAddress() -> Set<String> {
        var list: UnsafeMutablePointer<ifaddrs>?
        guard getifaddrs(&list) == 0 else { return [] }
        defer { freeifaddrs(list) }
        var names: Set<String> = []
        var entry = list
        while let interface = entry?.pointee {
            if let address = interface.ifa_addr, Int32(address.pointee.sa_family) == AF_INET {
                names.insert(String(cString: interface.ifa_name))
            }
            entry = interface.ifa_next
        }
        return names
    }

    /// `/proc/self/net/route`: name, destination, gateway, flags …, mask, in hexadecimal.
    private static func namesWithDefaultRoute() -> Set<String> {
        guard let text = try? File.text("/proc/self/net/route") else { return [] }
        return Set(
            text.split(separator: "\n").dropFirst().compactMap { line in
                let words = line.split(whereSeparator: \.isWhitespace)
                guard words.count >= 8, words[1] == "00000000", words[7] == "00000000" else { return nil }
                return String(words[0])
            })
    }

    /// Opens a descriptor that can be read when something has changed: links, addresses, routes. See `man 7 rtnetlink`. What is
    /// read only says that it is time for ``current()``; messages may be lost when there are many.
    ///
    /// - Returns: the descriptor, which the caller closes.
    public static func openChanges() throws(SystemCallFailure) -> Int32 {
        try check("socket", "netlink route") { clinux_network_changes() }
    }
}
