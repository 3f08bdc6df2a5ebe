// SPDX-License-Identifier: GPL-3.0-or-later

/// Where this computer is on its way to Tor: what a person is told.
///
/// A tunnel below Tor (WireGuard, OpenVPN) will be a network of its own here: states before ``connecting(progress:what:)``.
public enum ConnectionState: Sendable, Hashable {
    /// Nobody has said yet how to connect; nothing is sent.
    case notChosen
    /// There is no network card that this system knows.
    case noInterface
    /// The network is off for a reason of this computer.
    case networkOff(reason: String)
    /// No cable, no wireless network.
    case noCable
    /// Waiting for an address from the network.
    case noAddress
    /// The network has named no name server, which snowflake needs.
    case noNames
    /// Tor is on its way: 0 to 99, and what it does.
    case connecting(progress: Int, what: String)
    /// Tor can be used.
    case connected
    /// Something in the network answers in place of Tor's relays.
    case captivePortalSuspected
    /// The clock is ahead by so many hours; negative when it is behind. Never 0.
    case clockWrong(hours: Int)
    /// None of the bridges answers.
    case bridgeUnreachable(which: [String])
    /// None of the bridges answers, all of which are snowflakes: nobody is at their addresses in any case.
    case snowflakeUnreachable(which: [String])
    /// Something answers at the bridge's address, but not this bridge.
    case bridgeRefused(which: [String])
    /// The network works, but no relay answers.
    case censored
    /// Tor itself has a problem.
    case torFailed(reason: String)
    /// The user has switched the connection off.
    case disconnected

    /// The name in the interface, for programs; it never changes.
    public var code: String {
        switch self {
        case .notChosen: "notChosen"
        case .noInterface: "noInterface"
        case .networkOff: "networkOff"
        case .noCable: "noCable"
        case .noAddress: "noAddress"
        case .noNames: "noNames"
        case .connecting: "connecting"
        case .connected: "connected"
        case .captivePortalSuspected: "captivePortalSuspected"
        case .clockWrong: "clockWrong"
        case .bridgeUnreachable, .snowflakeUnreachable: "bridgeUnreachable"
        case .bridgeRefused: "bridgeRefused"
        case .censored: "censored"
        case .torFailed: "torFailed"
        case .disconnected: "disconnected"
        }
    }

    /// Whether the way does not go on by itself, as far as can be told.
    public var isProblem: Bool {
        switch self {
        case .notChosen, .noAddress, .connecting, .connected, .disconnected: false
        default: true
        }
    }
}

/// How to connect.
public enum ConnectionChoice: Sendable, Hashable {
    /// To Tor's public relays.
    case direct
    /// To these bridges and nothing else; at least one.
    case hide([Bridge])
    /// Not at all.
    case off

    /// The name in the interface.
    public var mode: String {
        switch self {
        case .direct: "direct"
        case .hide: "hide"
        case .off: "off"
        }
    }

    /// Whether the firewall has to let UDP and questions for names out for it.
    var needsUDP: Bool {
        if case .hide(let bridges) = self { bridges.contains(where: \.needsUDP) } else { false }
    }
}
