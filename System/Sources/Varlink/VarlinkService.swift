// SPDX-License-Identifier: GPL-3.0-or-later
import FoundationEssentials
import Linux

/// Who calls, and how.
public struct VarlinkCaller: Sendable {
    /// The process and the user at the other end, as the kernel knows them.
    public let peer: UnixSocket.Peer
    /// The whole name of the method.
    public let method: String
    /// Whether the caller takes more than one reply.
    public let wantsMore: Bool
    /// Whether the caller wants no reply.
    public let isOneway: Bool

    /// Refuses everybody but some users.
    ///
    /// - Throws: ``VarlinkError/permissionDenied``.
    public func require(users: Set<UInt32>) throws(VarlinkError) {
        guard users.contains(peer.user) else { throw .permissionDenied }
    }
}

/// The way to the caller for replies before the last one.
public struct VarlinkUpdates<Update: Encodable & Sendable>: Sendable {
    let write: @Sendable ([UInt8]) async throws -> Void

    /// Sends a reply that others will follow.
    ///
    /// - Throws: When the caller is gone, or does not read; let it through.
    public func send(_ update: Update) async throws {
        try await write(try VarlinkService.encoded(update))
    }
}

/// What a program offers: its interfaces, with a handler for each method.
///
/// ```swift
/// var service = try VarlinkService(product: "Needletail connection", version: "1")
/// try service.add(VarlinkInterface(text)) { methods in
///     methods.answer("GetState") { (_: Nothing, caller) in try await machine.state(for: caller) }
///     methods.observe("Monitor") { (_: Nothing, caller, updates) in
///         for await state in machine.states { try await updates.send(state) }
///         return machine.lastState
///     }
/// }
/// ```
public struct VarlinkService: Sendable {
    /// Works on one call. The replies before the last go out by `write`; the value returned is the last one.
    typealias Handler =
        @Sendable (
            _ caller: VarlinkCaller, _ parameters: JSONValue,
            _ write: @escaping @Sendable ([UInt8]) async throws -> Void
        ) async throws -> [UInt8]

    /// The handlers of one interface while they are put together.
    public struct Methods {
        fileprivate var handlers: [String: Handler] = [:]

        /// Answers a method with one reply.
        ///
        /// - Parameters:
        ///   - method: the name without the interface.
        ///   - handler: throws ``VarlinkError`` for the caller; any other error is logged, and the caller gets
        ///     ``VarlinkError/serviceFailed``. Cancelled when the caller goes away.
        public mutating func answer<Parameters: Decodable & Sendable, Reply: Encodable & Sendable>(
            _ method: String, _ handler: @escaping @Sendable (Parameters, VarlinkCaller) async throws -> Reply
        ) {
            handlers[method] = { caller, parameters, _ in
                try encoded(try await handler(try decoded(Parameters.self, parameters), caller))
            }
        }

        /// Answers a method with as many replies as the handler sends, and a last one, which it returns. Callers that do not ask
        /// for more than one reply get ``VarlinkError/expectedMore``.
        ///
        /// - Parameters:
        ///   - method: the name without the interface.
        ///   - handler: as for ``answer(_:_:)``.
        public mutating func observe<Parameters: Decodable & Sendable, Reply: Encodable & Sendable>(
            _ method: String,
            _ handler: @escaping @Sendable (Parameters, VarlinkCaller, VarlinkUpdates<Reply>) async throws -> Reply
        ) {
            handlers[method] = { caller, parameters, write in
                guard caller.wantsMore else { throw VarlinkError.expectedMore }
                let updates = VarlinkUpdates<Reply>(write: write)
                return try encoded(try await handler(try decoded(Parameters.self, parameters), caller, updates))
            }
        }
    }

    private struct Information: Codable {
        var vendor: String
        var product: String
        var version: String
        var url: String
        var interfaces: [String]
    }

    private let product: String
    private let version: String
    private var interfaces: [String: VarlinkInterface] = [:]
    private var handlers: [String: Handler] = [:]

