// SPDX-License-Identifier: GPL-3.0-or-later
import TorControl

/// A name of a field, whichever.
private struct AnyKey: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
}

extension Decoder {
    /// Fails when there is a field that nobody reads: a misspelt rule would otherwise be no rule.
    fileprivate func refuseUnknown<Key: CodingKey & CaseIterable>(_ keys: Key.Type) throws {
        let container = try container(keyedBy: AnyKey.self)
        let known = Set(Key.allCases.map(\.stringValue))
        for key in container.allKeys where !known.contains(key.stringValue) {
            throw DecodingError.dataCorruptedError(forKey: key, in: container, debugDescription: "is not known")
        }
    }
}

extension KeyedDecodingContainer {
    /// Words that must all be among those allowed.
    fileprivate func words(_ key: Key, among allowed: Set<String>) throws -> Set<String> {
        let words = try decodeIfPresent([String].self, forKey: key) ?? []
        if let word = words.first(where: { !allowed.contains($0) }) {
            throw DecodingError.dataCorruptedError(
                forKey: key, in: self, debugDescription: "\(word.printable) is never given to a client")
        }
        return Set(words)
    }

    fileprivate func number(_ key: Key, in range: ClosedRange<Int>) throws -> Int {
        let number = try decode(Int.self, forKey: key)
        guard range.contains(number) else {
            throw DecodingError.dataCorruptedError(
                forKey: key, in: self, debugDescription: "must be \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }
}

extension Policy {
    private enum Field: String, CodingKey, CaseIterable {
        case purpose, users, connections, idleSeconds, getInfo, signals, closesCircuits, circuitFields, events,
            silentEvents
    }

    /// Reads and checks a file's object.
    public init(from decoder: any Decoder) throws {
        try decoder.refuseUnknown(Field.self)
        let container = try decoder.container(keyedBy: Field.self)
        purpose = try container.decode(String.self, forKey: .purpose)
        users = Set(try container.decode([UInt32].self, forKey: .users))
        guard !users.isEmpty else {
            throw DecodingError.dataCorruptedError(forKey: .users, in: container, debugDescription: "names nobody")
        }
        connections = try container.number(.connections, in: 1...64)
        idleSeconds = try container.number(.idleSeconds, in: 10...3600)
        getInfo = try container.decodeIfPresent([Key].self, forKey: .getInfo) ?? []
        signals = try container.words(.signals, among: Ceiling.signals)
        closesCircuits = try container.decodeIfPresent(Bool.self, forKey: .closesCircuits) ?? false
        circuitFields = try container.words(.circuitFields, among: Ceiling.fields)
        events = try container.decodeIfPresent([EventRule].self, forKey: .events) ?? []
        silentEvents = Set(try container.decodeIfPresent([String].self, forKey: .silentEvents) ?? [])
        let isWord = { (text: String) in
            !text.isEmpty && text.utf8.allSatisfy { (0x41...0x5a).contains($0) || $0 == UInt8(ascii: "_") }
        }
        guard silentEvents.allSatisfy(isWord) else {
            throw DecodingError.dataCorruptedError(
                forKey: .silentEvents, in: container, debugDescription: "names of events have capitals and _ only")
        }
    }
}

extension Policy.Key {
    private enum Field: String, CodingKey, CaseIterable { case key, answer }

    /// Reads a key: a string, or an object with a fixed answer.
    public init(from decoder: any Decoder) throws {
        if let text = try? decoder.singleValueContainer().decode(String.self) {
            answer = nil
            pattern = try Self.pattern(text, decoder)
            // A pattern of the file must be one of the ceiling's, or a key that one of them stands for.
            guard Ceiling.keys.contains(pattern) || Ceiling.allows(text) else {
                throw DecodingError.dataCorrupted(
                    .init(codingPath: decoder.codingPath, debugDescription: "\(text) is never given to a client"))
            }
            return
        }
        try decoder.refuseUnknown(Field.self)
        let container = try decoder.container(keyedBy: Field.self)
        let text = try container.decode(String.self, forKey: .key)
        guard Ceiling.answerableKeys.contains(text) else {
            throw DecodingError.dataCorruptedError(
                forKey: .key, in: container, debugDescription: "\(text) cannot have a fixed answer")
        }
        pattern = try Self.pattern(text, decoder)
        answer = try container.decode(String.self, forKey: .answer).printable
    }

    private static func pattern(_ text: String, _ decoder: any Decoder) throws -> KeyPattern {
        guard let pattern = KeyPattern(text) else {
            throw DecodingError.dataCorrupted(
                .init(codingPath: decoder.codingPath, debugDescription: "\(text.printable) is no pattern for a key"))
        }
        return pattern
    }
}

extension Policy.EventRule {
    private enum Field: String, CodingKey, CaseIterable { case kind, actions, fields, lines }

    /// Reads a rule.
    public init(from decoder: any Decoder) throws {
        try decoder.refuseUnknown(Field.self)
        let container = try decoder.container(keyedBy: Field.self)
        kind = try container.decode(String.self, forKey: .kind)
        guard Ceiling.events.contains(kind) else {
            throw DecodingError.dataCorruptedError(
                forKey: .kind, in: container, debugDescription: "\(kind.printable) is never given to a client")
        }
        actions = try container.words(.actions, among: Ceiling.actions)
        fields = try container.words(.fields, among: Ceiling.fields)
        lines = try container.words(.lines, among: Ceiling.lines)
    }
}
