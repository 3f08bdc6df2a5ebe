// SPDX-License-Identifier: GPL-3.0-or-later

/// Where the firewall's opener for transports over UDP is asked, and what is said there.
///
/// Each word is a line. The firewall is open as long as the connection on which it was asked for is there.
public enum TransportGate {
    /// The account that may ask, and the only one.
    public static let asker = "needletail-connect"
    /// The opener's socket.
    public static let socket = "/run/needletail/transports.sock"
    /// The name servers that Tor's transports see. It names one exactly as long as the firewall may be open.
    public static let resolverFile = "/run/needletail/names/resolv.conf"
    /// How a line of that file begins that names one.
    public static let resolverWord = "nameserver "
    /// The firewall's table of family inet.
    public static let table = "needletail"
    /// The set of accounts that may send UDP.
    public static let usersSet = "udp_transports"
    /// The set of name servers that may be asked.
    public static let resolversSet = "resolvers"

    /// What the opener is asked for.
    public enum Request: String, Sendable, CaseIterable {
        /// Open, and stay open while the network changes.
        case open
        /// Close; the connection ends after the answer.
        case close
    }

    /// What the opener says; after ``Request/open`` also whenever it changes.
    public enum Answer: String, Sendable, CaseIterable {
        /// Open.
        case open
        /// Not open: the network has named no server that may be asked. It is looked for.
        case waiting
        /// Closed, as asked.
        case closed
        /// It could not be done. What was open is closed, if that could be done.
        case failed
    }
}
