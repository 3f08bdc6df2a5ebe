// SPDX-License-Identifier: GPL-3.0-or-later

/// What a set of the firewall may hold, by the set's type. See nft(8), "SETS" and "DATA TYPES".
public enum FirewallElement: Sendable, Hashable {
    /// In a set of the type `ifname`: a name of 1 to 15 bytes.
    case interface(String)
    /// In a set of the type `ipv4_addr`.
    case address(IPv4)
    /// In a set of the type `uid`.
    case user(UInt32)

    /// As the kernel compares it: a name with zeros up to IFNAMSIZ (16), an address as in a packet, a user in the byte order of
    /// the computer. `nil` for a name that no interface can have.
    var key: [UInt8]? {
        switch self {
        case .interface(let name):
            (1...15).contains(name.utf8.count)
                ? Array(name.utf8) + [UInt8](repeating: 0, count: 16 - name.utf8.count) : nil
        case .address(let address): address.bytes
        case .user(let user): KernelMessage.bytes(user)
        }
    }
}

extension FirewallSet {
    /// Lets sets of one table hold certain elements and no others: all of the sets change at the same moment, or none does.
    ///
    /// - Parameters:
    ///   - contents: the sets' names, and the elements of each.
    ///   - table: the table of family inet that has them.
    /// - Throws: ``SystemCallFailure``; ``ErrorNumber/noEntry`` when there is no such table or set, and
    ///   ``ErrorNumber/invalidArgument`` when an element is not of the set's type.
    public static func replace(
        _ contents: [(set: String, elements: [FirewallElement])], in table: String
    ) throws(SystemCallFailure) {
        let words = "the firewall's sets " + contents.map(\.set).joined(separator: " and ")
        let call = "NFT_MSG_NEWSETELEM"
        var changes: [KernelMessage] = []
        for (set, elements) in contents {
            let keys = elements.compactMap(\.key)
            guard keys.count == elements.count else {
                throw SystemCallFailure(call: call, object: words, number: .invalidArgument)
            }
            // nft flush set inet TABLE SET: NFT_MSG_DELSETELEM that names no element.
            changes.append(message(14, [], table, set, []))
            // nft add element inet TABLE SET { … }: NFT_MSG_NEWSETELEM with NLM_F_CREATE.
            if !keys.isEmpty { changes.append(message(12, .ensure, table, set, keys)) }
        }
        var kernel = try NetlinkSocket(.filter)
        try kernel.commit(changes, words, call: call)
    }
}
