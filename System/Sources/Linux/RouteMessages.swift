// SPDX-License-Identifier: GPL-3.0-or-later
import CLinux
import Glibc

/// An IPv4 address or network, as the kernel's messages carry it.
public struct IPv4: Sendable, Hashable, CustomStringConvertible {
    /// The four bytes, in the order in which they are written.
    public let bytes: [UInt8]

    /// Reads four decimal numbers without leading zeros and with dots between them.
    ///
    /// - Parameter text: `10.77.0.1`; anything else gives `nil`.
    public init?(_ text: some StringProtocol) {
        guard text.utf8.count <= 15 else { return nil }
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        let bytes = parts.compactMap { part in UInt8(part).flatMap { String($0) == part ? $0 : nil } }
        guard parts.count == 4, bytes.count == 4 else { return nil }
        self.bytes = bytes
    }

    /// An address from its number, 0xC0000201 for `192.0.2.1`.
    public init(number: UInt32) { bytes = [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: number >> $0) } }

    /// The address as a number.
    public var number: UInt32 { bytes.reduce(0) { $0 << 8 | UInt32($1) } }

    /// The address with the bits behind a prefix cleared.
    public func network(_ prefix: Int) -> IPv4 {
        let mask = prefix <= 0 ? 0 : UInt32.max << UInt32(32 - min(32, prefix))
        return IPv4(number: number & mask)
    }

    /// Dotted decimal.
    public var description: String { bytes.map(String.init).joined(separator: ".") }
}

/// Messages about interfaces, addresses, routes and rules. See `man 7 rtnetlink`; each says the command of iproute2 that
/// does the same.
public enum RouteMessage {
    private static let ipv4: UInt8 = 2  // AF_INET

    /// `struct ifinfomsg`: family, type, index, flags, which flags change.
    private static func interface(index: UInt32 = 0, flags: UInt32 = 0, change: UInt32 = 0) -> [UInt8] {
        [0, 0, 0, 0] + KernelMessage.bytes(index) + KernelMessage.bytes(flags) + KernelMessage.bytes(change)
    }

    /// `ip link add OUTER type veth peer name INNER netns FD`: a virtual cable.
    ///
    /// - Parameters:
    ///   - outer: the name of the end in the socket's own namespace, at most 15 bytes.
    ///   - inner: the name of the other end.
    ///   - namespace: a descriptor of the namespace that gets the other end.
    /// - Returns: the request.
    public static func makeCable(outer: String, inner: String, namespace: Int32) -> KernelMessage {
        var message = KernelMessage(type: 16, flags: .create, fixed: interface())  // RTM_NEWLINK
        message.add(3, text: outer)  // IFLA_IFNAME
        message.add(18) { link in  // IFLA_LINKINFO
            link.add(1, text: "veth")  // IFLA_INFO_KIND
            link.add(2) { data in  // IFLA_INFO_DATA
                data.add(1, fixed: interface()) { peer in  // VETH_INFO_PEER
                    peer.add(3, text: inner)
                    peer.add(28, UInt32(bitPattern: namespace))  // IFLA_NET_NS_FD
                }
            }
        }
        return message
    }

    /// `ip link show`, of one interface.
    public static func getInterface(_ index: UInt32) -> KernelMessage {
        KernelMessage(type: 18, flags: [], fixed: interface(index: index))  // RTM_GETLINK
    }

    /// `ip link set DEV up` or `down`.
    ///
    /// - Parameters:
    ///   - index: the interface.
    ///   - isUp: what it shall be.
    /// - Returns: the request.
    public static func setInterface(_ index: UInt32, isUp: Bool) -> KernelMessage {
        KernelMessage(type: 16, flags: [], fixed: interface(index: index, flags: isUp ? 1 : 0, change: 1))  // IFF_UP
    }

    /// `ip link set DEV address ADDRESS`.
    ///
    /// - Parameters:
    ///   - index: the interface.
    ///   - address: its new hardware address, as many bytes as it has now.
    /// - Returns: the request.
    public static func setInterface(_ index: UInt32, address: [UInt8]) -> KernelMessage {
        var message = KernelMessage(type: 16, flags: [], fixed: interface(index: index))
        message.add(1, address)  // IFLA_ADDRESS
        return message
    }

