// SPDX-License-Identifier: GPL-3.0-or-later
import Linux
import Uplink
import Walls

/// The way of Tor's transports through the firewall: UDP for the account that runs Tor, and questions to the network's own name
/// servers. Either both sets of the firewall hold what that needs, or both are empty.
///
/// It decides by itself which servers those are: those that the network has named in its lease, and of them only addresses that
/// can be a computer of somebody else. Nobody who asks for it can say more than "open" and "close".
struct Opening {
    /// The world around, which tests replace.
    struct World: Sendable {
        /// The interface with the default route.
        var uplink: @Sendable () -> Uplink? = { Uplink.current() }
        /// The name servers of that interface's lease.
        var names: @Sendable (Uplink) -> [NetworkAddress] = { NameServers.current(of: $0) }
        /// The account that runs Tor.
        var torUser: @Sendable () -> UInt32? = { Accounts.current(Walls.torUser) }
        /// Fills both sets at the same moment, or empties them.
        var fill: @Sendable (_ users: [UInt32], _ servers: [NetworkAddress]) throws -> Void = { users, servers in
            try FirewallSet.replace(
                [
                    (TransportGate.usersSet, users.map { .user($0) }),
                    (TransportGate.resolversSet, servers.map { .address($0.kernelAddress) }),
                ], in: TransportGate.table)
        }
        /// Writes the list of name servers that transports see.
        var write: @Sendable (String) throws -> Void = { try File.write($0, to: TransportGate.resolverFile) }
        /// Gets lines for the journal.
        var log: @Sendable (String) -> Void = { StandardError.line($0) }
    }

    private let world: World
    /// Who may be asked for names now; `nil` when that is not known: before the first step, and after one that failed.
    private var servers: [NetworkAddress]?

    init(_ world: World) { self.world = world }

    /// Opens, or brings what is open in line with the network as it is now.
    ///
    /// - Returns: ``TransportGate/Answer/open``, ``TransportGate/Answer/waiting``, or ``TransportGate/Answer/failed``: then all is
    ///   closed that could be closed.
    mutating func refresh() -> TransportGate.Answer {
        let found = world.uplink().map { uplink in world.names(uplink).filter(\.isSomebody) } ?? []
        let wanted = Array(found.prefix(NameServers.limit))
        if wanted == servers { return wanted.isEmpty ? .waiting : .open }
        do {
            guard !wanted.isEmpty else {
                try empty()
                world.log("no name server to ask")
                return .waiting
            }
            guard let user = world.torUser() else { throw Failure(description: "there is no account \(Walls.torUser)") }
            servers = nil
            // The file first: as long as it names a server, whoever comes next knows that the firewall may be open.
            try world.write(ResolverFile.text(wanted))
            try world.fill([user], wanted)
            servers = wanted
            world.log("open, name servers \(wanted)")
            return .open
        } catch {
            world.log("opening: \(error)")
            _ = close()
            return .failed
        }
    }

    /// Closes.
    ///
    /// - Returns: ``TransportGate/Answer/closed`` or ``TransportGate/Answer/failed``.
    mutating func close() -> TransportGate.Answer {
        do {
            try empty()
            return .closed
        } catch {
            world.log("closing: \(error)")
            return .failed
        }
    }

    private mutating func empty() throws {
        servers = nil
        try world.fill([], [])
        try world.write(ResolverFile.text([]))
        servers = []
    }

    struct Failure: Error, CustomStringConvertible {
        let description: String
    }
}

/// The accounts of this system. See passwd(5).
enum Accounts {
    /// The number of an account; `nil` when there is none, or two.
    static func current(_ name: String) -> UInt32? { (try? File.text("/etc/passwd")).flatMap { user(name, in: $0) } }

    /// Looks an account up in the text of `/etc/passwd`. Root is never found: what is allowed here is for other accounts.
    static func user(_ name: String, in text: String) -> UInt32? {
        let users = text.split(separator: "\n").filter { $0.hasPrefix("\(name):") }
        guard users.count == 1 else { return nil }
        let fields = users[0].split(separator: ":", omittingEmptySubsequences: false)
        guard fields.count == 7, let user = UInt32(fields[2]), user > 0, user < 65_534 else { return nil }
        return user
    }
}

/// The list of name servers in the form of resolv.conf(5). It is mounted over Tor's `/etc/resolv.conf`, so it stays the same file.
enum ResolverFile {
    /// Every content has this length: it is written over the old one in one step, and no reader finds an empty or a cut file.
    static let length = 256

    /// - Parameter servers: at most three.
    /// - Returns: the text, ``length`` bytes.
    static func text(_ servers: [NetworkAddress]) -> String {
        let lines =
            servers.isEmpty
            ? "# Nobody is asked for names but through Tor.\n"
            : servers.map { "\(TransportGate.resolverWord)\($0)\n" }.joined() + "options timeout:3 attempts:2\n"
        return lines + String(repeating: "\n", count: max(0, length - lines.utf8.count))
    }
}
