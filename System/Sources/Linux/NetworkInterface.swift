// SPDX-License-Identifier: GPL-3.0-or-later

/// A network interface as the kernel describes it. See `man 7 rtnetlink`.
public struct NetworkInterface: Sendable, Hashable {
    /// Its number, which no other interface of this start ever gets.
    public let index: Int32
    /// Its name now.
    public let name: String
    /// Whether it is up (`IFF_UP`).
    public let isUp: Bool
    /// Its hardware address now; six bytes for Ethernet and Wi-Fi, none for what has no such address.
    public let address: [UInt8]
    /// The address burnt into it; `nil` when the kernel knows none (`IFLA_PERM_ADDRESS`).
    public let permanentAddress: [UInt8]?

    /// Describes an interface.
    ///
    /// - Parameters:
    ///   - index: its number.
    ///   - name: its name.
    ///   - isUp: whether it is up.
    ///   - address: its hardware address now.
    ///   - permanentAddress: the address burnt into it.
    public init(index: Int32, name: String, isUp: Bool, address: [UInt8], permanentAddress: [UInt8]?) {
        self.index = index
        self.name = name
        self.isUp = isUp
        self.address = address
        self.permanentAddress = permanentAddress
    }

    /// Asks the kernel for an interface.
    ///
    /// - Parameter index: its number.
    /// - Returns: what it is now.
    /// - Throws: ``SystemCallFailure``; ``ErrorNumber/noDevice`` when there is none.
    public static func read(_ index: Int32) throws(SystemCallFailure) -> NetworkInterface {
        let (call, words) = ("RTM_GETLINK", "interface \(index)")
        var kernel = try NetlinkSocket(.route)
        let answers = try kernel.perform(RouteMessage.getInterface(UInt32(bitPattern: index)), words, call: call)
        // RTM_NEWLINK, struct ifinfomsg: family, type, index, flags, which flags change
        guard let answer = answers.first, answer.type == 16, answer.body.count >= 16 else {
            throw SystemCallFailure(call: call, object: words, number: .inputOutput)
        }
        let attributes = answer.attributes(after: 16)
        func value(_ type: UInt16) -> [UInt8]? { attributes.last { $0.type == type }?.value }
        return NetworkInterface(
            index: Int32(bitPattern: UInt32(kernelBytes: answer.body[4..<8])),
            name: String(decoding: (value(3) ?? []).prefix { $0 != 0 }, as: UTF8.self),  // IFLA_IFNAME
            isUp: answer.body[8] & 1 != 0, address: value(1) ?? [],  // IFLA_ADDRESS
            permanentAddress: value(54))  // IFLA_PERM_ADDRESS
    }

    /// Gives an interface another hardware address.
    ///
    /// - Parameters:
    ///   - address: the address, as many bytes as it has now.
    ///   - index: the interface's number.
    /// - Throws: ``SystemCallFailure``; a driver may refuse.
    public static func setAddress(_ address: [UInt8], of index: Int32) throws(SystemCallFailure) {
        var kernel = try NetlinkSocket(.route)
        try kernel.perform(
            RouteMessage.setInterface(UInt32(bitPattern: index), address: address), "address of interface \(index)",
            call: "RTM_NEWLINK")
    }

    /// Takes an interface down: nothing is sent or received by it any more.
    ///
    /// - Parameter index: the interface's number.
    /// - Throws: ``SystemCallFailure``.
    public static func setDown(_ index: Int32) throws(SystemCallFailure) {
        var kernel = try NetlinkSocket(.route)
        try kernel.perform(
            RouteMessage.setInterface(UInt32(bitPattern: index), isUp: false), "interface \(index)",
            call: "RTM_NEWLINK")
    }
}
