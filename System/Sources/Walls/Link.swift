// SPDX-License-Identifier: GPL-3.0-or-later

/// A virtual cable between the root namespace and another one: the only way out of that namespace.
public struct Link: Sendable, Hashable {
    /// The namespace's name, below ``Walls/namespaceFolder``.
    public let namespace: String
    /// The name of the end in the root namespace.
    public let outerName: String
    /// The name of the end inside.
    public let innerName: String
    /// The address of the end in the root namespace: where Tor listens.
    public let outerAddress: String
    /// The address of the end inside.
    public let innerAddress: String
    /// The length of the network's prefix.
    public let prefixLength: Int

    /// The session's: from here only Tor's ports can be reached.
    public static let session = Link(
        namespace: "session", outerName: "to-session", innerName: "tor", outerAddress: "10.77.0.1",
        innerAddress: "10.77.0.2", prefixLength: 30)

    /// The captive portal browser's: dead until the user has agreed to a look at the network's login page.
    public static let portal = Link(
        namespace: "portal", outerName: "to-portal", innerName: "clear", outerAddress: "10.77.0.5",
        innerAddress: "10.77.0.6", prefixLength: 30)
}

/// ``Link`` under a name that stays clear where other things are called links too.
public typealias NamespaceLink = Link
