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
        try change("NFT_MSG_NEWSETELEM", 12, flags: 0x400, interface)
    }

    /// Removes an interface; that it is not in is no failure.
    ///
    /// - Parameter interface: its name, at most 15 bytes.
    /// - Throws: ``SystemCallFailure``; ``ErrorNumber/noEntry`` when there is no such table or set.
    public func remove(_ interface: String) throws(SystemCallFailure) {
        // nft destroy element inet TABLE SET { "NAME" }: NFT_MSG_DESTROYSETELEM (Linux 6.3).
        try change("NFT_MSG_DESTROYSETELEM", 30, flags: 0, interface)
    }

    private func change(
        _ call: String, _ message: UInt16, flags: Int32, _ interface: String
    ) throws(SystemCallFailure) {
        let subject = "\(interface) in the firewall's set \(name)"
        let key = Array(interface.utf8)
        // IFNAMSIZ is 16 with the zero at the end.
        guard (1...15).contains(key.count) else {
            throw SystemCallFailure(call: call, object: subject, number: .invalidArgument)
        }
        var exchange = try NetlinkExchange(.netfilter, about: subject)
        let (first, middle, last) = (exchange.nextSequence(), exchange.nextSequence(), exchange.nextSequence())
        var batch = NetlinkBytes()
        // Changes of the firewall come between a begin and an end for the subsystem nftables (10).
        batch.addMessage(0x10, flags: 1, sequence: first) { $0.addHeader(family: 0, resource: 10) }
        batch.addMessage(10 << 8 | message, flags: 1 | 4 | flags, sequence: middle) {
            $0.addHeader(family: 1, resource: 0)
            $0.add(1, table)
            $0.add(2, name)
            $0.add(3) { elements in
                elements.add(1) { element in
                    element.add(1) { $0.add(1, key + [UInt8](repeating: 0, count: 16 - key.count)) }
                }
            }
        }
        batch.addMessage(0x11, flags: 1, sequence: last) { $0.addHeader(family: 0, resource: 10) }
        try exchange.send(batch.bytes, call)
        _ = try exchange.answer(to: middle, call)
    }
}

extension NetlinkBytes {
    /// `struct nfgenmsg`.
    fileprivate mutating func addHeader(family: UInt8, resource: UInt16) {
        add(family)
        add(UInt8(0))
        addBigEndian(resource)
    }
}
