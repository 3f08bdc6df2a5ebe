// SPDX-License-Identifier: GPL-3.0-or-later
import Linux

/// The base firewall, closed before systemd starts: there is never a moment in which a packet could leave.
enum Firewall {
    static let program = "/usr/sbin/nft"
    static let rules = "/usr/lib/needletail/firewall.nft"
    /// The chains that have to drop what they do not know.
    static let hooks = ["input", "forward", "output"]

    /// Loads the rules and asks the kernel what it has. Runs when the root is the system's already, so that the kernel's
    /// own requests for nf_tables modules are met from the verified file system.
    ///
    /// - Throws: ``BootFailure/firewall(_:)``.
    static func close() throws(BootFailure) {
        do {
            let loading = try Program.run(program, ["-f", rules])
            guard loading.status == 0 else { throw BootFailure.firewall(words("nft -f", loading)) }
            let listing = try Program.run(program, ["list", "table", "inet", "needletail"])
            guard listing.status == 0 else { throw BootFailure.firewall(words("nft list", listing)) }
            let open = openHooks(in: listing.output)
            guard open.isEmpty else {
                throw BootFailure.firewall(
                    "the kernel's table does not drop by default: \(open.joined(separator: ", "))")
            }
        } catch let failure as BootFailure {
            throw failure
        } catch {
            throw .firewall("\(error)")
        }
    }

    /// The hooks for which the listing of the table has no chain that drops by default.
    ///
    /// - Parameter listing: the output of `nft list table inet needletail`.
    /// - Returns: names of hooks; empty when the firewall is closed.
    static func openHooks(in listing: String) -> [String] {
        guard listing.split(separator: "\n").first == "table inet needletail {" else { return hooks }
        return hooks.filter { hook in
            !listing.split(separator: "\n").contains { line in
                let words = line.split { " \t;".contains($0) }
                // type filter hook input priority filter; policy drop;
                return words.starts(with: ["type", "filter", "hook", Substring(hook), "priority"])
                    && words.suffix(2) == ["policy", "drop"]
            }
        }
    }

    private static func words(_ what: String, _ outcome: Program.Outcome) -> String {
        let lines = outcome.output.split(separator: "\n").prefix(4).joined(separator: " / ")
        return "\(what) ended with status \(outcome.status): \(lines)"
    }
}
