// SPDX-License-Identifier: GPL-3.0-or-later
import Walls

extension FirewallData {
    /// Where the document lies in the source tree.
    public static let documentPath = "docs/network/firewall.md"

    /// The table of exceptions for people: the content of ``documentPath``.
    public var document: String {
        var lines = [
            "# What the firewalls let pass", "",
            "Made from `image/firewall.yaml` with `needletail firewall --document`; a test compares. All else is dropped, and refused",
            "at once where it comes from a program of this computer. See [walls.md](walls.md) for why.", "",
        ]
        for (_, namespace) in Self.files {
            lines += [
                Self.title(namespace), "", "| what | who | way | carried | works | why |", "|---|---|---|---|---|---|",
            ]
            for exception in exceptions where exception.namespace == namespace {
                let cells = [
                    exception.name, exception.owner ?? "any", exception.wayWords, exception.carriedWords,
                    exception.opener == .always ? "always" : "when the \(exception.opener.rawValue) opens it",
                    exception.reason,
                ]
                lines.append("| \(cells.map { $0.replacing("|", with: "\\|") }.joined(separator: " | ")) |")
            }
            lines.append("")
        }
        lines += [
            "## Sets that services fill", "", "Empty at the start. Services add elements; no service adds rules.", "",
            "| set | of | filled by | for |", "|---|---|---|---|",
        ]
        for set in sets {
            lines.append("| `\(set.name)` | \(set.kind.plural) | \(set.opener.rawValue) | \(set.reason) |")
        }
        return lines.map { "\($0)\n" }.joined()
    }

    private static func title(_ namespace: FirewallException.Namespace) -> String {
        switch namespace {
        case .root: "## Root namespace: network cards, NetworkManager and Tor"
        case .session: "## Namespace `session`: everything of the user's"
        case .portal: "## Namespace `portal`: the browser for a network's login page"
        }
    }
}

extension FirewallException {
    fileprivate var wayWords: String {
        let link = link?.rawValue ?? ""
        let place =
            switch destination {
            case "link": " to Tor's address on the link"
            case "onion": " to \(Walls.onionNetwork)"
            case let network?: " to \(Self.isSet(network) ? "`\(network.dropFirst())`" : network)"
            case nil: exceptDestinations.isEmpty ? "" : " to anywhere but \(exceptDestinations.joined(separator: ", "))"
            }
        let cards = interface.map { "`\($0.dropFirst())`" } ?? ""
        switch (namespace, direction) {
        case (.root, .out): return "out by \(cards)\(place)"
        case (.root, .in): return interface == nil ? "in from \(link)" : "in by \(cards), answers only"
        case (.root, .through): return "from \(link) through \(cards)\(place)"
        default: return "out by its link\(place)"
        }
    }

    fileprivate var carriedWords: String {
        if protocols == [.tooBig] { return "ICMP \"fragmentation needed\"" }
        var text = protocols.map { $0.rawValue.uppercased() }.joined(separator: " and ")
        if let sourcePort { text += " from port \(sourcePort.number)" }
        if !ports.isEmpty { text += " to port \(ports.map { String($0.number) }.joined(separator: ", "))" }
        if !exceptPorts.isEmpty {
            text += ", not port \(exceptPorts.map { String($0.number) }.joined(separator: ", "))"
        }
        if isRedirected { text += " (led there from any address)" }
        return text
    }
}
