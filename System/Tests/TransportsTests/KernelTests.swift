// SPDX-License-Identifier: GPL-3.0-or-later
import Linux
import Testing
import Uplink

@testable import Transports

/// With a real namespace of this machine's kernel; it needs root, as the service has the right for it.
@Suite("The firewall's sets, as the kernel has them", .serialized)
struct KernelTests {
    static let sets = """
        table inet needletail {
            set udp_transports { type uid; }
            set resolvers { type ipv4_addr; }
            set interfaces { type ifname; }
        }
        """

    func apart(_ body: () throws -> Void) throws {
        let home = try File(NetworkNamespace.own)
        let path = "/tmp/needletail-transports-\(Machine.uptime)"
        defer {
            try? NetworkNamespace.enter(home)
            try? Mount.detach(path)
            try? FileTree.remove(path)
        }
        try NetworkNamespace.make(path)
        try body()
    }

    @discardableResult
    func nft(_ words: String...) throws -> String {
        let outcome = try Program.run("/usr/bin/env", ["PATH=/usr/sbin:/usr/bin", "nft"] + words)
        #expect(outcome.status == 0, "\(words): \(outcome.output)")
        return outcome.output
    }

    func elements(_ set: String) throws -> String {
        let text = try nft("--numeric", "list", "set", "inet", "needletail", set)
        return text.split(separator: "\n").filter { $0.contains("elements") }.joined()
    }

    func world(_ names: [String], file: String) -> Opening.World {
        let fake = FakeWorld()
        fake.state.withLock { $0.names = names }
        var world = fake.world
        world.fill = Opening.World().fill
        world.write = { try File.write($0, to: file) }
        return world
    }

    @Test("both sets are filled and emptied together, other elements go, and other sets stay")
    func sets() throws {
        let file = "/tmp/needletail-resolver-\(Machine.uptime)"
        defer { try? FileTree.remove(file) }
        try File.make(file, mode: 0o644, Array(String(repeating: "x", count: 256).utf8))
        try apart {
            try nft(Self.sets)
            try nft("add element inet needletail interfaces { \"eth0\" }")
            try nft("add element inet needletail resolvers { 203.0.113.66 }")
            try nft("add element inet needletail udp_transports { 1000 }")
            var opening = Opening(world(["192.0.2.1", "9.9.9.9"], file: file))
            #expect(opening.refresh() == .open)
            let (users, servers) = (try elements("udp_transports"), try elements("resolvers"))
            #expect(users.contains("{ 101 }"), "\(users)")
            #expect(servers.contains("9.9.9.9") && servers.contains("192.0.2.1") && !servers.contains("203.0.113.66"))
            #expect(try File.text(file).hasPrefix("nameserver 192.0.2.1\n"))
            #expect(opening.close() == .closed)
            #expect(try elements("udp_transports").isEmpty && elements("resolvers").isEmpty)
            #expect(try elements("interfaces").contains("eth0"))
            #expect(try !File.text(file).contains("nameserver"))
        }
    }

    @Test("the kernel lets the owner's question pass while its server is in the set, and not the same flow afterwards")
    func rules() throws {
        try apart {
            // As the builder renders them: each datagram is looked at, whatever was begun.
            try nft(Self.sets)
            try nft(
                "add chain inet needletail output { type filter hook output priority 0; policy drop; }; "
                    + "add rule inet needletail output ip daddr @resolvers meta skuid @udp_transports udp dport 53 accept"
            )
            try nft("add element inet needletail resolvers { 127.0.0.1 }")
            try FirewallSet.replace([("udp_transports", [.user(0)])], in: "needletail")
            _ = try Program.run(
                "/usr/bin/env", ["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "ip", "link", "set", "lo", "up"])
            let send = [
                "PATH=/usr/bin:/bin", "bash", "-c",
                "exec 3>/dev/udp/127.0.0.1/53 && printf x >&3 && echo sent || echo kept",
            ]
            #expect(try Program.run("/usr/bin/env", send).output.contains("sent"))
            try FirewallSet.replace([("udp_transports", []), ("resolvers", [])], in: "needletail")
            #expect(try Program.run("/usr/bin/env", send).output.contains("kept"))
        }
    }

    @Test("without the table, or with an element of another kind, nothing changes and it is told")
    func refusals() throws {
        try apart {
            let file = "/tmp/needletail-resolver-\(Machine.uptime)"
            defer { try? FileTree.remove(file) }
            try File.make(file, mode: 0o644)
            var opening = Opening(world(["192.0.2.1"], file: file))
            #expect(opening.refresh() == .failed)
            #expect(opening.close() == .failed)
            try nft(Self.sets)
            try nft("add element inet needletail resolvers { 192.0.2.1 }")
            #expect(throws: SystemCallFailure.self) {
                try FirewallSet.replace([("resolvers", []), ("interfaces", [.user(1)])], in: "needletail")
            }
            #expect(try elements("resolvers").contains("192.0.2.1"))
        }
    }
}
