// SPDX-License-Identifier: GPL-3.0-or-later
import Linux

/// What is asked of the kernel about interfaces: behind a protocol, so that drivers that refuse, lie or lose what they were told
/// can be rehearsed.
protocol InterfaceControl {
    func read(_ index: Int32) throws(SystemCallFailure) -> NetworkInterface
    func setAddress(_ address: [UInt8], of index: Int32) throws(SystemCallFailure)
    func setDown(_ index: Int32) throws(SystemCallFailure)
    /// Lets the firewall pass the interface's packets.
    func admit(_ name: String) throws(SystemCallFailure)
    /// Takes that back.
    func expel(_ name: String) throws(SystemCallFailure)
    func random(_ count: Int) throws(SystemCallFailure) -> [UInt8]
}

/// The kernel itself.
struct Kernel: InterfaceControl {
    /// The firewall's set of interfaces that may send and receive.
    private let admitted = FirewallSet(table: "needletail", name: "interfaces")

    func read(_ index: Int32) throws(SystemCallFailure) -> NetworkInterface { try NetworkInterface.read(index) }
    func setAddress(_ address: [UInt8], of index: Int32) throws(SystemCallFailure) {
        try NetworkInterface.setAddress(address, of: index)
    }
    func setDown(_ index: Int32) throws(SystemCallFailure) { try NetworkInterface.setDown(index) }
    func admit(_ name: String) throws(SystemCallFailure) { try admitted.add(name) }
    func expel(_ name: String) throws(SystemCallFailure) { try admitted.remove(name) }
    func random(_ count: Int) throws(SystemCallFailure) -> [UInt8] { try Randomness.bytes(count) }
}
