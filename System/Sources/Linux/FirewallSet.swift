// SPDX-License-Identifier: GPL-3.0-or-later

/// A named set of the firewall. See nft(8), "SETS", and `<linux/netfilter/nf_tables.h>`.
public struct FirewallSet: Sendable, Hashable {
    /// The table of family inet that has the set.
    public let table: String
    /// The set's name.
    public let name: String

    /// Names a set.
    ///
    /// - Parameters:
    ///   - table: the table of family inet that has it.
    ///   - name: its name.
    public init(table: String, name: String) {
        self.table = table
        self.name = name
    }

    /// Adds an interface to a set of the type `ifname`; that it is in already is no failure.
    ///
    /// - Parameter interface: its name, at most 15 bytes.
    /// - Throws: ``SystemCallFailure``; ``ErrorNumber/noEntry`` when there is no such table or set.
    public func add(_ interface: String) throws(SystemCallFailure) {
        // nft add element inet TABLE SET { "NAME" }: NFT_MSG_NEWSETELEM with NLM_F_CREATE.
        try change("NFT_MSG_NEWSETELEM", 12, flags: .ensure, interface)
    }

    /// Removes an interface; that it is not in is no failure.
    ///
    /// - Parameter interface: its name, at most 15 bytes.
    /// - Throws: ``SystemCallFailure``; ``ErrorNumber/noEntry`` when there is no such table or set.
    public func remove(_ interface: String) throws(SystemCallFailure) {
        // nft destroy element inet TABLE SET { "NAME" }: NFT_MSG_DESTROYSETELEM (Linux 6.3).
        try change("NFT_MSG_DESTROYSETELEM", 30, flags: [], interface)
    }

    private func change(
        _ call: String, _ message: UInt16, flags: KernelMessage.Flags, _ interface: String
    ) throws(SystemCallFailure) {
        let subject = "\(interface) in the firewall's set \(name)"
        guard let key = FirewallElement.interface(interface).key else {
            throw SystemCallFailure(call: call, object: subject, number: .invalidArgument)
        }
        var kernel = try NetlinkSocket(.filter)
        try kernel.commit([Self.message(message, flags, table, name, [key])], subject, call: call)
    }

    /// A change of a set: `struct nfgenmsg`, the table, the set, the elements.
    static func message(
        _ number: UInt16, _ flags: KernelMessage.Flags, _ table: String, _ set: String, _ keys: [[UInt8]]
    ) -> KernelMessage {
        // NFNL_SUBSYS_NFTABLES; family (NFPROTO_INET), version, id
        var change = KernelMessage(type: 10 << 8 | number, flags: flags, fixed: [1, 0, 0, 0])
        change.add(1, text: table)  // NFTA_SET_ELEM_LIST_TABLE
        change.add(2, text: set)  // NFTA_SET_ELEM_LIST_SET
        guard !keys.isEmpty else { return change }
        change.add(KernelMessage.nested | 3) { elements in  // NFTA_SET_ELEM_LIST_ELEMENTS
            for key in keys {
                elements.add(KernelMessage.nested | 1) { element in  // NFTA_LIST_ELEM
                    element.add(KernelMessage.nested | 1) { $0.add(1, key) }  // NFTA_SET_ELEM_KEY, NFTA_DATA_VALUE
                }
            }
        }
        return change
    }
}
