// SPDX-License-Identifier: GPL-3.0-or-later

/// A named set of interface names in the firewall. See nft(8), "SETS", and `<linux/netfilter/nf_tables.h>`.
public struct FirewallSet: Sendable, Hashable {
    /// The table of family inet that has the set.
    public let table: String
    /// The set's name; its type is `ifname`.
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

    /// Adds an interface; that it is in already is no failure.
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
        let key = Array(interface.utf8)
        // IFNAMSIZ is 16 with the zero at the end.
        guard (1...15).contains(key.count) else {
            throw SystemCallFailure(call: call, object: subject, number: .invalidArgument)
        }
        // NFNL_SUBSYS_NFTABLES; struct nfgenmsg: family (NFPROTO_INET), version, id
        var change = KernelMessage(type: 10 << 8 | message, flags: flags, fixed: [1, 0, 0, 0])
        change.add(1, text: table)  // NFTA_SET_ELEM_LIST_TABLE
        change.add(2, text: name)  // NFTA_SET_ELEM_LIST_SET
        change.add(KernelMessage.nested | 3) { elements in  // NFTA_SET_ELEM_LIST_ELEMENTS
            elements.add(KernelMessage.nested | 1) { element in  // NFTA_LIST_ELEM
                element.add(KernelMessage.nested | 1) {  // NFTA_SET_ELEM_KEY
                    $0.add(1, key + [UInt8](repeating: 0, count: 16 - key.count))  // NFTA_DATA_VALUE
                }
            }
        }
        var kernel = try NetlinkSocket(.filter)
        try kernel.commit([change], subject, call: call)
    }
}
