// SPDX-License-Identifier: GPL-3.0-or-later
import Walls

extension FirewallData {
    /// The names of the files in the image, without their endings, and what is in them.
    public static let files: [(name: String, namespace: FirewallException.Namespace)] = [
        ("firewall", .root), ("session", .session), ("portal", .portal),
    ]

    /// The rules of a namespace.
    public func table(of namespace: FirewallException.Namespace) -> FirewallTable {
        let own = exceptions.filter { $0.namespace == namespace }
        return switch namespace {
        case .root: FirewallTable(sets: sets, chains: rootChains(own))
        case .session: FirewallTable(sets: [], chains: Self.innerChains(own, link: .session))
        case .portal: FirewallTable(sets: [], chains: Self.innerChains(own, link: .portal))
        }
    }

    // MARK: The root namespace

    private static let links = "{ \"\(NamespaceLink.session.outerName)\", \"\(NamespaceLink.portal.outerName)\" }"
    private static let linkNetwork = "\(Walls.linkNetwork)/\(Walls.linkPrefixLength)"
    /// The first packet of a TCP connection.
    private static let opening = "tcp flags & (fin | syn | rst | ack) == syn"

    private func rootChains(_ own: [FirewallException]) -> [FirewallTable.Chain] {
        [
            .init(name: "input", hook: .filter("input"), lines: inputLines(own)),
            .init(name: "forward", hook: .filter("forward"), lines: forwardLines(own)),
            .init(name: "output", hook: .filter("output"), lines: outputLines(own)),
            .init(
                name: "refuse", hook: nil,
                lines: [
                    "# Refused at once, to the sender on this computer only: what a forged sender's address would carry outside",
                    "# comes through `output` again and is dropped there.",
                    "meta nfproto ipv4 ct mark \(FirewallException.Mark.tor.value) drop",
                    "meta l4proto tcp counter reject with tcp reset",
                    "counter reject with icmpx admin-prohibited",
                ]),
            .init(
                name: "leave",
                hook: .init(
                    type: "filter", name: "postrouting", priority: "srcnat + 10", place: 110, isDropping: true),
                lines: leaveLines(own)),
            .init(
                name: "to_tor",
                hook: .init(type: "nat", name: "prerouting", priority: "dstnat", place: -100, isDropping: false),
                lines: redirectionLines(own)),
            .init(
                name: "hide_portal",
                hook: .init(type: "nat", name: "postrouting", priority: "srcnat", place: 100, isDropping: false),
                lines: own.filter { $0.direction == .through }.compactMap { $0.outerMatch() }.unique.map {
                    "\($0) ct mark \(FirewallException.Mark.portal.value) masquerade"
                }),
        ]
    }

    private func inputLines(_ own: [FirewallException]) -> [String] {
        var lines = ["iifname \"lo\" accept", "ct state invalid drop", ""]
        for (cards, mark, transports) in Self.marked(own.filter { $0.direction == .out }) {
            lines += [
                "# Answers to what was begun here.",
                "iifname \(cards) ct state established ct mark \(mark.value) meta nfproto ipv4 meta l4proto \(transports) accept",
            ]
        }
        for exception in own where exception.direction == .in {
            lines += ["", "# \(exception.name): \(exception.reason)."] + exception.rules.map { "\($0) accept" }
        }
        return lines + [
            "", "# A program of the session must not wait for nothing.", "iifname \(Self.links) jump refuse",
        ]
    }

    private func forwardLines(_ own: [FirewallException]) -> [String] {
        var lines = ["ct state invalid drop"]
        for exception in own where exception.direction == .through {
            lines += ["", "# \(exception.name): \(exception.reason)."]
            lines += exception.rules.map { "\($0) ct mark set \(exception.mark?.value ?? "0") accept" }
        }
        for exception in own.filter({ $0.direction == .through }) where exception.link != nil {
            guard let link = exception.link?.link, let cards = exception.interface, let mark = exception.mark else {
                continue
            }
            let state = "ct state established ct mark \(mark.value) accept"
            for line in [
                "iifname \(cards) oifname \"\(link.outerName)\" ip daddr \(link.innerAddress) \(state)",
                "iifname \"\(link.outerName)\" oifname \(cards) ip saddr \(link.innerAddress) \(state)",
            ] where !lines.contains(line) { lines.append(line) }
        }
        return lines + ["", "iifname \(Self.links) jump refuse"]
    }

