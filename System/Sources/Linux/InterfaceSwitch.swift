// SPDX-License-Identifier: GPL-3.0-or-later
import CLinux
import Glibc

/// Two switches of a network interface of this namespace. They need CAP_NET_ADMIN.
public struct InterfaceSwitch: Sendable, Hashable {
    /// The interface's name.
    public let name: String

    /// Names an interface.
    public init(_ name: String) { self.name = name }

    /// Switches the interface on or off. See `man 7 netdevice`.
    public func setUp(_ up: Bool) throws(SystemCallFailure) {
        _ = try check("ioctl SIOCSIFFLAGS", name) { clinux_link_set_up(name, up ? 1 : 0) }
    }

    /// Whether IPv4 packets that come in here and are for others go on (`net.ipv4.conf.NAME.forwarding`).
    public func setForwarding(_ forwarding: Bool) throws(SystemCallFailure) {
        _ = try check("rtnetlink RTM_NEWLINK", name) { clinux_link_set_forwarding(name, forwarding ? 1 : 0) }
    }
}
