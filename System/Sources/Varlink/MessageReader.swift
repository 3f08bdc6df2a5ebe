// SPDX-License-Identifier: GPL-3.0-or-later
import Sockets

/// Cuts a stream of bytes into messages, each of which a NUL byte ends.
struct MessageReader {
    /// A message that is longer than allowed, or cut off.
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    private let limit: Int
    private var buffer: [UInt8] = []
    /// Where in the buffer the search for a NUL goes on, so that no byte is looked at twice.
    private var searched = 0

    init(limit: Int) { self.limit = limit }

    /// Adds what has arrived.
    mutating func add(_ bytes: [UInt8]) { buffer += bytes }

    /// The next whole message without its NUL; `nil` when more bytes are needed.
    ///
    /// Not inlined, like ``end()``: Swift 6.3.1 crashes when it optimises an asynchronous function with an inlined typed error.
    @inline(never)
    mutating func next() throws(Failure) -> [UInt8]? {
        guard let end = buffer[searched...].firstIndex(of: 0) else {
            searched = buffer.count
            guard buffer.count <= limit else { throw Failure(description: "a message of more than \(limit) bytes") }
            return nil
        }
        guard end <= limit else { throw Failure(description: "a message of more than \(limit) bytes") }
        let message = Array(buffer[..<end])
        buffer.removeSubrange(...end)
        searched = 0
        return message
    }

    /// Says that nothing more comes.
    @inline(never)
    func end() throws(Failure) {
        guard buffer.isEmpty else { throw Failure(description: "the connection ended within a message") }
    }

    /// Waits for the next message.
    ///
    /// - Returns: `nil` when the other side has ended.
    mutating func next(from stream: Stream) async throws -> [UInt8]? {
        while true {
            if let message = try next() { return message }
            let bytes = try await stream.read()
            guard !bytes.isEmpty else {
                try end()
                return nil
            }
            add(bytes)
        }
    }
}
