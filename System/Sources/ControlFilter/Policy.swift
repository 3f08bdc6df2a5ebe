// SPDX-License-Identifier: GPL-3.0-or-later
import FoundationEssentials
import Linux

/// What one client may ask of Tor: a file `/usr/lib/needletail/control/NAME.json`. Everything that it does not name is refused.
public struct Policy: Sendable, Hashable, Decodable {
    /// A key of GETINFO.
    public struct Key: Sendable, Hashable, Decodable {
        /// The keys meant.
        public let pattern: KeyPattern
        /// What is answered without asking Tor.
        public let answer: String?
    }

    /// A kind of event.
    public struct EventRule: Sendable, Hashable, Decodable {
        /// Such as `STATUS_CLIENT`.
        public let kind: String
        /// For status events: those reported.
        public let actions: Set<String>
        /// The fields that are kept.
        public let fields: Set<String>
        /// For `WARN`: beginnings of the messages that are passed on.
        public let lines: Set<String>
    }

    /// Why this client exists, for who reads the file.
    public let purpose: String
    /// The numbers of the accounts that may connect.
    public let users: Set<UInt32>
    /// So many connections at once at most, 1 to 64.
    public let connections: Int
    /// A connection that asks nothing for so long and gets no events is closed, in seconds, 10 to 3600.
    public let idleSeconds: Int
    /// What GETINFO may ask.
    public let getInfo: [Key]
    /// What SIGNAL may say.
    public let signals: Set<String>
    /// Whether CLOSECIRCUIT is allowed.
    public let closesCircuits: Bool
    /// The fields kept of each circuit in `GETINFO circuit-status`.
    public let circuitFields: Set<String>
    /// What SETEVENTS may ask.
    public let events: [EventRule]
    /// What SETEVENTS may ask too, but never comes: some programs give up without.
    public let silentEvents: Set<String>

    /// Reads a file.
    ///
    /// - Parameters:
    ///   - bytes: its content.
    ///   - name: its path, for messages.
    /// - Throws: ``PolicyFailure``.
    public init(_ bytes: [UInt8], name: String) throws(PolicyFailure) {
        do {
            self = try JSONDecoder().decode(Policy.self, from: Data(bytes))
        } catch let error as DecodingError {
            throw PolicyFailure(file: name, error)
        } catch {
            throw PolicyFailure(file: name, field: "", problem: "cannot be read")
        }
    }

    /// Reads the file of a client.
    public init(client: String, folder: String = "/usr/lib/needletail/control") throws(PolicyFailure) {
        let path = "\(folder)/\(client).json"
        // The name comes from a unit file; it is a word, not a path.
        guard !client.isEmpty, client.utf8.allSatisfy({ (0x61...0x7a).contains($0) || $0 == UInt8(ascii: "-") }) else {
            throw PolicyFailure(file: path, field: "", problem: "is no name of a client")
        }
        let bytes: [UInt8]
        do {
            bytes = try File(path).readAll(limit: 1 << 16)
        } catch {
            throw PolicyFailure(file: path, field: "", problem: "cannot be read: \(error)")
        }
        try self.init(bytes, name: path)
    }
}

/// What is wrong with a data file, in words.
public struct PolicyFailure: Error, Sendable, Hashable, CustomStringConvertible {
    /// Its path.
    public let file: String
    /// The field, such as `events[1].kind`.
    public let field: String
    /// What is wrong with it.
    public let problem: String

    init(file: String, field: String, problem: String) {
        self.file = file
        self.field = field
        self.problem = problem
    }

    init(file: String, _ error: DecodingError) {
        self.file = file
        let (path, problem): ([any CodingKey], String) =
            switch error {
            case .dataCorrupted(let context): (context.codingPath, context.debugDescription)
            case .keyNotFound(let key, let context): (context.codingPath + [key], "is missing")
            case .typeMismatch(_, let context), .valueNotFound(_, let context):
                (context.codingPath, "has a value of the wrong type")
            @unknown default: ([], "cannot be read")
            }
        self.problem = problem
        field = path.reduce("") { text, key in
            key.intValue.map { "\(text)[\($0)]" } ?? (text.isEmpty ? key.stringValue : "\(text).\(key.stringValue)")
        }
    }

    /// For example `/usr/lib/…/status.json: events[1].kind: ORCONN is never given to a client.`
    public var description: String { "\(file): \(field.isEmpty ? "" : "\(field): ")\(problem)." }
}
