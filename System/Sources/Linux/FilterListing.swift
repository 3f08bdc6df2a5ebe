// SPDX-License-Identifier: GPL-3.0-or-later

/// What the kernel's firewall (nf_tables) really has in the calling thread's network namespace: chains with their policies,
/// and how many rules each of them has. Asked of the kernel itself, without the program `nft`.
public struct FilterListing: Sendable, Hashable {
    /// A chain of the firewall.
    public struct Chain: Sendable, Hashable {
        /// The table's name.
        public var table: String
        /// The chain's name.
        public var name: String
        /// `filter`, `nat`; empty for a chain that only others jump to.
        public var type: String
        /// Where packets meet it: 0 prerouting, 1 input, 2 forward, 3 output, 4 postrouting; `nil` for a chain that only
        /// others jump to.
        public var hook: UInt32?
        /// Its place among others of the hook, the smallest first.
        public var priority: Int32
        /// Whether it drops what it has no rule for.
        public var isDropping: Bool
        /// How many rules it has.
        public var rules: Int

        /// Describes a chain.
        public init(
            table: String, name: String, type: String, hook: UInt32?, priority: Int32, isDropping: Bool, rules: Int
        ) {
            self.table = table
            self.name = name
            self.type = type
            self.hook = hook
            self.priority = priority
            self.isDropping = isDropping
            self.rules = rules
        }
    }

    /// The chains of all tables of the family `inet`.
    public var chains: [Chain]

    /// Wraps chains.
    public init(chains: [Chain]) { self.chains = chains }

    // NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETCHAIN, NFT_MSG_GETRULE; struct nfgenmsg: family (NFPROTO_INET), version, id
    private static let subsystem: UInt16 = 10 << 8
    private static let header: [UInt8] = [1, 0, 0, 0]

    /// Asks the kernel.
    ///
    /// - Throws: ``SystemCallFailure``.
    public static func current() throws(SystemCallFailure) -> FilterListing {
        var socket = try NetlinkSocket(.filter)
        var chains = try socket.list(
            KernelMessage(type: subsystem | 4, flags: [], fixed: header), "list the chains of the firewall"
        ).compactMap(chain)
        var places: [String: Int] = [:]
        for (index, chain) in chains.enumerated() { places["\(chain.table) \(chain.name)"] = index }
        for rule in try socket.list(
            KernelMessage(type: subsystem | 7, flags: [], fixed: header), "list the rules of the firewall")
        {
            // NFTA_RULE_TABLE, NFTA_RULE_CHAIN
            let attributes = rule.attributes(after: 4)
            let key = [UInt16(1), 2].map { number in text(attributes.first { $0.type == number }?.value) }
            if let index = places["\(key[0]) \(key[1])"] { chains[index].rules += 1 }
        }
        return FilterListing(chains: chains)
    }

    /// Reads the answer about one chain.
    static func chain(_ message: KernelMessage) -> Chain? {
        var chain = Chain(
            table: "", name: "", type: "", hook: nil, priority: 0, isDropping: false, rules: 0)
        for (number, value) in message.attributes(after: 4) {
            switch number {
            case 1: chain.table = text(value)  // NFTA_CHAIN_TABLE
            case 3: chain.name = text(value)  // NFTA_CHAIN_NAME
            case 4:  // NFTA_CHAIN_HOOK
                for (number, value) in KernelMessage.attributes(in: value) {
                    if number == 1 { chain.hook = networkNumber(value) }  // NFTA_HOOK_HOOKNUM
                    if number == 2 { chain.priority = Int32(bitPattern: networkNumber(value)) }  // NFTA_HOOK_PRIORITY
                }
            case 5: chain.isDropping = networkNumber(value) == 0  // NFTA_CHAIN_POLICY: NF_DROP 0, NF_ACCEPT 1
            case 7: chain.type = text(value)  // NFTA_CHAIN_TYPE
            default: break
            }
        }
        return chain.name.isEmpty ? nil : chain
    }

    private static func networkNumber(_ bytes: [UInt8]) -> UInt32 { bytes.reduce(0) { $0 << 8 | UInt32($1) } }

    private static func text(_ bytes: [UInt8]?) -> String {
        String(decoding: (bytes ?? []).prefix { $0 != 0 }, as: UTF8.self)
    }
}
