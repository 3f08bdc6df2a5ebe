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
        /// Its IPv4 addresses, in the network's order of bytes.
        public let addresses: [UInt32]
        /// How dear the way to everywhere through it is, the least being taken; `nil` when there is none.
        public let metric: UInt32?

        /// Describes an interface.
        public init(name: String, isUp: Bool, hasCarrier: Bool, addresses: [UInt32], metric: UInt32?) {
            self.name = name
            self.isUp = isUp
            self.hasCarrier = hasCarrier
            self.addresses = addresses
            self.metric = metric
        }

        /// Whether packets can leave through it.
        public var isReady: Bool { isUp && hasCarrier && !addresses.isEmpty && metric != nil }
    }

    /// The interfaces that are devices, sorted by name.
    public var interfaces: [Interface]

    /// Whether packets can leave.
    public var isReady: Bool { interfaces.contains(where: \.isReady) }

    /// The addresses from which connections to the internet can begin; first those that new ones begin from.
    public var addresses: [UInt32] {
        interfaces.filter(\.isReady).sorted { ($0.metric ?? .max) < ($1.metric ?? .max) }.flatMap(\.addresses)
    }

    /// Puts a state together.
    public init(interfaces: [Interface]) { self.interfaces = interfaces }

    /// Reads the state as it is now in this network namespace.
    public static func current() -> NetworkState {
        let addresses = addressesByName()
        let metrics = metricsByName()
        let names = FileTree.names(in: "/sys/class/net").filter { FileTree.exists("/sys/class/net/\($0)/device") }
        return NetworkState(
            interfaces: names.sorted().map { name in
                // IFF_UP is bit 0. While an interface is off, its carrier cannot be read.
                let flags =
                    File.line("/sys/class/net/\(name)/flags").flatMap { UInt32($0.dropFirst(2), radix: 16) } ?? 0
                return Interface(
                    name: name, isUp: flags & 1 != 0, hasCarrier: File.line("/sys/class/net/\(name)/carrier") == "1",
                    addresses: addresses[name] ?? [], metric: metrics[name])
            })
    }

    /// See `man 3 getifaddrs`.
    private static func addressesByName() -> [String: [UInt32]] {
        var list: UnsafeMutablePointer<ifaddrs>?
        guard getifaddrs(&list) == 0 else { return [:] }
        defer { freeifaddrs(list) }
        var addresses: [String: [UInt32]] = [:]
        var entry = list
        while let interface = entry?.pointee {
            if let address = interface.ifa_addr, Int32(address.pointee.sa_family) == AF_INET {
                let value = UnsafeRawPointer(address).loadUnaligned(as: sockaddr_in.self).sin_addr.s_addr
                addresses[String(cString: interface.ifa_name), default: []].append(value)
            }
            entry = interface.ifa_next
        }
        return addresses
    }

    /// `/proc/self/net/route`: name, destination, gateway, flags, two counters, metric, mask …; addresses are hexadecimal.
    private static func metricsByName() -> [String: UInt32] {
        guard let text = try? File.text("/proc/self/net/route") else { return [:] }
        let metrics: [(String, UInt32)] = text.split(separator: "\n").dropFirst().compactMap { line in
            let words = line.split(whereSeparator: \.isWhitespace)
            guard words.count >= 8, words[1] == "00000000", words[7] == "00000000" else { return nil }
            return (String(words[0]), UInt32(words[6]) ?? .max)
        }
        return Dictionary(metrics, uniquingKeysWith: min)
    }

    /// Opens a descriptor that can be read when something has changed: links, addresses, routes. See `man 7 rtnetlink`. What is
    /// read only says that it is time for ``current()``; messages may be lost when there are many.
    ///
    /// - Returns: the descriptor, which the caller closes.
    public static func openChanges() throws(SystemCallFailure) -> Int32 {
        try check("socket", "netlink route") { clinux_network_changes() }
    }
}
