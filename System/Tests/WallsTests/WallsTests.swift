// SPDX-License-Identifier: GPL-3.0-or-later
import Linux
import Testing
import Walls

@Suite("The walls' names and numbers")
struct WallsTests {
    static let links = [Link.session, .portal]

    func address(_ text: String) throws -> IPv4 { try #require(IPv4(text), "\(text) is no address") }

    /// Whether two networks have an address in common.
    func overlap(_ one: (IPv4, Int), _ other: (IPv4, Int)) -> Bool {
        let prefix = min(one.1, other.1)
        return one.0.network(prefix) == other.0.network(prefix)
    }

    @Test("both ends of a link lie in its own network, which lies in the network of all links", arguments: links)
    func inside(_ link: Link) throws {
        let all = try address(Walls.linkNetwork)
        #expect(all.network(Walls.linkPrefixLength) == all)
        #expect(Walls.linkPrefixLength < link.prefixLength)
        let (outer, inner) = (try address(link.outerAddress), try address(link.innerAddress))
        #expect(outer.network(link.prefixLength) == inner.network(link.prefixLength))
        for end in [outer, inner] {
            #expect(end.network(Walls.linkPrefixLength) == all)
            // The first and the last address of a network are nobody's.
            let hosts = UInt8.max >> (UInt8(link.prefixLength) - 24)
            let host = try #require(end.bytes.last) & hosts
            #expect(host != 0 && host != hosts, "\(end)")
        }
    }

    @Test("no two ends have the same address, and the session's network and the login page's have none in common")
    func apart() throws {
        let ends = Self.links.flatMap { [$0.outerAddress, $0.innerAddress] }
        #expect(Set(ends).count == ends.count)
        let (session, portal) = (Link.session, Link.portal)
        #expect(
            !overlap(
                (try address(session.outerAddress), session.prefixLength),
                (try address(portal.outerAddress), portal.prefixLength)))
        // What the comparison is good for: the network of all links has both.
        #expect(
            overlap(
                (try address(Walls.linkNetwork), Walls.linkPrefixLength),
                (try address(portal.outerAddress), portal.prefixLength)))
    }

    @Test("the addresses of .onion names are no link's")
    func onions() throws {
        let parts = Walls.onionNetwork.split(separator: "/")
        let prefix = try #require(parts.last.flatMap { Int($0) })
        let network = try address(String(parts[0]))
        #expect(parts.count == 2 && network.network(prefix) == network)
        #expect(!overlap((network, prefix), (try address(Walls.linkNetwork), Walls.linkPrefixLength)))
    }

    @Test("the kernel takes the names: at most 15 bytes, all different, nothing but small letters and hyphens")
    func names() {
        // IFNAMSIZ is 16 with the zero at the end. Both ends are made in one namespace and part afterwards.
        let interfaces = Self.links.flatMap { [$0.outerName, $0.innerName] }
        let namespaces = Self.links.map(\.namespace)
        #expect(Set(interfaces).count == interfaces.count && Set(namespaces).count == namespaces.count)
        for name in interfaces + namespaces {
            #expect((1...15).contains(name.utf8.count), "\(name)")
            #expect(name.utf8.allSatisfy { (0x61...0x7a).contains($0) || $0 == 0x2d }, "\(name)")
        }
        #expect(!interfaces.contains("lo"))
    }

    @Test("each of Tor's ports and sockets is one thing only")
    func ports() {
        let ports = [TorPort.transparent, TorPort.names, TorPort.socks, TorPort.browser]
        #expect(Set(ports).count == ports.count && !ports.contains(0))
        let paths = [TorPort.systemSocket, TorPort.controlSocket, TorPort.controlCookie]
        #expect(Set(paths).count == paths.count)
        // See unix(7): 107 bytes and the zero at the end.
        for path in paths { #expect(path.hasPrefix("/run/") && path.utf8.count <= 107, "\(path)") }
        // Who may use Tor must not come near who may command it.
        #expect(folder(of: TorPort.systemSocket) != folder(of: TorPort.controlSocket))
        #expect(Walls.torGroup != Walls.torUser)
    }

    func folder(of path: String) -> String { path.split(separator: "/").dropLast().joined(separator: "/") }

    @Test("the marks tell Tor from the login page, and no mark is the absence of one")
    func marks() {
        #expect(Walls.torMark != Walls.portalMark && Walls.torMark != 0 && Walls.portalMark != 0)
    }

    @Test("the links' table of routes is none of the kernel's own")
    func table() {
        // 0 is unspecified, 253 default, 254 main, 255 local. See ip-route(8).
        #expect((1...252).contains(Walls.cableRoutes))
    }
}
