// SPDX-License-Identifier: GPL-3.0-or-later
import TorControl

/// What becomes of a client's request.
public enum Decision: Sendable, Hashable {
    /// The filter answers itself.
    case answer(Reply)
    /// The filter describes itself, with Tor's version when Tor can be asked.
    case protocolInfo
    /// The filter answers itself and ends the connection.
    case goodbye
    /// Tor is asked for keys, and ``Gate/answer(to:from:)`` shapes what it says; keys with a fixed answer are not asked.
    case getInfo(keys: [String], asked: Command?)
    /// Tor is told something; only whether it agreed is passed on.
    case tell(Command)
    /// Tor is told which events to send.
    case setEvents(Command, count: Int)
    /// Nothing of it reaches Tor.
    case refuse
}

/// The rules of one client, applied. It does no input or output of its own.
public struct Gate: Sendable {
    /// What the client may.
    public let policy: Policy

    /// The answer to all that is not allowed.
    public static let refusal = Reply(last: .init(status: 510, text: "Command filtered"))
    /// The usual good answer.
    public static let success = Reply(last: .init(status: 250, text: "OK"))
    /// Keys or events in one request.
    static let wordLimit = 64

    /// Applies a policy.
    public init(_ policy: Policy) { self.policy = policy }

    /// Decides on a request. What is sent to Tor is made anew from the words that were understood.
    public func decide(_ request: Request) -> Decision {
        guard !request.hasData, request.words.count <= Self.wordLimit else { return .refuse }
        switch request.keyword {
        // Who the client is, its socket says: it is let in with any password, cookie or none.
        case "AUTHENTICATE": return .answer(Self.success)
        case "PROTOCOLINFO": return .protocolInfo
        case "QUIT": return .goodbye
        // Features that are always on.
        case "USEFEATURE":
            let known = request.words.allSatisfy { ["EXTENDED_EVENTS", "VERBOSE_NAMES"].contains($0.uppercased()) }
            return known ? .answer(Self.success) : .refuse
        case "GETINFO": return getInfo(request.words)
        case "SIGNAL":
            guard request.words.count == 1, let name = request.words.first?.uppercased(), policy.signals.contains(name),
                Ceiling.signals.contains(name)
            else { return .refuse }
            return tell("SIGNAL", [name])
        case "CLOSECIRCUIT":
            guard policy.closesCircuits, request.words.count == 1, let circuit = request.words.first,
                Circuit.isIdentifier(circuit)
            else { return .refuse }
            return tell("CLOSECIRCUIT", [circuit])
        case "SETEVENTS": return setEvents(request.words.map { $0.uppercased() })
        default: return .refuse
        }
    }

    private func tell(_ keyword: String, _ words: [String]) -> Decision {
        guard let command = try? Command(keyword, words) else { return .refuse }
        return .tell(command)
    }

    private func fixedAnswer(_ key: String) -> String? {
        policy.getInfo.first { $0.answer != nil && $0.pattern.matches(key) }?.answer
    }

    private func getInfo(_ keys: [String]) -> Decision {
        guard !keys.isEmpty else { return .answer(Self.success) }
        var asked: [String] = []
        for key in keys where fixedAnswer(key) == nil {
            guard Ceiling.allows(key), policy.getInfo.contains(where: { $0.answer == nil && $0.pattern.matches(key) })
            else {
                return .refuse
            }
            asked.append(key)
        }
        if asked.isEmpty { return .getInfo(keys: keys, asked: nil) }
        guard let command = try? Command.getInfo(asked) else { return .refuse }
        return .getInfo(keys: keys, asked: command)
    }

    private func setEvents(_ names: [String]) -> Decision {
        // EXTENDED was a word here in old versions.
        var kinds: [EventKind] = []
        for name in names where name != "EXTENDED" && !policy.silentEvents.contains(name) {
            guard Ceiling.events.contains(name), policy.events.contains(where: { $0.kind == name }) else {
                return .refuse
            }
            kinds.append(EventKind(rawValue: name))
        }
        guard let command = try? Command.setEvents(kinds) else { return .refuse }
        return .setEvents(command, count: kinds.count)
    }
}
