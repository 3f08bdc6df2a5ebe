// SPDX-License-Identifier: GPL-3.0-or-later
import Linux
import Uplink
import Walls

/// The way from the namespace `portal` to the network: closed, unless two sets of the firewall name an interface and a name
/// server, the link is up, and the kernel passes packets on between them.
///
/// Each element has a time limit that the kernel keeps, so that the way closes even when nobody is left to close it; and the
/// firewall looks for the elements with every packet, so that connections do not outlive them.
struct Door: Sendable {
    /// The firewall's set for the one interface.
    static let uplinkSet = "portal"
    /// The firewall's set for the name servers.
    static let namesSet = "portal_names"
    /// The elements' time limit goes beyond the service's by so many seconds.
    static let margin = 10
    private static let table = "inet needletail"
    private static let nft = "/usr/sbin/nft"

    /// Runs a program: path and arguments.
    var run: @Sendable (String, [String]) throws -> Program.Outcome = { try Program.run($0, $1, seconds: 10) }
    /// Switches the link's end in the root namespace on or off.
    var setLink: @Sendable (Bool) throws -> Void = { up in
        let link = Link.portal
        var kernel = try NetlinkSocket(.route)
        let index = try RouteMessage.index(of: link.outerName)
        try kernel.perform(
            RouteMessage.setInterface(index, isUp: up), "switch \(up ? "on" : "off") \(link.outerName)")
        if up { try addRoute(of: link, index, &kernel) }
    }
    /// Lets the kernel pass on what comes in through an interface, or no longer.
    var setForwarding: @Sendable (String, Bool) throws -> Void = { name, isForwarding in
        var kernel = try NetlinkSocket(.route)
        try kernel.perform(
            RouteMessage.setInterface(try RouteMessage.index(of: name), isForwarding: isForwarding), name,
            call: "rtnetlink RTM_NEWLINK")
    }

    /// Opens the way. When a step fails, what was done is undone.
    ///
    /// - Parameters:
    ///   - uplink: where packets may leave.
    ///   - names: who may be asked for names.
    ///   - seconds: the service's time limit.
    /// - Throws: ``PortalFailure/door(_:)``.
    func open(_ uplink: Uplink, names: [NetworkAddress], seconds: Int) throws(PortalFailure) {
        do {
            try nft(Self.opening(uplink, names: names, seconds: seconds))
            try setForwarding(uplink.interface, true)
            try setForwarding(Link.portal.outerName, true)
            // Last: before this, nothing can come from the namespace.
            try setLink(true)
        } catch {
            let rest = close(uplink)
            throw PortalFailure.door((["\(error)"] + rest).joined(separator: "; "))
        }
    }

    /// Closes the way. Every step is tried, whatever became of the one before.
    ///
    /// - Parameter uplink: where packets could leave; `nil` when that is not known any more.
    /// - Returns: what failed.
    @discardableResult
    func close(_ uplink: Uplink?) -> [String] {
        var problems: [String] = []
        func attempt(_ step: () throws -> Void) {
            do { try step() } catch { problems.append("\(error)") }
        }
        attempt { try setLink(false) }
        attempt { try nft(Self.closing) }
        attempt { try setForwarding(Link.portal.outerName, false) }
        // An interface that was pulled out is no problem.
        if let uplink { try? setForwarding(uplink.interface, false) }
        return problems
    }

    /// One transaction of nft.
    static func opening(_ uplink: Uplink, names: [NetworkAddress], seconds: Int) -> String {
        let limit = "timeout \(seconds + margin)s"
        var text = "\(closing); add element \(table) \(uplinkSet) { \"\(uplink.interface)\" \(limit) }"
        if !names.isEmpty {
            let elements = names.map { "\($0) \(limit)" }.joined(separator: ", ")
            text += "; add element \(table) \(namesSet) { \(elements) }"
        }
        return text
    }

    /// One transaction of nft.
    static let closing = "flush set \(table) \(uplinkSet); flush set \(table) \(namesSet)"

    /// The route to the namespace, which the kernel has removed when the link was switched off.
    private static func addRoute(of link: Link, _ index: UInt32, _ kernel: inout NetlinkSocket) throws {
        guard let address = IPv4(link.outerAddress) else {
            throw PortalFailure.door("\(link.outerAddress) is no address")
        }
        try kernel.perform(
            RouteMessage.addRoute(
                address.network(link.prefixLength), prefix: link.prefixLength, table: Walls.cableRoutes,
                .link(interface: index, source: address)),
            "add the route to \(link.namespace)")
    }

    private func nft(_ commands: String) throws {
        let outcome = try run(Self.nft, [commands])
        guard outcome.status == 0 else {
            throw PortalFailure.door("nft ended with status \(outcome.status): \(outcome.output.prefix(300))")
        }
    }
}
