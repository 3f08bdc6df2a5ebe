// SPDX-License-Identifier: GPL-3.0-or-later

/// The two walls in names and numbers: what the boot stage builds, the firewall allows and Tor listens on.
public enum Walls {
    /// Where namespaces have names, as for `ip-netns(8)`.
    public static let namespaceFolder = "/run/netns"
    /// The account that runs Tor and its transports: the only one whose connections leave the computer.
    public static let torUser = "debian-tor"
    /// The network from which Tor gives `.onion` names an address. It has no route but the session's.
    public static let onionNetwork = "10.192.0.0/10"
    /// The mark of connections that Tor has opened ("tor" in ASCII).
    public static let torMark: UInt32 = 0x746f72
}

/// Tor's ports on ``Link/outerAddress`` of the session's link, and its socket for services without any network.
public enum TorPort {
    /// For programs that know nothing of Tor.
    public static let transparent: UInt16 = 9040
    /// Names.
    public static let names: UInt16 = 53
    /// SOCKS for every program of the session, circuits kept apart by destination and by SOCKS credentials.
    public static let socks: UInt16 = 9050
    /// SOCKS for the browser, circuits kept apart by SOCKS credentials only (a user name for each site).
    public static let browser: UInt16 = 9150
    /// SOCKS for the system's own services, which have no network interface: a Unix socket.
    public static let systemSocket = "/run/tor/system.socks"
    /// Tor's control port: a Unix socket that only root's services reach.
    public static let controlSocket = "/run/tor/control"
    /// The cookie for it.
    public static let controlCookie = "/run/tor/control.authcookie"
}