    private func outputLines(_ own: [FirewallException]) -> [String] {
        var lines = [
            "# Tor's ports are for the session: what runs beside the network cards has a socket, or no way out at all.",
            "oifname \"lo\" ip daddr \(Self.linkNetwork) ct state new jump refuse", "oifname \"lo\" accept",
            "ct state invalid drop", "oifname \(Self.links) ct state established,related accept",
        ]
        let out = own.filter { $0.direction == .out }
        for exception in out {
            lines += ["", "# \(exception.name): \(exception.reason)."]
            let mark = exception.mark.map { " ct mark set \($0.value)" } ?? ""
            lines += exception.rules.map { rule in
                guard exception.mark != nil else { return "\(rule) accept" }
                // Datagrams are looked at one by one: when a service takes an element out of a set, what has begun ends too.
                guard exception.protocols == [.tcp] else { return "\(rule)\(mark) accept" }
                return "\(rule) \(Self.opening) ct state new\(mark) accept"
            }
        }
        for (cards, mark, transports) in Self.marked(out.filter { $0.protocols == [.tcp] }) {
            lines += [
                "",
                "# Later packets, by the mark: the last ones (FIN, RST) of a process that has ended belong to no user any more.",
                "oifname \(cards) meta nfproto ipv4 ct state established ct mark \(mark.value) meta l4proto \(transports) accept",
            ]
        }
        return lines + ["", "jump refuse"]
    }

    /// The last look, when it is settled through which interface a packet goes.
    private func leaveLines(_ own: [FirewallException]) -> [String] {
        var lines = [
            "# A program may bind its socket to an interface (SO_BINDTODEVICE) without any privilege: a packet for an address",
            "# of this computer then really leaves through that interface, with its contents.",
            "oifname \"lo\" accept", "ip daddr 127.0.0.0/8 drop",
            "oifname \(Self.links) ct state established,related accept", "ip daddr \(Self.linkNetwork) drop",
        ]
        let out = own.filter { $0.direction == .out }
        for (cards, mark, transports) in Self.marked(out) {
            lines.append(
                "oifname \(cards) meta nfproto ipv4 ct mark \(mark.value) meta l4proto \(transports) accept")
        }
        for exception in out where exception.mark == nil { lines += exception.rules.map { "\($0) accept" } }
        for match in own.filter({ $0.direction == .through }).compactMap({ $0.outerMatch() }).unique {
            lines.append("\(match) meta nfproto ipv4 ct mark \(FirewallException.Mark.portal.value) accept")
        }
        return lines
    }

    private func redirectionLines(_ own: [FirewallException]) -> [String] {
        let redirected = own.filter(\.isRedirected)
        var lines: [String] = []
        // Names first: a program may ask any server, also the address where Tor listens.
        for exception in redirected where exception.protocols == [.udp] {
            guard let link = exception.link?.link, let port = exception.ports.first?.number else { continue }
            lines.append("iifname \"\(link.outerName)\" meta nfproto ipv4 udp dport 53 redirect to :\(port)")
        }
        for exception in redirected where exception.protocols == [.tcp] {
            guard let link = exception.link?.link, let port = exception.ports.first?.number else { continue }
            lines.append(
                "iifname \"\(link.outerName)\" ip daddr != \(link.outerAddress) \(Self.opening) redirect to :\(port)")
        }
        return lines
    }

    /// The interfaces and transports of connections with a mark.
    private static func marked(
        _ exceptions: [FirewallException]
    ) -> [(cards: String, mark: FirewallException.Mark, transports: String)] {
        FirewallException.Mark.allCases.compactMap { mark in
            let own = exceptions.filter { $0.mark == mark }
            guard let cards = own.compactMap(\.interface).first else { return nil }
            let names = own.flatMap(\.protocols).map(\.rawValue).unique.sorted()
            return (cards, mark, names.count == 1 ? names[0] : "{ \(names.joined(separator: ", ")) }")
        }
    }

    // MARK: The other namespaces

    private static func innerChains(_ own: [FirewallException], link: NamespaceLink) -> [FirewallTable.Chain] {
        var lines = ["oifname \"lo\" accept"]
        for exception in own {
            lines += ["", "# \(exception.name): \(exception.reason)."] + exception.rules.map { "\($0) accept" }
        }
        lines += [
            "", "# The last packets of a process that has ended belong to no user any more.",
            "oifname \"\(link.innerName)\" meta nfproto ipv4 ct state established meta l4proto tcp accept", "",
            "jump refuse",
        ]
        return [
            .init(
                name: "input", hook: .filter("input"),
                lines: [
                    "iifname \"lo\" accept", "iifname \"\(link.innerName)\" ct state established,related accept",
                ]),
            .init(name: "forward", hook: .filter("forward"), lines: []),
            .init(name: "output", hook: .filter("output"), lines: lines),
            .init(
                name: "refuse", hook: nil,
                lines: [
                    "# At once, so that no program hangs.", "meta l4proto tcp reject with tcp reset",
                    "reject with icmpx admin-prohibited",
                ]),
        ] + familiarChains(own, link: link)
    }

