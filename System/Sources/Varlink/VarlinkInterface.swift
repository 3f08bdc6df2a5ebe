// SPDX-License-Identifier: GPL-3.0-or-later

/// An interface: its text, and what the text declares. See <https://varlink.org/Interface-Definition>.
public struct VarlinkInterface: Sendable {
    /// What a value may be.
    indirect enum Kind: Sendable, Hashable {
        case bool, int, float, string, object, any
        /// A type that the interface declares.
        case named(String)
        case enumeration([String])
        case structure([Field])
        case optional(Kind)
        case array(Kind)
        case dictionary(Kind)
    }

    /// A member of a structure.
    struct Field: Sendable, Hashable {
        let name: String
        let kind: Kind
    }

    /// What goes in and what comes out.
    struct Method: Sendable, Hashable {
        let parameters: [Field]
        let reply: [Field]
    }

    /// Its name, such as `org.needletail.Connection`.
    public let name: String
    /// The text that callers get.
    public let text: String
    let types: [String: Kind]
    let methods: [String: Method]
    let errors: [String: [Field]]

    /// The names of the methods, sorted.
    public var methodNames: [String] { methods.keys.sorted() }

    /// Reads an interface.
    ///
    /// - Parameter text: what a `.varlink` file holds; comments before a declaration are its documentation.
    /// - Throws: ``InterfaceFailure`` with the line.
    public init(_ text: String) throws(InterfaceFailure) {
        var parser = InterfaceParser(text)
        self = try parser.interface(text)
        for kind in allKinds { try checkNames(in: kind) }
    }

    init(
        name: String, text: String, types: [String: Kind], methods: [String: Method], errors: [String: [Field]]
    ) {
        self.name = name
        self.text = text
        self.types = types
        self.methods = methods
        self.errors = errors
    }

    private var allKinds: [Kind] {
        types.values + methods.values.flatMap { [.structure($0.parameters), .structure($0.reply)] }
            + errors.values.map { .structure($0) }
    }

    private func checkNames(in kind: Kind) throws(InterfaceFailure) {
        switch kind {
        case .named(let name):
            guard types[name] != nil else {
                throw InterfaceFailure(line: 0, problem: "the type \(name) is not declared")
            }
        case .optional(let kind), .array(let kind), .dictionary(let kind): try checkNames(in: kind)
        case .structure(let fields): for field in fields { try checkNames(in: field.kind) }
        default: break
        }
    }

    // MARK: Values

    /// Looks whether an object has the declared members, no others, and each of its kind.
    ///
    /// - Throws: ``VarlinkError/invalidParameter(_:)`` with the outermost member that is wrong.
    func check(_ members: [String: JSONValue], against fields: [Field]) throws(VarlinkError) {
        for name in members.keys.sorted() where !fields.contains(where: { $0.name == name }) {
            throw .invalidParameter(name)
        }
        for field in fields where !matches(members[field.name] ?? .null, field.kind, depth: 0) {
            throw .invalidParameter(field.name)
        }
    }

    private func matches(_ value: JSONValue, _ kind: Kind, depth: Int) -> Bool {
        // A type may contain itself; the value's depth is bounded, a loop of names alone is not.
        guard depth < 2 * JSONParser.depthLimit else { return false }
        switch (kind, value) {
        case (.optional, .null), (.bool, .bool), (.int, .int), (.float, .float), (.float, .int), (.string, .string),
            (.object, .object), (.any, _):
            return true
        case (.optional(let kind), _): return matches(value, kind, depth: depth + 1)
        case (.named(let name), _): return types[name].map { matches(value, $0, depth: depth + 1) } ?? false
        case (.enumeration(let names), .string(let text)): return names.contains(text)
        case (.structure(let fields), .object(let members)):
            return members.keys.allSatisfy { name in fields.contains { $0.name == name } }
                && fields.allSatisfy { matches(members[$0.name] ?? .null, $0.kind, depth: depth + 1) }
        case (.array(let kind), .array(let values)): return values.allSatisfy { matches($0, kind, depth: depth + 1) }
        case (.dictionary(let kind), .object(let members)):
            return members.values.allSatisfy { matches($0, kind, depth: depth + 1) }
        default: return false
        }
    }
}

/// An interface's text that cannot be read.
public struct InterfaceFailure: Error, Hashable, Sendable, CustomStringConvertible {
    /// The line, from 1; 0 when it is no single one.
    public let line: Int
    /// What is wrong.
    public let problem: String
    /// For example `line 3 of the interface: a type should be here`.
    public var description: String {
        line == 0 ? "the interface: \(problem)" : "line \(line) of the interface: \(problem)"
    }
}
