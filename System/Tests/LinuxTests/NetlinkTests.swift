// SPDX-License-Identifier: GPL-3.0-or-later
import Testing

@testable import Linux

@Suite("Messages to the kernel's network code")
struct NetlinkTests {
    static func hex(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    // What `ip` sends for the same commands, seen with strace; sequence number 1.
    @Test("a virtual cable is asked for as iproute2 does")
    func cable() {
        let message = RouteMessage.makeCable(outer: "to-session", inner: "tor", namespace: 5)
        #expect(
            Self.hex(message.encoded(sequence: 1))
                == [
                    "68000000", "1000", "0106", "01000000", "00000000",  // header: 104 bytes, RTM_NEWLINK, CREATE EXCL
                    "00000000", "00000000", "00000000", "00000000",  // ifinfomsg
                    "0f000300", "746f2d73657373696f6e0000",  // IFLA_IFNAME to-session
                    "38001200",  // IFLA_LINKINFO
                    "09000100", "7665746800000000",  // IFLA_INFO_KIND veth
                    "28000200",  // IFLA_INFO_DATA
                    "24000100", "00000000", "00000000", "00000000", "00000000",  // VETH_INFO_PEER, ifinfomsg
                    "08000300", "746f7200",  // IFLA_IFNAME tor
                    "08001c00", "05000000",  // IFLA_NET_NS_FD
                ].joined())
    }

    @Test("addresses, routes and rules are laid out as rtnetlink wants them")
    func routes() throws {
        let address = try #require(IPv4("10.77.0.1"))
        #expect(
            Self.hex(RouteMessage.addAddress(address, prefix: 30, interface: 3).encoded(sequence: 1))
                == "28000000140001060100000000000000" + "021e000003000000" + "080002000a4d0001"
                + "080001000a4d0001")
        let everywhere = try #require(IPv4("0.0.0.0"))
        let route = RouteMessage.addRoute(
            everywhere, prefix: 0, table: RouteMessage.mainTable, .gateway(address, interface: 2))
        #expect(
            Self.hex(route.encoded(sequence: 1))
                == "2c000000180001060100000000000000" + "02000000fe03000100000000" + "080005000a4d0001"
                + "0800040002000000")
        let rule = RouteMessage.addRule(to: address.network(29), prefix: 29, table: 77, priority: 77)
        #expect(
            Self.hex(rule.encoded(sequence: 1))
                == "34000000200001060100000000000000" + "021d00004d00000100000000" + "080001000a4d0000"
                + "080006004d000000" + "08000f004d000000")
    }

    @Test("addresses are read strictly, and cut to their network")
    func addresses() throws {
        #expect(try #require(IPv4("10.77.0.6")).network(30).description == "10.77.0.4")
        #expect(try #require(IPv4("255.255.255.255")).network(0).description == "0.0.0.0")
        for text in [
            "", "10.77.0", "10.77.0.256", "10.77.0.1.2", "10.77.0.-1", "a.b.c.d", "10.77.0.0001", "10.77.0.01",
            "+1.2.3.4",
        ] {
            #expect(IPv4(text) == nil, "\(text)")
        }
    }

    @Test("answers that are cut or lie about their length end the list, and never the program")
    func answers() {
        let message = RouteMessage.setInterface(7, isUp: true).encoded(sequence: 9)
        for count in 0...message.count {
            let found = NetlinkSocket.messages(in: Array(message.prefix(count)))
            #expect(found.count == (count == message.count ? 1 : 0))
        }
        #expect(NetlinkSocket.messages(in: [UInt8](repeating: 0, count: 64)).isEmpty)
        #expect(NetlinkSocket.messages(in: [UInt8](repeating: 0xff, count: 64)).isEmpty)
        #expect(KernelMessage.attributes(in: [UInt8](repeating: 0xff, count: 9)).isEmpty)
        #expect(KernelMessage.attributes(in: [4, 0, 1, 0, 3, 0, 2, 0]).count == 1)
        #expect(NetlinkSocket.reason([0, 0, 0, 0]) == nil)
        #expect(NetlinkSocket.reason([0xef, 0xff, 0xff, 0xff]) == .exists)
        #expect(NetlinkSocket.reason([1]) == .inputOutput)
        #expect(NetlinkSocket.reason([0, 0, 0, 0x80]) != nil)
    }
}
