// SPDX-License-Identifier: GPL-3.0-or-later
import Sockets
import TorControl

/// Writes to one client, one message after the other, however many tasks have something to say.
actor Outbox {
    /// So many bytes wait at most for a client that does not read; then it is cut off.
    static let limit = 1 << 20

    private let stream: Sockets.Stream
    private var last: Task<Void, any Error>?
    private var waiting = 0

    init(_ stream: Sockets.Stream) { self.stream = stream }

    /// Writes a message and waits until the client has room for it: who asks faster than it reads is slowed down.
    func send(_ reply: Reply) async throws { try await enqueue(reply)?.value }

    /// Writes a message without waiting.
    func post(_ reply: Reply) { _ = enqueue(reply) }

    private func enqueue(_ reply: Reply) -> Task<Void, any Error>? {
        let bytes = reply.encoded
        guard waiting + bytes.count <= Self.limit else {
            stream.shutDown()
            return nil
        }
        waiting += bytes.count
        let task = Task { [stream, last] in
            try await last?.value
            try await stream.write(bytes)
            self.wrote(bytes.count)
        }
        last = task
        return task
    }

    private func wrote(_ count: Int) { waiting -= count }
}
