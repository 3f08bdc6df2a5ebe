// SPDX-License-Identifier: GPL-3.0-or-later
import Foundation
import Synchronization
import SystemPackage

/// The line to QEMU: commands with their replies, and all events since the beginning.
final class QMPClient: Sendable {
    /// What can go wrong with a command.
    enum Failure: Error, Sendable, Hashable {
        /// The line is cut: QEMU has ended.
        case disconnected
        /// QEMU said no; its class of error and its words.
        case refused(kind: String, words: String)
        /// No answer came in time.
        case timedOut
        /// The answer has another shape than expected.
        case strangeReply(String)
    }

    private struct State {
        var isOpen = true
        var isGreeted = false
        var lastID = 0
        var pending: [Int: CheckedContinuation<JSONValue, any Error>] = [:]
        var events: [MachineEvent] = []
    }

    private let connection: UNIXConnection
    private let state = Mutex(State())
    private let reader: Mutex<Task<Void, Never>?> = Mutex(nil)

    /// Takes a connection on which nothing was said yet.
    init(_ connection: UNIXConnection) {
        self.connection = connection
        let task = Task { [weak self, incoming = connection.incoming] in
            var splitter = LineSplitter()
            for await piece in incoming {
                guard let self, let lines = splitter.append(piece) else { break }
                for line in lines { self.take(line) }
            }
            self?.end()
        }
        reader.withLock { $0 = task }
    }

    deinit { connection.close() }

    /// Whether QEMU still listens.
    var isOpen: Bool { state.withLock { $0.isOpen } }

    /// All events so far.
    var events: [MachineEvent] { state.withLock { $0.events } }

    /// Waits for QEMU's greeting and leaves the mode in which only that is possible.
    func negotiate(timeout: Duration) async throws {
        let greeted = try await poll(for: timeout) { self.state.withLock { $0.isGreeted || !$0.isOpen } ? true : nil }
        guard greeted != nil else { throw Failure.timedOut }
        _ = try await execute("qmp_capabilities", timeout: timeout)
    }

    /// Runs a command and waits for its reply.
    func execute(_ name: String, _ arguments: JSONValue? = nil, timeout: Duration = .seconds(60)) async throws
        -> JSONValue
    {
        try Task.checkCancellation()
        let id = state.withLock { state in
            state.lastID += 1
            return state.lastID
        }
        var message: [String: JSONValue] = ["execute": .string(name), "id": .integer(id)]
        message["arguments"] = arguments
        let line = Array(JSONValue.object(message).line.utf8) + [10]
        let watch = Task { [weak self] in
            try await Task.sleep(for: timeout)
            self?.finish(id, .failure(Failure.timedOut))
        }
        defer { watch.cancel() }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let isOpen = state.withLock { state in
                    if state.isOpen { state.pending[id] = continuation }
                    return state.isOpen
                }
                guard isOpen else { return continuation.resume(throwing: Failure.disconnected) }
                // A task cancelled before this point has found nothing to end.
                if Task.isCancelled { return finish(id, .failure(CancellationError())) }
                connection.send(line)
            }
        } onCancel: {
            finish(id, .failure(CancellationError()))
        }
    }

    /// Runs a command whose reply has a shape.
    func execute<Reply: Decodable>(
        _ name: String, _ arguments: JSONValue? = nil, as type: Reply.Type, timeout: Duration = .seconds(60)
    ) async throws -> Reply {
        let value = try await execute(name, arguments, timeout: timeout)
        do {
            return try JSONDecoder().decode(Reply.self, from: Data(value.line.utf8))
        } catch {
            throw Failure.strangeReply("\(name): \(value.line.prefix(200))")
        }
    }

    private func take(_ line: [UInt8]) {
        switch QMPMessage(line) {
        case .greeting: state.withLock { $0.isGreeted = true }
        case .event(let event): state.withLock { $0.events.append(event) }
        case .reply(let id?, let value): finish(id, .success(value))
        case .failure(let id?, let kind, let words): finish(id, .failure(Failure.refused(kind: kind, words: words)))
        // Nothing of ours has no number, and what is no message means nothing.
        case .reply(nil, _), .failure(nil, _, _), nil: break
        }
    }

    private func finish(_ id: Int, _ result: Result<JSONValue, any Error>) {
        state.withLock { $0.pending.removeValue(forKey: id) }?.resume(with: result)
    }

    private func end() {
        let pending = state.withLock { state in
            state.isOpen = false
            defer { state.pending = [:] }
            return state.pending.values
        }
        for continuation in pending { continuation.resume(throwing: Failure.disconnected) }
    }
}

/// Asks again and again until there is an answer; `nil` when the time is up.
nonisolated(nonsending) func poll<Value: Sendable>(
    for timeout: Duration, every pause: Duration = .milliseconds(20),
    _ ask: nonisolated(nonsending) () async throws -> Value?
) async throws -> Value? {
    let deadline = ContinuousClock.now + timeout
    while true {
        if let value = try await ask() { return value }
        guard ContinuousClock.now < deadline else { return nil }
        try await Task.sleep(for: pause)
    }
}
