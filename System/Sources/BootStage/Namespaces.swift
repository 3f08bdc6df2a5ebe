// SPDX-License-Identifier: GPL-3.0-or-later
import Linux
import Walls

/// The network namespaces of the session and of the login page's browser, and the virtual cables to them. They are made
/// before systemd starts: there is no service that makes them, so there is none that could be stopped, and nothing that
/// runs later needs the right to make them.
struct Namespaces {
    /// A namespace to be made.
    struct Plan {
        let link: Link
        let firewall: Firewall
        /// Whether the cable carries anything from the start.
        let isConnected: Bool
        /// Whether 127.0.0.1 at Tor's ports means Tor, as programs that know Tor expect it.
        let isTorFamiliar: Bool
    }

    /// Where the namespaces have names.
    let folder: String
    private let plans: [Plan]

    /// Before the main table (32766), behind the table of our own addresses (0).
    static let rulePriority: UInt32 = 77

    /// What every start makes.
    static let shipped = Namespaces(
        folder: Walls.namespaceFolder,
        plans: [
            Plan(
                link: .session, firewall: Firewall(name: Link.session.namespace), isConnected: true,
                isTorFamiliar: true),
            Plan(
                link: .portal, firewall: Firewall(name: Link.portal.namespace), isConnected: false,
                isTorFamiliar: false),
        ])

    /// Plans namespaces.
    init(folder: String, plans: [Plan]) {
        self.folder = folder
        self.plans = plans
    }

    /// Makes them all. The calling thread is in the namespace afterwards in which it was before, also on failure.
    ///
    /// - Throws: ``BootFailure/namespaces(_:)``; ``BootFailure/firewall(_:)``.
    func make() throws(BootFailure) {
        do {
            let home = try File(NetworkNamespace.own)
            var outside = try NetlinkSocket(.route)
            try NetworkNamespace.prepareFolder(folder)
            do throws(BootFailure) {
                for plan in plans { try make(plan, outside: &outside) }
                try NetworkNamespace.attempt { () throws(SystemCallFailure) in try NetworkNamespace.enter(home) }
            } catch {
                try? NetworkNamespace.enter(home)
                throw error
            }
            for plan in plans { try connect(plan, outside: &outside) }
            try route(outside: &outside)
        } catch let failure as BootFailure {
            throw failure
        } catch {
            throw .namespaces("\(error)")
        }
    }

    /// Makes one namespace and its cable. The calling thread stays in it.
    private func make(_ plan: Plan, outside: inout NetlinkSocket) throws(BootFailure) {
        let link = plan.link
        let path = "\(folder)/\(link.namespace)"
        do { try NetworkNamespace.make(path) } catch { throw .namespaces("\(error)") }
        // Before there is any interface.
        try plan.firewall.close()
        do {
            let namespace = try File(NetworkNamespace.own)
            try outside.perform(
                RouteMessage.makeCable(
                    outer: link.outerName, inner: link.innerName, namespace: namespace.descriptor),
                "make the link \(link.outerName)")
            if plan.isTorFamiliar {
                // The rules lead packets from 127.0.0.1 over the cable; the kernel would take them for forged ones.
                try File.write("1", to: "/proc/sys/net/ipv4/conf/\(link.innerName)/route_localnet")
            }
            var inside = try NetlinkSocket(.route)
            let end = try RouteMessage.index(of: link.innerName)
            // The login page's browser talks to the network only: what it could have on a loopback of its own is a door less.
            if plan.isConnected {
                let loopback = try RouteMessage.index(of: "lo")
                try inside.perform(
                    RouteMessage.setInterface(loopback, isUp: true), "switch on lo in \(link.namespace)")
            }
            try inside.perform(
                RouteMessage.addAddress(try Self.address(link.innerAddress), prefix: link.prefixLength, interface: end),
                "add \(link.innerAddress) to \(link.innerName)")
            try inside.perform(
                RouteMessage.setInterface(end, isUp: true), "switch on \(link.innerName) in \(link.namespace)")
            try inside.perform(
                RouteMessage.addRoute(
                    try Self.address("0.0.0.0"), prefix: 0, table: RouteMessage.mainTable,
                    .gateway(try Self.address(link.outerAddress), interface: end)),
                "add the route of \(link.namespace)")
        } catch let failure as BootFailure {
            throw failure
        } catch {
            throw .namespaces("\(error)")
        }
    }

    /// Gives the outer end its address. The calling thread is outside again: interfaces are named by number here.
    private func connect(_ plan: Plan, outside: inout NetlinkSocket) throws {
        let link = plan.link
        let index = try RouteMessage.index(of: link.outerName)
        let address = try Self.address(link.outerAddress)
        try outside.perform(
            RouteMessage.addAddress(address, prefix: link.prefixLength, interface: index),
            "add \(link.outerAddress) to \(link.outerName)")
        // A route needs an interface that is up; who switches the other one on adds its route.
        guard plan.isConnected else { return }
        try outside.perform(RouteMessage.setInterface(index, isUp: true), "switch on \(link.outerName)")
        try outside.perform(
            RouteMessage.addRoute(
                address.network(link.prefixLength), prefix: link.prefixLength, table: Walls.cableRoutes,
                .link(interface: index, source: address)),
            "add the route to \(link.namespace)")
    }

    private func route(outside: inout NetlinkSocket) throws {
        let network = try Self.address(Walls.linkNetwork)
        try outside.perform(
            RouteMessage.addRoute(network, prefix: Walls.linkPrefixLength, table: Walls.cableRoutes, .unreachable),
            "add the end of table \(Walls.cableRoutes)")
        try outside.perform(
            RouteMessage.addRule(
                to: network, prefix: Walls.linkPrefixLength, table: Walls.cableRoutes, priority: Self.rulePriority),
            "add the rule for table \(Walls.cableRoutes)")
    }

    private static func address(_ text: String) throws(BootFailure) -> IPv4 {
        guard let address = IPv4(text) else { throw .namespaces("\(text) is not an address") }
        return address
    }
}

extension NetworkNamespace {
    /// Turns a failed system call into the failure of the start.
    static func attempt(_ body: () throws(SystemCallFailure) -> Void) throws(BootFailure) {
        do { try body() } catch { throw .namespaces("\(error)") }
    }
}
