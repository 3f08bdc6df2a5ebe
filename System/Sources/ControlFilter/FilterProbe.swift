// SPDX-License-Identifier: GPL-3.0-or-later
import TorControl

/// Feeds hostile bytes to the filter's rules, and traps when something forbidden gets through. For fuzzing (`make fuzz`) and for
/// the test that runs the corpus; nothing else calls it.
public enum FilterProbe {
    /// The most that a data file can allow.
    static let gate: Gate? = {
        let fields = "[\(Ceiling.fields.map { "\"\($0)\"" }.joined(separator: ","))]"
        let actions = "[\(Ceiling.actions.map { "\"\($0)\"" }.joined(separator: ","))]"
        let lines = "[\(Ceiling.lines.map { "\"\($0)\"" }.joined(separator: ","))]"
        let rest = "\"actions\":\(actions),\"fields\":\(fields),\"lines\":\(lines)"
        let events = Ceiling.events.map { "{\"kind\":\"\($0)\",\(rest)}" }
        let fixed = "{\"key\":\"net/listeners/socks\",\"answer\":\"127.0.0.1:9050\"}"
        let text = """
            {"purpose":"","users":[1000],"connections":1,"idleSeconds":60,"closesCircuits":true,"circuitFields":\(fields),
            "getInfo":[\(fixed),\(Ceiling.keys.map { "\"\($0)\"" }.joined(separator: ","))],"events":[\(events.joined(separator: ","))],
            "signals":[\(Ceiling.signals.map { "\"\($0)\"" }.joined(separator: ","))]}
            """
        return try? Policy(Array(text.utf8), name: "probe").gate
    }()

    /// Reads bytes as a client's, up to the first zero, and what follows as Tor's.
    public static func conversation(_ bytes: [UInt8]) {
        guard let gate else { preconditionFailure("the ceiling's own policy is refused") }
        let parts = bytes.split(separator: 0, maxSplits: 1, omittingEmptySubsequences: false)
        var tor = ReplyParser()
        let replies = parts.count > 1 ? (try? tor.append(parts[1])) ?? [] : []
        for reply in replies where reply.isEvent {
            if let event = gate.event(Event(reply)) { check(event) }
        }
        let answers = replies.filter { !$0.isEvent }
        var parser = RequestParser()
        for case .request(let request) in parser.append(parts.first ?? []) {
            switch gate.decide(request) {
            case .getInfo(let keys, let command):
                check(command)
                for answer in answers { check(gate.answer(to: keys, from: answer)) }
            case .tell(let command):
                check(command)
                for answer in answers { check(gate.answer(toOrder: answer)) }
            case .setEvents(let command, _): check(command)
            default: break
            }
        }
        _ = try? Policy(bytes, name: "probe")
    }

    private static func check(_ command: Command?) {
        guard let command else { return }
        let words = command.line.split(separator: " ").map(String.init)
        precondition(command.encoded.count { $0 == 0x0a || $0 == 0x0d } == 2, "one request became several commands")
        precondition(
            ["GETINFO", "SIGNAL", "CLOSECIRCUIT", "SETEVENTS"].contains(words.first ?? ""),
            "a forbidden command got through")
        if words.first == "GETINFO" {
            precondition(
                words.dropFirst().allSatisfy { word in !Ceiling.refusedKeys.contains { word.lowercased().hasPrefix($0) }
                },
                "a forbidden key got through")
        }
    }

    private static func check(_ reply: Reply) {
        var parser = ReplyParser()
        guard let read = try? parser.append(reply.encoded) else { preconditionFailure("what was written is not read") }
        precondition(read.count == 1, "one answer became several")
        for line in reply.lines {
            if line.text.hasPrefix("WARN ") {
                let message = line.text.dropFirst(5)
                precondition(Ceiling.lines.contains { message.hasPrefix($0) }, "a forbidden message got through")
                // Words for people, not fields.
                continue
            }
            for secret in ["HOSTADDR=", "SOCKS_USERNAME=", "SOCKS_PASSWORD=", "REND_QUERY=", "SOURCE_ADDR="] {
                // A value in quotes may spell it, a field may not be it.
                let fields = Fields(line.text, words: 3)
                precondition(fields?[String(secret.dropLast())] == nil, "a hidden field got through")
                let source = fields?["SOURCE"]?.split(separator: ":", maxSplits: 1) ?? []
                precondition(source.count < 2 || UInt8(source[1]) != nil, "a source's address got through")
            }
        }
    }
}

extension Policy {
    fileprivate var gate: Gate { Gate(self) }
}
