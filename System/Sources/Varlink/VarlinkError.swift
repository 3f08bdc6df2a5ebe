// SPDX-License-Identifier: GPL-3.0-or-later
import FoundationEssentials

/// The error that a method answers with: what a handler throws, and what a caller catches.
public struct VarlinkError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The whole name, such as `org.needletail.Connection.BadBridges`.
    public let name: String
    /// What the interface declares for the error.
    public let parameters: [String: JSONValue]

    /// An error of an interface.
    ///
    /// - Parameters:
    ///   - name: the whole name.
    ///   - parameters: what the interface declares for it.
    public init(_ name: String, _ parameters: [String: JSONValue] = [:]) {
        self.name = name
        self.parameters = parameters
    }

    /// An error of an interface with a value of a type for its parameters.
    public init(_ name: String, encoding parameters: some Encodable) throws {
        let value = try JSONParser.value(in: Array(try JSONEncoder().encode(parameters)))
        self.init(name, value.members ?? [:])
    }

    /// The error's parameters as a type; fields that the type does not have are passed over.
    public func parameters<Value: Decodable>(as type: Value.Type) throws -> Value {
        try JSONDecoder().decode(type, from: Data(JSONValue.object(parameters).bytes))
    }

    /// For example `org.varlink.service.InvalidParameter {"parameter":"mode"}`.
    public var description: String {
        parameters.isEmpty ? name : "\(name) \(String(decoding: JSONValue.object(parameters).bytes, as: UTF8.self))"
    }

    /// A parameter that is missing, unknown, or of the wrong kind.
    public static func invalidParameter(_ name: String) -> VarlinkError {
        VarlinkError("org.varlink.service.InvalidParameter", ["parameter": .string(name)])
    }

    /// This caller may not do this.
    public static let permissionDenied = VarlinkError("org.varlink.service.PermissionDenied")
    /// The method only answers callers who want more than one reply.
    public static let expectedMore = VarlinkError("org.varlink.service.ExpectedMore")

    static func interfaceNotFound(_ name: String) -> VarlinkError {
        VarlinkError("org.varlink.service.InterfaceNotFound", ["interface": .string(name)])
    }

    static func methodNotFound(_ name: String) -> VarlinkError {
        VarlinkError("org.varlink.service.MethodNotFound", ["method": .string(name)])
    }

    static func methodNotImplemented(_ name: String) -> VarlinkError {
        VarlinkError("org.varlink.service.MethodNotImplemented", ["method": .string(name)])
    }

    /// The service failed in a way that its interface does not name; its log says how.
    public static let serviceFailed = VarlinkError("org.needletail.ServiceFailed")
}

/// For methods without parameters, or without anything in their reply.
public struct Nothing: Codable, Sendable, Hashable {
    /// Nothing.
    public init() {}
}