    /// `sysctl net.ipv4.conf.DEV.forwarding=1` or `0`, for who cannot write to /proc/sys: whether IPv4 packets that come in here
    /// and are for others go on. See `inet_set_link_af()` in the kernel's `net/ipv4/devinet.c`.
    ///
    /// - Parameters:
    ///   - index: the interface.
    ///   - isForwarding: what it shall be.
    /// - Returns: the request.
    public static func setInterface(_ index: UInt32, isForwarding: Bool) -> KernelMessage {
        var message = KernelMessage(type: 16, flags: [], fixed: interface(index: index))
        message.add(KernelMessage.nested | 26) { families in  // IFLA_AF_SPEC
            families.add(KernelMessage.nested | UInt16(ipv4)) { family in
                // IFLA_INET_CONF, IPV4_DEVCONF_FORWARDING
                family.add(KernelMessage.nested | 1) { $0.add(1, isForwarding ? 1 : 0) }
            }
        }
        return message
    }

    /// `ip address add ADDRESS/PREFIX dev DEV`.
    public static func addAddress(_ address: IPv4, prefix: Int, interface index: UInt32) -> KernelMessage {
        var message = KernelMessage(  // RTM_NEWADDR, struct ifaddrmsg: family, prefix, flags, scope, index
            type: 20, flags: .create, fixed: [ipv4, UInt8(clamping: prefix), 0, 0] + KernelMessage.bytes(index))
        message.add(2, address.bytes)  // IFA_LOCAL
        message.add(1, address.bytes)  // IFA_ADDRESS
        return message
    }

    /// What becomes of packets on a route.
    public enum Route: Sendable {
        /// They go to a neighbour: `ip route add default via GATEWAY dev DEV`.
        case gateway(IPv4, interface: UInt32)
        /// They are for somebody on this link, and come from our own address: `… dev DEV scope link src SOURCE`.
        case link(interface: UInt32, source: IPv4)
        /// They are refused: `ip route add unreachable …`.
        case unreachable
    }

    /// The table of routes that is looked at last.
    public static let mainTable: UInt8 = 254

    /// `ip route add NETWORK/PREFIX … table TABLE`.
    ///
    /// - Parameters:
    ///   - network: where to; 0.0.0.0 and prefix 0 for everywhere.
    ///   - prefix: the length of the network's prefix in bits.
    ///   - table: 1 to 252, or ``mainTable``.
    ///   - route: what becomes of the packets.
    /// - Returns: the request.
    public static func addRoute(_ network: IPv4, prefix: Int, table: UInt8, _ route: Route) -> KernelMessage {
        // RTN_UNICAST 1, RTN_UNREACHABLE 7; RT_SCOPE_UNIVERSE 0, RT_SCOPE_LINK 253.
        let (kind, scope): (UInt8, UInt8) =
            switch route {
            case .gateway: (1, 0)
            case .link: (1, 253)
            case .unreachable: (7, 0)
            }
        // RTM_NEWROUTE, struct rtmsg: family, destination's and source's prefix, tos, table, protocol (RTPROT_BOOT),
        // scope, type, flags
        let fixed: [UInt8] = [ipv4, UInt8(clamping: prefix), 0, 0, table, 3, scope, kind, 0, 0, 0, 0]
        var message = KernelMessage(type: 24, flags: .create, fixed: fixed)
        if prefix > 0 { message.add(1, network.bytes) }  // RTA_DST
        switch route {
        case .gateway(let gateway, let index):
            message.add(5, gateway.bytes)  // RTA_GATEWAY
            message.add(4, index)  // RTA_OIF
        case .link(let index, let source):
            message.add(7, source.bytes)  // RTA_PREFSRC
            message.add(4, index)
        case .unreachable: break
        }
        return message
    }

    /// `ip rule add to NETWORK/PREFIX lookup TABLE priority PRIORITY`.
    public static func addRule(to network: IPv4, prefix: Int, table: UInt8, priority: UInt32) -> KernelMessage {
        // RTM_NEWRULE, struct fib_rule_hdr: family, destination's and source's prefix, tos, table, two reserved bytes,
        // action (FR_ACT_TO_TBL), flags
        let fixed: [UInt8] = [ipv4, UInt8(clamping: prefix), 0, 0, table, 0, 0, 1, 0, 0, 0, 0]
        var message = KernelMessage(type: 32, flags: .create, fixed: fixed)
        message.add(1, network.bytes)  // FRA_DST
        message.add(6, priority)  // FRA_PRIORITY
        message.add(15, UInt32(table))  // FRA_TABLE
        return message
    }

    /// The number of an interface in the calling thread's network namespace.
    ///
    /// - Throws: ``SystemCallFailure`` when there is none of this name.
    public static func index(of name: String) throws(SystemCallFailure) -> UInt32 {
        let index = clinux_interface_index(name)
        guard index > 0 else {
            throw SystemCallFailure(call: "if_nametoindex", object: name, number: ErrorNumber.current)
        }
        return index
    }
}