    /// Programs that know Tor look for it at 127.0.0.1.
    private static func familiarChains(_ own: [FirewallException], link: NamespaceLink) -> [FirewallTable.Chain] {
        let ports = own.filter { $0.destination == "link" && $0.protocols == [.tcp] }.flatMap(\.ports).map(\.number)
        guard !ports.isEmpty else { return [] }
        let list = ports.map { String($0) }.joined(separator: ", ")
        return [
            .init(
                name: "familiar",
                hook: .init(type: "nat", name: "output", priority: "-100", place: -100, isDropping: false),
                lines: [
                    "# Programs that know Tor look for it at 127.0.0.1.",
                    "ip daddr 127.0.0.1 tcp dport { \(list) } dnat ip to \(link.outerAddress)",
                ]),
            .init(
                name: "familiar_source",
                hook: .init(type: "nat", name: "postrouting", priority: "srcnat", place: 100, isDropping: false),
                lines: ["oifname \"\(link.innerName)\" ip saddr 127.0.0.0/8 snat ip to \(link.innerAddress)"]),
        ]
    }
}

extension FirewallException {
    /// The packets that are meant, one rule for each way in which they can be carried, without what becomes of them.
    var rules: [String] {
        if protocols == [.tooBig] {
            let mark = mark.map { " ct mark \($0.value)" } ?? ""
            return [
                "iifname \(interface ?? "") ct state related\(mark) icmp type destination-unreachable icmp code frag-needed"
            ]
        }
        return [(placeWords + ownerWords + addressWords + transportWords).joined(separator: " ")]
    }

    /// `oifname @set` of what goes out by network cards.
    func outerMatch() -> String? { interface.map { "oifname \($0)" } }

    private var placeWords: [String] {
        let link = link?.link
        switch (namespace, direction) {
        case (.root, .out): return ["oifname \(interface ?? "")", "meta nfproto ipv4"]
        case (.root, .in):
            if let link {
                return [
                    "iifname \"\(link.outerName)\" ip saddr \(link.innerAddress) ip daddr \(link.outerAddress)"
                ] + (isRedirected && protocols == [.tcp] ? ["ct status dnat"] : [])
            }
            return ["iifname \(interface ?? "") ct state established"]
        case (.root, .through):
            return [
                "iifname \"\(link?.outerName ?? "")\" oifname \(interface ?? "") ip saddr \(link?.innerAddress ?? "")"
            ]
        default: return ["oifname \"\(link?.innerName ?? "")\"", "meta nfproto ipv4"]
        }
    }

    private var ownerWords: [String] {
        (owner.map { ["meta skuid \"\($0)\""] } ?? []) + (ownerIn.map { ["meta skuid \($0)"] } ?? [])
    }

    private var addressWords: [String] {
        var words: [String] = []
        switch destination {
        case "link": words.append("ip daddr \(link?.link.outerAddress ?? "")")
        case "onion": words.append("ip daddr \(Walls.onionNetwork)")
        case let network?: words.append("ip daddr \(network)")
        case nil: break
        }
        if !exceptDestinations.isEmpty {
            words.append("ip daddr != { \(exceptDestinations.joined(separator: ", ")) }")
        }
        return words
    }

    private var transportWords: [String] {
        let header = protocols.count == 1 ? protocols[0].rawValue : "th"
        var words: [String] = []
        if protocols.count > 1 || (ports.isEmpty && exceptPorts.isEmpty && sourcePort == nil) {
            let names = protocols.map(\.rawValue)
            words.append("meta l4proto \(names.count == 1 ? names[0] : "{ \(names.joined(separator: ", ")) }")")
        }
        func list(_ ports: [Port]) -> String {
            let numbers = ports.map { String($0.number) }
            return numbers.count == 1 ? numbers[0] : "{ \(numbers.joined(separator: ", ")) }"
        }
        if let sourcePort { words.append("\(header) sport \(sourcePort.number)") }
        if !ports.isEmpty { words.append("\(header) dport \(list(ports))") }
        if !exceptPorts.isEmpty { words.append("\(header) dport != \(list(exceptPorts))") }
        return words
    }
}

extension Sequence where Element == String {
    /// Each text once, in the order of the first ones.
    fileprivate var unique: [String] {
        var seen: Set<String> = []
        return filter { seen.insert($0).inserted }
    }
}
