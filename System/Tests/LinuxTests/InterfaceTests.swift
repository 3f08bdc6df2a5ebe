// SPDX-License-Identifier: GPL-3.0-or-later
import Testing

@testable import Linux

/// With a real namespace of this machine's kernel; it needs root, as the services that do this have the rights for it.
@Suite("Interfaces and the firewall's sets, as the kernel has them", .serialized)
struct InterfaceTests {
    /// Runs a body in a network namespace that has a cable with the ends `nt0` and `nt1`.
    func apart(_ body: (_ index: Int32) throws -> Void) throws {
        let home = try File(NetworkNamespace.own)
        let path = "/tmp/needletail-interface-\(Machine.uptime)"
        defer {
            try? NetworkNamespace.enter(home)
            try? Mount.detach(path)
            try? FileTree.remove(path)
        }
        try NetworkNamespace.make(path)
        _ = try output("ip", "link", "add", "nt0", "type", "veth", "peer", "name", "nt1")
        try body(Int32(RouteMessage.index(of: "nt0")))
    }

    @discardableResult
    func output(_ words: String...) throws -> String {
        let outcome = try Program.run("/usr/bin/env", ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"] + words)
        #expect(outcome.status == 0, "\(words): \(outcome.output)")
        return outcome.output
    }

    func sentence(_ body: () throws -> Void) -> String {
        do { try body() } catch { return "\(error)" }
        return "no failure"
    }

    @Test("an interface is read, gets another address, and is taken down")
    func interface() throws {
        try apart { index in
            try NetworkInterface.setAddress([2, 0, 0, 0x77, 0x78, 0x79], of: index)
            #expect(try output("ip", "link", "show", "nt0").contains("02:00:00:77:78:79"))
            try output("ip", "link", "set", "nt0", "up")
            let read = try NetworkInterface.read(index)
            #expect(read.index == index && read.name == "nt0" && read.isUp)
            #expect(read.address == [2, 0, 0, 0x77, 0x78, 0x79] && read.permanentAddress == nil)
            try NetworkInterface.setDown(index)
            #expect(try !NetworkInterface.read(index).isUp)
        }
    }

    @Test("what the kernel refuses is told with the request and the interface")
    func refusals() throws {
        try apart { index in
            #expect(
                sentence { _ = try NetworkInterface.read(9999) } == "RTM_GETLINK interface 9999: No such device (19)")
            #expect(
                sentence { try NetworkInterface.setDown(9999) } == "RTM_NEWLINK interface 9999: No such device (19)")
            // A group's address is nobody's.
            #expect(
                sentence { try NetworkInterface.setAddress([1, 0, 0, 0, 0, 1], of: index) }
                    == "RTM_NEWLINK address of interface \(index): Cannot assign requested address (99)")
            #expect(
                sentence { try FirewallSet(table: "needletail", name: "interfaces").add("nt0") }
                    == "NFT_MSG_NEWSETELEM nt0 in the firewall's set interfaces: No such file or directory (2)")
            #expect(
                sentence { try FirewallSet(table: "needletail", name: "interfaces").remove("nt0") }
                    == "NFT_MSG_DESTROYSETELEM nt0 in the firewall's set interfaces: No such file or directory (2)")
            for name in ["", "sixteen-bytes-xy"] {
                #expect(
                    sentence { try FirewallSet(table: "needletail", name: "interfaces").add(name) }
                        == "NFT_MSG_NEWSETELEM \(name) in the firewall's set interfaces: Invalid argument (22)")
            }
        }
    }

    @Test("the firewall's set takes an interface once or twice, and loses it once or twice")
    func firewallSet() throws {
        try apart { _ in
            try output("nft", "add table inet needletail; add set inet needletail interfaces { type ifname; }")
            let set = FirewallSet(table: "needletail", name: "interfaces")
            func elements() throws -> String { try output("nft", "list", "set", "inet", "needletail", "interfaces") }
            for _ in 0..<2 {
                try set.add("nt0")
                #expect(try elements().contains("\"nt0\""))
            }
            try set.add("fifteen-bytes-x")
            for _ in 0..<2 {
                try set.remove("nt0")
                #expect(try !elements().contains("\"nt0\"") && elements().contains("\"fifteen-bytes-x\""))
            }
        }
    }

    @Test("an interface is switched on and off, and passes packets on or does not")
    func switches() throws {
        try apart { index in
            let index = UInt32(bitPattern: index)
            var kernel = try NetlinkSocket(.route)
            for on in [true, false] {
                try kernel.perform(RouteMessage.setInterface(index, isUp: on), "switch nt0")
                #expect(try output("ip", "link", "show", "nt0").contains(",UP") == on)
                try kernel.perform(RouteMessage.setInterface(index, isForwarding: on), "forwarding of nt0")
                #expect(File.line("/proc/sys/net/ipv4/conf/nt0/forwarding") == (on ? "1" : "0"))
                #expect(File.line("/proc/sys/net/ipv4/conf/nt1/forwarding") == "0")
            }
            #expect(
                sentence { try kernel.perform(RouteMessage.setInterface(9999, isForwarding: true), "forwarding") }
                    == "netlink forwarding: No such device (19)")
        }
    }
}
