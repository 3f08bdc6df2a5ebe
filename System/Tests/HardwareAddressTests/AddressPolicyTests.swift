// SPDX-License-Identifier: GPL-3.0-or-later
import Testing

@testable import HardwareAddress

@Suite("The choice of hardware addresses")
struct AddressPolicyTests {
    @Test(
        "what stands on the kernel's command line is done, and random when nothing does",
        arguments: [
            ("quiet", AddressPolicy.random), ("needletail.mac=random", .random), ("a needletail.mac=vendor b", .vendor),
            ("needletail.mac=permanent\n", .permanent), ("needletail.mac=permanent needletail.mac=random", .random),
            ("xneedletail.mac=permanent", .random), ("", .random),
        ])
    func known(line: String, policy: AddressPolicy) {
        let chosen = AddressPolicy.chosen(on: line)
        #expect(chosen.policy == policy)
        #expect(chosen.doubt == nil)
    }

    @Test(
        "a value that is not understood never shows the card's address, and the user is told",
        arguments: ["Permanent", "off", "", "permanent,", "\u{1b}[31mpermanent", String(repeating: "x", count: 5000)])
    func unknown(value: String) throws {
        let chosen = AddressPolicy.chosen(on: "needletail.mac=\(value) quiet")
        #expect(chosen.policy == .random)
        let doubt = try #require(chosen.doubt)
        #expect(doubt.contains("not known") && doubt.utf8.count < 500 && !doubt.contains("\u{1b}"))
    }

    @Test("NetworkManager follows the choice for connections and for scans")
    func networkManager() {
        let random = AddressPolicy.random.networkManagerConfiguration
        #expect(random.contains("\nwifi.cloned-mac-address=random\n") && random.contains("mask=\n"))
        #expect(random.contains("\nwifi.scan-rand-mac-address=yes\n"))
        let vendor = AddressPolicy.vendor.networkManagerConfiguration
        #expect(vendor.contains("\nethernet.cloned-mac-address=random\n"))
        #expect(vendor.contains("\nethernet.generate-mac-address-mask=FE:FF:FF:00:00:00\n"))
        #expect(vendor.contains("\nwifi.scan-generate-mac-address-mask=FE:FF:FF:00:00:00\n"))
        let permanent = AddressPolicy.permanent.networkManagerConfiguration
        #expect(permanent.contains("\nethernet.cloned-mac-address=permanent\n") && !permanent.contains("=random"))
    }

    @Test("an address without a vendor is one card's and says that no vendor gave it")
    func randomAddress() {
        for byte in UInt8.min...UInt8.max {
            let address = AddressChoice.address(vendor: nil, avoiding: []) { [UInt8](repeating: byte, count: $0) }
            #expect(address.map { $0[0] & 3 } == 2)
            #expect(address.map(AddressChoice.isCard) == true)
        }
    }

    @Test("an address that must not be is drawn again, and not for ever")
    func avoided() {
        var draws: [UInt8] = [1, 2, 3]
        let own: [UInt8] = [0x52, 0x54, 0, 1, 1, 1]
        let address = AddressChoice.address(vendor: [0x52, 0x54, 0], avoiding: [own]) {
            [UInt8](repeating: draws.removeFirst(), count: $0)
        }
        #expect(address == [0x52, 0x54, 0, 2, 2, 2])
        var count = 0
        let none = AddressChoice.address(vendor: [0x52, 0x54, 0], avoiding: [own]) {
            count += 1
            return [UInt8](repeating: 1, count: $0)
        }
        #expect(none == nil && count < 100)
    }

    @Test("too few random bytes give no address")
    func short() {
        #expect(AddressChoice.address(vendor: nil, avoiding: []) { _ in [1, 2, 3] } == nil)
    }
}
