// SPDX-License-Identifier: GPL-3.0-or-later
import Linux

/// The firewall of a network namespace, closed before systemd starts: there is never a moment in which a packet could leave.
struct Firewall {
    static let program = "/usr/sbin/nft"
    private static let folder = "/usr/lib/needletail"

    /// The namespace with the network cards.
    static let root = Firewall(name: "firewall")
    /// All firewalls, in the order in which they are closed.
    static let all = [root, Firewall(name: "session"), Firewall(name: "portal")]

    /// The rules' name, and for a namespace's firewall the namespace's.
    let name: String
    private let folder: String

    /// Names a firewall.
    ///
    /// - Parameters:
    ///   - name: the name of its files.
    ///   - folder: where they are.
    init(name: String, folder: String = Self.folder) {
        self.name = name
        self.folder = folder
    }

    /// What `nft` reads.
    var rules: String { "\(folder)/\(name).nft" }
    /// What the kernel has to have then, as the builder counted it: see ``Expectation``.
    var expectation: String { "\(folder)/\(name).expected" }

    /// Loads the rules in the calling thread's namespace and asks the kernel what it has. Runs when the root is the system's
    /// already, so that the kernel's own requests for nf_tables modules are met from the verified file system.
    ///
    /// - Throws: ``BootFailure/firewall(_:)``.
    func close() throws(BootFailure) {
        do {
            let loading = try Program.run(Self.program, ["-f", rules])
            guard loading.status == 0 else {
                let lines = loading.output.split(separator: "\n").prefix(4).joined(separator: " / ")
                throw BootFailure.firewall("nft -f \(rules) ended with status \(loading.status): \(lines)")
            }
            let expected = try Expectation(parsing: try File.text(expectation))
            let differences = expected.differences(from: try FilterListing.current())
            guard differences.isEmpty else {
                throw BootFailure.firewall(
                    "\(rules) is not what the kernel has: \(differences.joined(separator: "; "))")
            }
        } catch let failure as BootFailure {
            throw failure
        } catch {
            throw .firewall("\(error)")
        }
    }
}

/// What the kernel has to list after the rules have been loaded: every chain with its hook, its policy and the number of its
/// rules. The builder writes it beside the rules, so a file of rules that was cut short, or from which a line is missing, is
/// found though `nft` accepted it.
///
/// One line for each chain: table, chain, type, hook, priority, policy, number of rules, `-` for what it has not.
struct Expectation: Hashable {
    private var chains: [FilterListing.Chain] = []

    /// Reads the builder's file.
    ///
    /// - Throws: ``BootFailure/firewall(_:)`` when it is not complete.
    init(parsing text: String) throws(BootFailure) {
        var isWhole = false
        for line in text.split(separator: "\n") where !line.hasPrefix("#") {
            if line == "end" {
                isWhole = true
                continue
            }
            let words = line.split(separator: " ").map(String.init)
            guard words.count == 7, let rules = Int(words[6]), !isWhole else {
                throw .firewall("the list of chains has a line that cannot be read: \(line)")
            }
            chains.append(
                .init(
                    table: words[0], name: words[1], type: words[2] == "-" ? "" : words[2], hook: UInt32(words[3]),
                    priority: Int32(words[4]) ?? 0, isDropping: words[5] == "drop", rules: rules))
        }
        guard isWhole, chains.contains(where: \.isDropping) else { throw .firewall("the list of chains is cut short") }
    }

    /// How the kernel's chains differ from these.
    ///
    /// - Returns: words for each difference; empty when there is none.
    func differences(from listing: FilterListing) -> [String] {
        func key(_ chain: FilterListing.Chain) -> String { "\(chain.table) \(chain.name)" }
        let missing = chains.filter { chain in !listing.chains.contains { key($0) == key(chain) } }
        let unknown = listing.chains.filter { chain in !chains.contains { key($0) == key(chain) } }
        let other = chains.compactMap { chain -> String? in
            guard let found = listing.chains.first(where: { key($0) == key(chain) }), found != chain else { return nil }
            if found.rules != chain.rules { return "\(chain.name) has \(found.rules) rules and not \(chain.rules)" }
            if found.isDropping != chain.isDropping { return "\(chain.name) does not drop by default" }
            return "\(chain.name) is at another hook"
        }
        return missing.map { "\($0.name) is missing" } + unknown.map { "\($0.name) is unknown" } + other
    }
}
