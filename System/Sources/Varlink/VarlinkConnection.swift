// SPDX-License-Identifier: GPL-3.0-or-later
import Linux
import Sockets
import Synchronization

/// One caller's connection: its calls are answered one after the other, in order.
struct VarlinkConnection: Sendable {
    /// A call as it came.
    struct Call: Sendable {
        var method: String
        var parameters: [String: JSONValue]
        var oneway: Bool
        var more: Bool
        var upgrade: Bool
    }

    let stream: Stream
    let peer: UnixSocket.Peer
    let service: VarlinkService
    let limits: VarlinkServer.Limits
    let log: @Sendable (String) -> Void

    /// Answers until the caller ends, or breaks the rules. Calls that want no reply are worked on to their end even when the
    /// caller is gone; others are cancelled then.
    func run() async {
        let queue = CallQueue(limit: limits.waitingCalls)
        let working = Task { await work(queue) }
        await withTaskCancellationHandler {
            do {
                var reader = MessageReader(limit: limits.messageSize)
                while let message = try await reader.next(from: stream) {
                    try await queue.add(try Self.call(in: message))
                }
            } catch is CancellationError {
            } catch is SystemCallFailure {
                // The caller is gone.
            } catch {
                log("a connection of user \(peer.user) was closed: \(error)")
                stream.shutDown()
            }
            queue.end()
            await working.value
        } onCancel: {
            queue.end()
            working.cancel()
        }
        stream.shutDown()
    }

    private func work(_ queue: CallQueue) async {
        while let call = await queue.next() {
            let task = Task { await answer(call) }
            queue.working(on: task, mayBeCancelled: !call.oneway)
            await withTaskCancellationHandler {
                await task.value
            } onCancel: {
                task.cancel()
            }
        }
    }

    private func answer(_ call: Call) async {
        let caller = VarlinkCaller(peer: peer, method: call.method, wantsMore: call.more, isOneway: call.oneway)
        do {
            do {
                guard !call.upgrade else { throw VarlinkError.methodNotImplemented(call.method) }
                let last = try await service.answer(caller, call.parameters) { update in
                    if !call.oneway { try await write(parameters: update, isLast: false) }
                }
                if !call.oneway { try await write(parameters: last, isLast: true) }
            } catch let error as VarlinkError {
                if !call.oneway { try await write(error) }
            } catch let error where !(error is CancellationError) && !(error is Gone) {
                log("\(call.method) failed: \(error)")
                if !call.oneway { try await write(VarlinkError.serviceFailed) }
            }
        } catch {
            // The caller is gone, or does not read.
            stream.shutDown()
        }
    }

    // MARK: Messages

    private struct Gone: Error {}

    private struct BadCall: Error, CustomStringConvertible {
        let description: String
    }

    /// Reads a call. Members that the protocol does not have break the rules.
    static func call(in message: [UInt8]) throws -> Call {
        guard let members = try JSONParser.value(in: message).members else {
            throw BadCall(description: "a message that is no object")
        }
        var call = Call(method: "", parameters: [:], oneway: false, more: false, upgrade: false)
        for (name, value) in members {
            switch (name, value) {
            case ("method", .string(let method)): call.method = method
            case ("parameters", .object(let parameters)): call.parameters = parameters
            case ("oneway", .bool(let flag)): call.oneway = flag
            case ("more", .bool(let flag)): call.more = flag
            case ("upgrade", .bool(let flag)): call.upgrade = flag
            case ("parameters", .null), ("oneway", .null), ("more", .null), ("upgrade", .null): break
            default: throw BadCall(description: "a call with a member that calls do not have")
            }
        }
        guard call.method.contains("."), call.method.utf8.count <= 255,
            call.method.utf8.allSatisfy({ (0x21...0x7e).contains($0) })
        else { throw BadCall(description: "a call without a method") }
        guard !(call.oneway && call.more) else { throw BadCall(description: "a call for no reply and for more") }
        return call
    }

    private func write(parameters: [UInt8], isLast: Bool) async throws {
        var message = Array(isLast ? "{\"parameters\":".utf8 : "{\"continues\":true,\"parameters\":".utf8)
        message += parameters
        message += "}\0".utf8
        try await write(message)
    }

    private func write(_ error: VarlinkError) async throws {
        let value = JSONValue.object(["error": .string(error.name), "parameters": .object(error.parameters)])
        try await write(value.bytes + [0])
    }

    private func write(_ message: [UInt8]) async throws {
        // A caller who does not read must not hold the service.
        let stream = stream, limit = limits.writeTime
        let alarm = Task {
            try await Task.sleep(for: limit)
            stream.shutDown()
        }
        defer { alarm.cancel() }
        do {
            try await stream.write(message)
        } catch is SystemCallFailure {
            throw Gone()
        }
    }
}

/// The calls of a connection that wait.
private final class CallQueue: Sendable {
    private struct State {
        var calls: [VarlinkConnection.Call] = []
        var isEnded = false
        var reader: CheckedContinuation<Void, Never>?
        var worker: CheckedContinuation<Void, Never>?
        var cancel: Task<Void, Never>?
    }
    private let state = Mutex(State())
    private let limit: Int

    init(limit: Int) { self.limit = limit }

    /// Adds a call, when there is room.
    func add(_ call: VarlinkConnection.Call) async throws {
        while state.withLock({ $0.calls.count >= limit && !$0.isEnded }) {
            await withCheckedContinuation { continuation in
                let isReady = state.withLock { state in
                    if state.calls.count < limit || state.isEnded { return true }
                    state.reader = continuation
                    return false
                }
                if isReady { continuation.resume() }
            }
        }
        try Task.checkCancellation()
        let worker = state.withLock { state in
            state.calls.append(call)
            defer { state.worker = nil }
            return state.worker
        }
        worker?.resume()
    }

    /// Takes the oldest call; `nil` when no more come.
    func next() async -> VarlinkConnection.Call? {
        while true {
            let (call, reader, isEnded) = state.withLock { state in
                state.cancel = nil
                // Who is gone gets no answers.
                if state.isEnded { state.calls.removeAll { !$0.oneway } }
                let call = state.calls.isEmpty ? nil : state.calls.removeFirst()
                defer { if call != nil { state.reader = nil } }
                return (call, call == nil ? nil : state.reader, state.isEnded)
            }
            reader?.resume()
            if let call { return call }
            if isEnded { return nil }
            await withCheckedContinuation { continuation in
                let isReady = state.withLock { state in
                    if !state.calls.isEmpty || state.isEnded { return true }
                    state.worker = continuation
                    return false
                }
                if isReady { continuation.resume() }
            }
        }
    }

    /// Names the task that works on the call that was taken last.
    func working(on task: Task<Void, Never>, mayBeCancelled: Bool) {
        let isEnded = state.withLock { state in
            state.cancel = mayBeCancelled ? task : nil
            return state.isEnded
        }
        if isEnded, mayBeCancelled { task.cancel() }
    }

    /// The caller is gone.
    func end() {
        let (reader, worker, task) = state.withLock { state in
            state.isEnded = true
            defer { (state.reader, state.worker) = (nil, nil) }
            return (state.reader, state.worker, state.cancel)
        }
        reader?.resume()
        worker?.resume()
        task?.cancel()
    }
}
