// SPDX-License-Identifier: GPL-3.0-or-later

/// A table of nftables rules, as it is written for `nft` and as the boot stage expects it in the kernel.
public struct FirewallTable: Sendable {
    /// Where packets meet a chain. See `man 8 nft`, "chains".
    struct Hook: Sendable {
        let type: String
        let name: String
        let priority: String
        /// The priority as a number.
        let place: Int
        let isDropping: Bool

        static func filter(_ name: String) -> Hook {
            Hook(type: "filter", name: name, priority: "filter", place: 0, isDropping: true)
        }

        /// The hook's number in the kernel (`enum nf_inet_hooks`).
        var number: Int { ["prerouting", "input", "forward", "output", "postrouting"].firstIndex(of: name) ?? 0 }
    }

    /// A chain of rules.
    struct Chain: Sendable {
        let name: String
        let hook: Hook?
        /// Lines of rules, each one rule for the kernel; a line that begins with `#` is a comment.
        var lines: [String]

        var rules: [String] { lines.filter { !$0.hasPrefix("#") && !$0.isEmpty } }
    }

    let sets: [FirewallSet]
    let chains: [Chain]

    /// What `nft -f` loads, in one transaction: all of it is in force, or nothing of it.
    public var text: String {
        var lines = [
            "#!/usr/sbin/nft -f", "# SPDX-License-Identifier: GPL-3.0-or-later",
            "# Made from image/firewall.yaml by Sources/Image/Firewall; change it there.", "",
            "# Empty and away with an earlier one, in the same transaction.", "table inet needletail",
            "delete table inet needletail", "", "table inet needletail {",
        ]
        for set in sets {
            lines += ["\t# \(set.reason)", "\tset \(set.name) {", "\t\ttype \(set.kind.type)"]
            lines += (set.canTimeOut ? ["\t\tflags timeout"] : []) + ["\t}", ""]
        }
        for chain in chains {
            lines.append("\tchain \(chain.name) {")
            if let hook = chain.hook {
                lines.append(
                    "\t\ttype \(hook.type) hook \(hook.name) priority \(hook.priority); policy \(hook.isDropping ? "drop" : "accept");"
                )
                lines.append("")
            }
            lines += chain.lines.map { $0.isEmpty ? "" : "\t\t\($0)" } + ["\t}", ""]
        }
        lines.removeLast()
        return (lines + ["}"]).map { "\($0)\n" }.joined()
    }

    /// What the kernel has to list when the table is loaded: see `Expectation` of the boot stage, which reads it.
    public var expectation: String {
        let lines = chains.map { chain in
            let hook = chain.hook.map { "\($0.type) \($0.number) \($0.place) \($0.isDropping ? "drop" : "accept")" }
            return "needletail \(chain.name) \(hook ?? "- - - -") \(chain.rules.count)"
        }
        return "# Made from image/firewall.yaml: table, chain, type, hook, priority, policy, number of rules.\n"
            + (lines + ["end"]).map { "\($0)\n" }.joined()
    }
}
