// SPDX-License-Identifier: GPL-3.0-or-later
import TorControl

extension Gate {
    /// What the client hears of Tor's answer to GETINFO: made anew from what was understood.
    ///
    /// - Parameters:
    ///   - keys: what the client asked, in its order.
    ///   - reply: Tor's answer; `nil` when everything has a fixed answer.
    /// - Returns: the answer; an error when Tor's has not the form it must have.
    public func answer(to keys: [String], from reply: Reply?) -> Reply {
        if let reply, !reply.isPositive { return refusalOfTor(reply, keys) }
        let values = Dictionary(reply?.values ?? []) { first, _ in first }
        var lines: [Reply.Line] = []
        for key in keys {
            if let answer = policy.getInfo.first(where: { $0.answer != nil && $0.pattern.matches(key) })?.answer {
                lines.append(.init(status: 250, text: "\(key)=\(answer)"))
            } else if let value = values[key] ?? nil, let line = shape(key, value) {
                lines.append(line)
            } else {
                return Reply(last: .init(status: 551, text: "Tor's answer is not understood"))
            }
        }
        return Reply(lines, last: .init(status: 250, text: "OK"))
    }

    /// What the client hears of Tor's answer to an order.
    public func answer(toOrder reply: Reply) -> Reply {
        reply.isPositive ? Self.success : refusalOfTor(reply, [])
    }

    /// Tor's words may tell more than the client should know, so only its number is kept.
    private func refusalOfTor(_ reply: Reply, _ keys: [String]) -> Reply {
        let status = (400..<600).contains(reply.status) ? reply.status : 551
        // Programs look for these words.
        let text = status == 552 && keys.count == 1 ? "Unrecognized key \"\(keys[0])\"" : "Refused by Tor"
        return Reply(last: .init(status: status, text: text))
    }

    private func shape(_ key: String, _ value: String) -> Reply.Line? {
        switch key {
        case "circuit-status":
            let lines = value.split(separator: "\n").prefix(1024).compactMap { Circuit($0) }
                .filter { $0.isUnderstood }.map { keep($0.fields, words: 3, policy.circuitFields).text }
            return .init(status: 250, text: "circuit-status=", data: Array(lines.joined(separator: "\n").utf8))
        case "status/bootstrap-phase":
            guard let fields = Fields(value, words: 2), fields.words.count == 2, Bootstrap(phase: value) != nil else {
                return nil
            }
            let kept = policy.events.first { $0.kind == "STATUS_CLIENT" }?.fields ?? ["PROGRESS", "TAG", "SUMMARY"]
            return .init(status: 250, text: "\(key)=\(keep(fields, words: 2, kept).text)")
        case _ where key.hasPrefix("ns/"):
            // A relay's entry in the consensus, which is public: dir-spec 3.4.1.
            let lines = value.split(separator: "\n").prefix(16).map { String($0).printable }
            guard lines.first?.hasPrefix("r ") == true else { return nil }
            return .init(status: 250, text: "\(key)=", data: Array(lines.joined(separator: "\n").utf8))
        default:
            // Numbers, dates, versions, lists of names: whatever else Tor says there is not understood.
            guard value.utf8.count <= 1024, value.utf8.allSatisfy(Self.isPlain) else { return nil }
            return .init(status: 250, text: "\(key)=\(value)")
        }
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "a")...UInt8(ascii: "z"):
            true
        default: " .,:-_()/?+".utf8.contains(byte)
        }
    }

    /// What the client hears of an event; `nil` for nothing.
    public func event(_ event: Event) -> Reply? {
        let text: String
        switch event {
        case .circuit(let circuit):
            guard circuit.isUnderstood, let rule = rule("CIRC") else { return nil }
            text = "CIRC \(keep(circuit.fields, words: 3, rule.fields).text)"
        case .status(let status):
            let name: String
            switch status.kind {
            case .client: name = "STATUS_CLIENT"
            case .general: name = "STATUS_GENERAL"
            case .server: return nil
            }
            guard let rule = rule(name), rule.actions.contains(status.action), Ceiling.actions.contains(status.action)
            else { return nil }
            text = "\(name) \(keep(status.fields, words: 2, rule.fields).text)"
        case .networkLiveness(let isUp):
            guard rule("NETWORK_LIVENESS") != nil else { return nil }
            text = "NETWORK_LIVENESS \(isUp ? "UP" : "DOWN")"
        case .bandwidth(let read, let written):
            guard rule("BW") != nil else { return nil }
            text = "BW \(read) \(written)"
        case .log(.warning, let message):
            guard let rule = rule("WARN"), rule.lines.contains(where: { message.hasPrefix($0) }),
                Ceiling.lines.contains(where: { message.hasPrefix($0) }), message.utf8.count < 512
            else { return nil }
            text = "WARN \(message.printable)"
        default: return nil
        }
        return Reply(last: .init(status: 650, text: text))
    }

    private func rule(_ kind: String) -> Policy.EventRule? {
        Ceiling.events.contains(kind) ? policy.events.first { $0.kind == kind } : nil
    }

    /// The first words and the fields that are kept. Of a source of time's address only eight bits of a sum are kept: enough to tell a
    /// few sources from each other, too little to tell which of thousands they are.
    private func keep(_ fields: Fields, words: Int, _ names: Set<String>) -> Fields {
        Fields(
            words: Array(fields.words.prefix(words)),
            pairs: fields.pairs.filter { names.contains($0.key) && Ceiling.fields.contains($0.key) }.map { pair in
                guard pair.key == "SOURCE" else { return pair }
                let parts = pair.value.split(separator: ":", maxSplits: 1)
                guard parts.count == 2 else { return pair }
                return Fields.Pair(key: pair.key, value: "\(parts[0]):\(Self.sum(parts[1]))")
            })
    }

    /// FNV-1a, folded to eight bits.
    static func sum(_ text: Substring) -> UInt8 {
        var sum: UInt32 = 2_166_136_261
        for byte in text.utf8 { sum = (sum ^ UInt32(byte)) &* 16_777_619 }
        return UInt8(truncatingIfNeeded: sum ^ (sum >> 8) ^ (sum >> 16) ^ (sum >> 24))
    }
}

extension Circuit {
    /// What is not understood is not passed on.
    fileprivate var isUnderstood: Bool { if case .unknown = status { false } else { true } }
}
