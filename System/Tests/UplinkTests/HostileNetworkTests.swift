// SPDX-License-Identifier: GPL-3.0-or-later
import Testing

@testable import Uplink

@Suite("What a network says about itself is not believed")
struct HostileNetworkTests {
    @Test(
        "an address is four plain numbers, and nothing else",
        arguments: [
            "", "1", "1.2.3", "1.2.3.4.5", "256.1.1.1", "01.2.3.4", "1.2.3.-4", " 1.2.3.4", "1.2.3.4 ", "1..2.3",
            "a.b.c.d",
            "0x7f.0.0.1", "127.1", "1.2.3.4;flush", "１.2.3.4", "+1.2.3.4",
        ])
    func notAddresses(text: String) { #expect(NetworkAddress(text) == nil) }

    @Test(
        "this computer, the walls' links and everybody at once are no name servers",
        arguments: [
            "0.0.0.0", "127.0.0.1", "127.9.9.9", "10.77.0.1", "10.77.0.2", "10.77.0.5", "10.77.0.6", "10.77.0.7",
            "169.254.1.1", "224.0.0.251", "239.255.255.250", "240.0.0.1", "255.255.255.255",
        ])
    func nobody(text: String) throws {
        #expect(try #require(NetworkAddress(text)).isSomebody == false)
        #expect(NameServers.read("DHCP4.OPTION[1]:domain_name_servers = \(text)\n").isEmpty)
    }

    @Test(
        "other private and public addresses are",
        arguments: ["192.0.2.1", "10.77.0.8", "10.0.0.1", "172.16.0.1", "9.9.9.9"])
    func somebody(text: String) throws { #expect(try #require(NetworkAddress(text)).isSomebody) }

    @Test("the name servers of a lease are found among its options")
    func lease() {
        let text = """
            DHCP4.OPTION[1]:dhcp_lease_time = 3600
            DHCP4.OPTION[2]:domain_name_servers = 192.0.2.1 127.0.0.1 192.0.2.1 192.0.2.2 192.0.2.3 192.0.2.4
            DHCP4.OPTION[3]:routers = 192.0.2.1
            """
        #expect(NameServers.read(text).map(\.description) == ["192.0.2.1", "192.0.2.2", "192.0.2.3"])
    }

    @Test(
        "other options cannot pass for name servers",
        arguments: [
            "DHCP4.OPTION[1]:requested_domain_name_servers = 1",
            "DHCP4.OPTION[1]:root_path = domain_name_servers = 1.2.3.4",
            "domain_name_servers = 1.2.3.4", "DHCP4.OPTION[1]:domain_name_servers",
            "DHCP4.OPTION[1]:domain_name_servers =",
            "DHCP4.OPTION[1]", "", "DHCP4.OPTION[1]:domain_name_servers = 1.2.3.4; flush ruleset",
        ])
    func otherOptions(text: String) { #expect(NameServers.read(text).isEmpty) }

    private static let header =
        "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"

    @Test("the uplink is where the default route with the lowest metric leads")
    func routes() throws {
        let table =
            Self.header + "wlan0\t00000000\t010200C0\t0003\t0\t0\t600\t00000000\t0\t0\t0\n"
            + "enp0s2\t00000000\tFE0200C0\t0003\t0\t0\t100\t00000000\t0\t0\t0\n"
            + "enp0s2\t000200C0\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\t0\t0\n"
        let uplink = try #require(Uplink(routes: table))
        #expect(uplink.interface == "enp0s2")
        #expect(uplink.gateway.description == "192.0.2.254")
    }

    @Test(
        "without a default route through a router there is no uplink",
        arguments: [
            "", "enp0s2\t000200C0\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\t0\t0\n",
            "to-session\t00000000\t010200C0\t0003\t0\t0\t1\t00000000\t0\t0\t0\n",
            "to-portal\t00000000\t010200C0\t0003\t0\t0\t1\t00000000\t0\t0\t0\n",
            "lo\t00000000\t010200C0\t0003\t0\t0\t1\t00000000\t0\t0\t0\n",
            "a\"b\t00000000\t010200C0\t0003\t0\t0\t1\t00000000\t0\t0\t0\n",
            "enp0s2\t00000000\t0100007F\t0003\t0\t0\t1\t00000000\t0\t0\t0\n",
            "enp0s2\t00000000\t010200C0\t0002\t0\t0\t1\t00000000\t0\t0\t0\n",
            "enp0s2\t00000000\tzz\t0003\t0\t0\t1\t00000000\t0\t0\t0\n", "enp0s2\t00000000\n",
        ])
    func noRoute(line: String) { #expect(Uplink(routes: Self.header + line) == nil) }

    @Test(
        "an interface's name that could be more than a name is not used",
        arguments: ["", "-x", "a b", "a;b", "a\"", "lo", "sixteen-letters-"])
    func names(name: String) { #expect(!Uplink.isName(name)) }
}
