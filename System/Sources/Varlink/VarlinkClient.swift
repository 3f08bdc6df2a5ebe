// SPDX-License-Identifier: GPL-3.0-or-later
import FoundationEssentials
import Linux
import Sockets

/// Calls the methods of a service. Each call has a connection of its own, so that none waits for another, and is given up by
/// cancelling its task.
public struct VarlinkClient: Sendable {
    /// A service that cannot be reached, or does not keep to the protocol.
    public struct Failure: Error, Sendable, CustomStringConvertible {
        /// A sentence for people.
        public let description: String
        /// The system call that failed, when one did.
        public let cause: SystemCallFailure?
    }

    /// The path of the service's socket.
    public let path: String
    /// Bytes of a reply.
    public var replyLimit = 1 << 20

    /// Names a service; nothing is connected yet.
    ///
    /// - Parameter path: the path of its socket.
    public init(path: String) { self.path = path }

    /// Calls a method and waits for its reply.
    ///
    /// - Parameters:
    ///   - method: the whole name.
    ///   - parameters: what the interface declares.
    ///   - limit: how long the reply may take; `nil` for as long as it likes.
    ///   - type: the reply's type; fields that it does not have are passed over.
    /// - Returns: the reply.
    /// - Throws: ``VarlinkError`` that the service answers, ``Failure``, `CancellationError`.
    @discardableResult
    public func call<Reply: Decodable & Sendable>(
        _ method: String, _ parameters: some Encodable & Sendable = Nothing(), within limit: Duration? = .seconds(45),
        returning type: Reply.Type = Nothing.self
    ) async throws -> Reply {
        let stream = try await connect()
        let alarm = alarm(for: stream, after: limit)
        defer { alarm?.cancel() }
        try await send(method, parameters, to: stream)
        var reader = MessageReader(limit: replyLimit)
        return try await receive(type, from: stream, &reader).value
    }

    /// Calls a method without waiting for it. It need not have been worked on when this returns.
    public func send(_ method: String, _ parameters: some Encodable & Sendable = Nothing()) async throws {
        try await send(method, parameters, flag: "oneway", to: try await connect())
    }

    /// Calls a method that replies more than once. The call is given up when the sequence's reader stops.
    ///
    /// - Parameters:
    ///   - method: the whole name.
    ///   - parameters: what the interface declares.
    ///   - type: the type of each reply.
    /// - Returns: the replies; the sequence ends after the last one, and throws what ``call(_:_:within:returning:)`` throws.
    public func observe<Reply: Decodable & Sendable>(
        _ method: String, _ parameters: some Encodable & Sendable = Nothing(), returning type: Reply.Type = Reply.self
    ) -> AsyncThrowingStream<Reply, any Error> {
        AsyncThrowingStream { continuation in
            let task = Task {
                do {
                    let stream = try await connect()
                    try await send(method, parameters, flag: "more", to: stream)
                    var reader = MessageReader(limit: replyLimit)
                    while true {
                        let (value, continues) = try await receive(type, from: stream, &reader)
                        continuation.yield(value)
                        if !continues { break }
                    }
                    continuation.finish()
                } catch {
                    continuation.finish(throwing: error)
                }
            }
            continuation.onTermination = { _ in task.cancel() }
        }
    }

    // MARK: Messages

    private struct Envelope<Reply: Decodable>: Decodable {
        var parameters: Reply
    }

    private func connect() async throws -> Stream {
        for _ in 0..<50 {
            do {
                return try Stream(connectingTo: path)
            } catch  where error.number == .wouldBlock {
                // The service has not yet taken others' connections.
                try await Task.sleep(for: .milliseconds(100))
            } catch {
                throw Failure(description: "The service at \(path) cannot be reached: \(error.number).", cause: error)
            }
        }
        throw Failure(description: "The service at \(path) has too many callers.", cause: nil)
    }

    private func alarm(for stream: Stream, after limit: Duration?) -> Task<Void, any Error>? {
        limit.map { limit in
            Task {
                try await Task.sleep(for: limit)
                stream.shutDown()
            }
        }
    }

    private func send(
        _ method: String, _ parameters: some Encodable, flag: String? = nil, to stream: Stream
    ) async throws {
        var message = Array("{\"method\":".utf8)
        JSONValue.write(method, to: &message)
        if let flag { message += ",\"\(flag)\":true".utf8 }
        let encoded = try VarlinkService.encoded(parameters)
        if encoded != Array("{}".utf8) {
            message += ",\"parameters\":".utf8
            message += encoded
        }
        message += "}\0".utf8
        do {
            try await stream.write(message)
        } catch let error as SystemCallFailure {
            throw Failure(description: "The service at \(path) closed the connection.", cause: error)
        }
    }

    private func receive<Reply: Decodable>(
        _ type: Reply.Type, from stream: Stream, _ reader: inout MessageReader
    ) async throws -> (value: Reply, continues: Bool) {
        let message: [UInt8]
        do {
            guard let next = try await reader.next(from: stream) else {
                throw Failure(description: "The service at \(path) ended the connection without an answer.", cause: nil)
            }
            message = next
        } catch let error as SystemCallFailure {
            throw Failure(description: "The service at \(path) closed the connection.", cause: error)
        } catch let error as MessageReader.Failure {
            throw Failure(description: "The service at \(path) sent \(error).", cause: nil)
        }
        do {
            guard let members = try JSONParser.value(in: message).members else {
                throw JSONFailure(description: "no object", offset: 0)
            }
            if let name = members["error"]?.text {
                throw VarlinkError(name, members["parameters"]?.members ?? [:])
            }
            let parameters = JSONValue.object(members["parameters"]?.members ?? [:])
            let value = try JSONDecoder().decode(type, from: Data(parameters.bytes))
            return (value, members["continues"] == .bool(true))
        } catch let error as VarlinkError {
            throw error
        } catch {
            throw Failure(
                description: "The service at \(path) sent an answer that cannot be read: \(error).", cause: nil)
        }
    }
}
