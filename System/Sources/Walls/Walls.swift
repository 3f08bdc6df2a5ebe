// SPDX-License-Identifier: GPL-3.0-or-later

/// The two walls in names and numbers: what the boot stage builds, the firewall allows and Tor listens on.
public enum Walls {
    /// Where namespaces have names, as for `ip-netns(8)`.
    public static let namespaceFolder = "/run/netns"
    /// The account that runs Tor and its transports: the only one whose connections leave the computer.
    public static let torUser = "debian-tor"
    /// The group whose members may use Tor by ``TorPort/systemSocket``.
    public static let torGroup = "needletail-tor"
    /// The network from which Tor gives `.onion` names an address. It has no route but the session's.
    public static let onionNetwork = "10.192.0.0/10"
    /// The mark of connections that Tor has opened ("tor" in ASCII).
    public static let torMark: UInt32 = 0x746f72
    /// The mark of connections of the login page's browser ("por").
    public static let portalMark: UInt32 = 0x706f72
    /// The network in which all links lie. No packet for it ever leaves by a network card.
    public static let linkNetwork = "10.77.0.0"
    /// The length of that network's prefix.
    public static let linkPrefixLength = 29
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
    /// SOCKS for the system's own services, which have no network interface: a Unix socket for members of the group
    /// ``Walls/torGroup``. It is not beside the control socket, whose group may do more.
    public static let systemSocket = "/run/needletail/tor/socks"
    /// Tor's control port: a Unix socket that only root's services reach.
    public static let controlSocket = "/run/tor/control"
    /// The cookie for it.
    public static let controlCookie = "/run/tor/control.authcookie"
}