    /// A service that only tells about itself.
    ///
    /// - Parameters:
    ///   - product: what it is, for people.
    ///   - version: its version.
    /// - Throws: ``InterfaceFailure``.
    public init(product: String, version: String) throws {
        self.product = product
        self.version = version
        let itself = try VarlinkInterface(Self.text)
        interfaces[itself.name] = itself
    }

    /// Adds an interface.
    ///
    /// - Parameters:
    ///   - interface: what callers may call; their parameters are checked against it before a handler sees them.
    ///   - build: names a handler for each method.
    /// - Throws: ``InterfaceFailure`` when a method has no handler, or a handler no method.
    public mutating func add(_ interface: VarlinkInterface, _ build: (inout Methods) -> Void) throws {
        var methods = Methods()
        build(&methods)
        for name in interface.methods.keys where methods.handlers[name] == nil {
            throw InterfaceFailure(line: 0, problem: "the method \(name) has no handler")
        }
        for name in methods.handlers.keys where interface.methods[name] == nil {
            throw InterfaceFailure(line: 0, problem: "the method \(name) is not declared")
        }
        interfaces[interface.name] = interface
        for (name, handler) in methods.handlers { handlers["\(interface.name).\(name)"] = handler }
    }

    // MARK: Calls

    /// Works on a call whose shape is right.
    func answer(
        _ caller: VarlinkCaller, _ parameters: [String: JSONValue],
        write: @escaping @Sendable ([UInt8]) async throws -> Void
    ) async throws -> [UInt8] {
        guard let dot = caller.method.lastIndex(of: ".") else {
            throw VarlinkError.interfaceNotFound(caller.method)
        }
        let name = String(caller.method[..<dot])
        guard let interface = interfaces[name] else { throw VarlinkError.interfaceNotFound(name) }
        guard let method = interface.methods[String(caller.method[caller.method.index(after: dot)...])] else {
            throw VarlinkError.methodNotFound(caller.method)
        }
        // null is the same as not there, for the callers' sake and for the decoder's.
        let parameters = parameters.filter { $0.value != .null }
        try interface.check(parameters, against: method.parameters)
        switch caller.method {
        case "org.varlink.service.GetInfo":
            return try Self.encoded(
                Information(
                    vendor: "Needletail", product: product, version: version, url: "",
                    interfaces: interfaces.keys.sorted()))
        case "org.varlink.service.GetInterfaceDescription":
            let name = parameters["interface"]?.text ?? ""
            guard let interface = interfaces[name] else { throw VarlinkError.interfaceNotFound(name) }
            return try Self.encoded(["description": interface.text])
        default:
            guard let handler = handlers[caller.method] else { throw VarlinkError.methodNotImplemented(caller.method) }
            return try await handler(caller, .object(parameters), write)
        }
    }

    static func encoded(_ value: some Encodable) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return Array(try encoder.encode(value))
    }

    private static func decoded<Value: Decodable>(_ type: Value.Type, _ value: JSONValue) throws -> Value {
        do {
            return try JSONDecoder().decode(type, from: Data(value.bytes))
        } catch let error as DecodingError {
            throw VarlinkError.invalidParameter(error.member ?? "")
        }
    }

    /// What every service answers, see <https://varlink.org/Service>; the last two errors are systemd's additions.
    private static let text = """
        # What every service tells about itself
        interface org.varlink.service

        # The service and its interfaces
        method GetInfo() -> (vendor: string, product: string, version: string, url: string, interfaces: []string)

        # The text of an interface
        method GetInterfaceDescription(interface: string) -> (description: string)

        error InterfaceNotFound(interface: string)

        error MethodNotFound(method: string)

        error MethodNotImplemented(method: string)

        error InvalidParameter(parameter: string)

        error PermissionDenied()

        error ExpectedMore()

        """
}

extension DecodingError {
    /// The outermost member in which decoding failed.
    fileprivate var member: String? {
        switch self {
        case .keyNotFound(let key, let context): (context.codingPath.first ?? key).stringValue
        case .typeMismatch(_, let context), .valueNotFound(_, let context), .dataCorrupted(let context):
            context.codingPath.first?.stringValue
        @unknown default: nil
        }
    }
}
