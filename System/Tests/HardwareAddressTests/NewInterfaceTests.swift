// SPDX-License-Identifier: GPL-3.0-or-later
import Linux
import Testing

@testable import HardwareAddress

/// A kernel with one interface whose driver does as it is told to do.
final class FakeKernel: InterfaceControl {
    static let own: [UInt8] = [0x52, 0x54, 0x00, 0x4e, 0x54, 0x01]

    enum Driver { case obeys, refuses, doesNothing, changesVendor, comesUp, vanishes }

    var driver = Driver.obeys
    var address: [UInt8] = FakeKernel.own
    var permanent: [UInt8]? = FakeKernel.own
    var isUp = false
    var hasSet = true
    var admitted: Set<String> = []
    var random: [UInt8] = [0xff, 0x11, 0x22, 0x33, 0x44, 0x55]
    var hasRandom = true
    private var wasDriven = false

    func read(_ index: Int32) throws(SystemCallFailure) -> NetworkInterface {
        if driver == .vanishes, wasDriven { throw failure("RTM_GETLINK") }
        return NetworkInterface(index: index, name: "eth0", isUp: isUp, address: address, permanentAddress: permanent)
    }

    func setAddress(_ address: [UInt8], of index: Int32) throws(SystemCallFailure) {
        wasDriven = true
        switch driver {
        case .obeys: self.address = address
        case .refuses: throw failure("RTM_NEWLINK")
        case .doesNothing, .vanishes: break
        case .changesVendor: self.address = [0, 1, 2] + address[3...]
        case .comesUp:
            self.address = address
            isUp = true
        }
    }

    func setDown(_ index: Int32) throws(SystemCallFailure) { isUp = false }

    func admit(_ name: String) throws(SystemCallFailure) {
        guard hasSet else { throw failure("NFT_MSG_NEWSETELEM") }
        admitted.insert(name)
    }

    func expel(_ name: String) throws(SystemCallFailure) { admitted.remove(name) }

    func random(_ count: Int) throws(SystemCallFailure) -> [UInt8] {
        guard hasRandom else { throw failure("getrandom") }
        return random
    }

    private func failure(_ call: String) -> SystemCallFailure {
        SystemCallFailure(call: call, object: "interface 2", number: .notPermitted)
    }

    func prepare(_ policy: AddressPolicy, again: Bool = false, doubt: String? = nil) -> InterfaceReport {
        NewInterface(control: self, policy: policy, doubt: doubt, wasPrepared: again).prepare(
            2, name: "eth0", driver: "fake")
    }
}

@Suite("A new network interface")
struct NewInterfaceTests {
    let kernel = FakeKernel()

    @Test("gets a random address and is let through the firewall")
    func random() {
        let report = kernel.prepare(.random)
        #expect(report.result == .randomised)
        #expect(kernel.address == [0xfe, 0x11, 0x22, 0x33, 0x44, 0x55])
        #expect(kernel.admitted == ["eth0"] && !kernel.isUp)
    }

    @Test("keeps the vendor's half when the user wants that, and nothing else of its own")
    func vendor() {
        #expect(kernel.prepare(.vendor).result == .vendor)
        #expect(kernel.address == [0x52, 0x54, 0x00, 0x33, 0x44, 0x55])
    }

    @Test("has a fully random address where there is no vendor to keep")
    func noVendor() {
        kernel.permanent = nil
        #expect(kernel.prepare(.vendor).result == .randomised)
        #expect(kernel.address[0] & 3 == 2)
    }

    @Test("shows its own address only to who chose that, also when somebody had changed it")
    func permanent() {
        kernel.address = [2, 0, 0, 0, 0, 1]
        let report = kernel.prepare(.permanent)
        #expect(report.result == .permanent && kernel.address == FakeKernel.own && kernel.admitted == ["eth0"])
    }

    @Test(
        "stays off, with a word to the user, when its driver does not do what it is told",
        arguments: [FakeKernel.Driver.refuses, .doesNothing, .changesVendor, .comesUp, .vanishes],
        [AddressPolicy.random, .vendor])
    func driver(driver: FakeKernel.Driver, policy: AddressPolicy) {
        kernel.driver = driver
        // .changesVendor with the policy .vendor is another vendor than the card's.
        let report = kernel.prepare(policy)
        #expect(report.result == .failed)
        #expect(kernel.admitted.isEmpty && !kernel.isUp)
        #expect(report.detail.contains("stays off") && !report.detail.contains("\n"))
    }

    @Test("stays off when the firewall does not take it")
    func firewall() {
        kernel.hasSet = false
        let report = kernel.prepare(.random)
        #expect(report.result == .failed && report.detail.contains("firewall"))
    }

    @Test("stays off when there are no random numbers, or only those that give its own address")
    func randomness() {
        kernel.hasRandom = false
        #expect(kernel.prepare(.random).result == .failed)
        kernel.hasRandom = true
        kernel.random = FakeKernel.own
        #expect(kernel.prepare(.vendor).result == .failed)
        #expect(kernel.admitted.isEmpty)
    }

    @Test("is taken down when somebody had switched it on, and nobody claims that it was silent")
    func wasUp() {
        kernel.isUp = true
        let report = kernel.prepare(.random)
        #expect(report.result == .failed && !kernel.isUp && kernel.admitted.isEmpty)
        #expect(!report.detail.contains("Nothing was sent"))
    }

    @Test("keeps the address that NetworkManager has given it when the kernel announces it once more")
    func again() {
        kernel.address = [0x06, 1, 2, 3, 4, 5]
        kernel.isUp = true
        #expect(kernel.prepare(.random, again: true).result == .randomised)
        #expect(kernel.address == [0x06, 1, 2, 3, 4, 5] && kernel.isUp && kernel.admitted == ["eth0"])
    }

    @Test("is taken down when it is announced once more and has its own address by then")
    func againWithOwn() {
        kernel.isUp = true
        #expect(kernel.prepare(.random, again: true).result == .failed)
        #expect(!kernel.isUp && kernel.admitted.isEmpty)
    }

    @Test("without a hardware address of six bytes stays off", arguments: [0, 8, 20])
    func otherKinds(count: Int) {
        kernel.address = [UInt8](repeating: 2, count: count)
        #expect(kernel.prepare(.random).result == .failed)
    }

    @Test("has a report that can be read back, and that never holds its own address")
    func report() throws {
        let text = kernel.prepare(.random, doubt: "A doubt.\nOf two lines.").text
        let read = try #require(InterfaceReport(text))
        #expect(read.name == "eth0" && read.driver == "fake" && read.policy == .random && read.result == .randomised)
        #expect(read.detail == "Has a random hardware address. A doubt. Of two lines.")
        #expect(!text.contains("52:54") && text.split(separator: "\n").count == 5)
        for wrong in ["", "name=", "name=eth0\nresult=failed", "name=a\npolicy=random\nresult=maybe", "\u{0}=\u{0}"] {
            #expect(InterfaceReport(wrong) == nil)
        }
    }
}
