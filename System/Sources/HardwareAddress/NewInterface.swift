// SPDX-License-Identifier: GPL-3.0-or-later
import Linux

/// A network interface that has just appeared, before anybody could use it.
struct NewInterface<Control: InterfaceControl> {
    let control: Control
    let policy: AddressPolicy
    /// A sentence about the policy that the report should have too.
    var doubt: String?
    /// Whether the interface was prepared before: the kernel may announce one twice.
    var wasPrepared = false

    /// Gives the interface its address, checks that it has it, and lets the firewall pass it. On any failure the interface is
    /// down and outside the firewall's set.
    ///
    /// - Parameters:
    ///   - index: the interface's number.
    ///   - name: its name, for the report when nothing else is known.
    ///   - driver: its driver, for the report.
    /// - Returns: what came of it.
    func prepare(_ index: Int32, name: String, driver: String?) -> InterfaceReport {
        do throws(Refusal) {
            let result = try hide(index)
            return report(name, driver, result.result, [result.detail, doubt].compactMap { $0 }.joined(separator: " "))
        } catch {
            // The state of a failure is the same whatever failed; errors on this way change nothing of the report, because
            // NetworkManager keeps off the interface too.
            try? control.setDown(index)
            try? control.expel(name)
            return report(name, driver, .failed, error.sentence(name))
        }
    }

    private func hide(_ index: Int32) throws(Refusal) -> (result: InterfaceReport.Result, detail: String) {
        let before = try read(index)
        guard before.address.count == 6 else { throw .notHidden(Messages.noAddress) }
        let own = before.permanentAddress.flatMap { AddressChoice.isCard($0) ? $0 : nil }
        if wasPrepared, before.address != own || policy == .permanent {
            // NetworkManager may have given it another address since.
            try admit(before)
            return outcome(keepsVendor: policy == .vendor && own != nil)
        }
        // What is up may have sent already, and is somebody else's.
        guard !before.isUp else { throw .wasUp }
        let wanted: [UInt8]
        switch policy {
        case .permanent:
            // Without an address of its own there is nothing to go back to: the driver has drawn one.
            wanted = own ?? before.address
        case .random, .vendor:
            let vendor = policy == .vendor ? own.map { Array($0[..<3]) } : nil
            wanted = try newAddress(vendor: vendor, avoiding: [before.address] + (own.map { [$0] } ?? []))
        }
        do throws(SystemCallFailure) {
            if wanted != before.address { try control.setAddress(wanted, of: index) }
        } catch {
            throw .notHidden(Messages.refused(error))
        }
        // Some drivers say yes and do nothing, or change it in a way of their own.
        let after = try read(index)
        guard after.address == wanted, !after.isUp else { throw .notHidden(Messages.notKept) }
        try admit(after)
        return outcome(keepsVendor: policy == .vendor && own != nil)
    }

    private func outcome(keepsVendor: Bool) -> (result: InterfaceReport.Result, detail: String) {
        switch policy {
        case .permanent: (.permanent, Messages.permanent)
        case .vendor where keepsVendor: (.vendor, Messages.vendor)
        // An interface without an address of its own has no vendor's bytes to keep.
        case .vendor, .random: (.randomised, Messages.randomised)
        }
    }

    private func read(_ index: Int32) throws(Refusal) -> NetworkInterface {
        do throws(SystemCallFailure) { return try control.read(index) } catch {
            throw .notHidden(Messages.refused(error))
        }
    }

    private func newAddress(vendor: [UInt8]?, avoiding avoided: [[UInt8]]) throws(Refusal) -> [UInt8] {
        let address: [UInt8]?
        do throws(SystemCallFailure) {
            address = try AddressChoice.address(vendor: vendor, avoiding: avoided, random: control.random)
        } catch {
            throw .notHidden(Messages.refused(error))
        }
        guard let address else { throw .notHidden(Messages.notKept) }
        return address
    }

    private func admit(_ interface: NetworkInterface) throws(Refusal) {
        do throws(SystemCallFailure) { try control.admit(interface.name) } catch {
            throw .notAdmitted(ReportText.printable("\(error)"))
        }
    }

    private func report(
        _ name: String, _ driver: String?, _ result: InterfaceReport.Result, _ detail: String
    ) -> InterfaceReport {
        InterfaceReport(name: name, driver: driver, policy: policy, result: result, detail: detail)
    }
}

/// Why an interface stays off.
enum Refusal: Error {
    /// It was up before anything could be done.
    case wasUp
    /// Its address could not be changed.
    case notHidden(String)
    /// The firewall did not take it.
    case notAdmitted(String)

    func sentence(_ name: String) -> String {
        let name = ReportText.printable(name)
        return switch self {
        case .wasUp: Messages.wasUp(name)
        case .notHidden(let reason): Messages.failed(name, because: reason)
        case .notAdmitted(let reason): Messages.notAdmitted(name, because: reason)
        }
    }
}
