// SPDX-License-Identifier: GPL-3.0-or-later
import Linux
import Sockets

/// A connection to Tor's control port. It may be used by many tasks at once.
///
/// Commands are answered in their order. A task that is cancelled while it waits stops waiting; its answer is thrown away when it
/// comes, and the connection stays in step. The connection ends when the last reference goes, when ``close()`` is called, when
/// Tor ends it, or at the first byte that is not the protocol.
public actor Client {
    /// What Tor tells without being asked, after ``setEvents(_:)``. For one reader. When it does not read, the oldest are dropped
    /// beyond ``eventLimit``. It ends with the connection.
    public nonisolated let events: AsyncStream<Event>
    /// How many events have come so far. After an answer, the events that Tor sent before it are among them.
    public private(set) var eventCount = 0
    /// So many events wait for their reader at most.
    public static let eventLimit = 1024
    /// So many commands wait for their answers at most.
    public static let requestLimit = 64

    private let stream: Sockets.Stream
    private let eventSink: AsyncStream<Event>.Continuation
    private let outgoing: AsyncStream<[UInt8]>.Continuation
    private var tasks: [Task<Void, Never>] = []
    private var parser: ReplyParser
    private var waiting: [Waiting] = []
    private var nextNumber: UInt64 = 0
    private var end: EndReason?
    private var endWaiters: [UInt64: CheckedContinuation<Void, Never>] = [:]

    /// A command whose answer has not come. Without continuation nobody waits any more.
    private struct Waiting {
        let number: UInt64
        var continuation: CheckedContinuation<Reply, any Error>?
    }

    /// Connects and authenticates with the cookie file.
    ///
    /// - Parameters:
    ///   - socket: the Unix socket.
    ///   - cookie: the cookie file; `nil` for a socket that asks for none, such as the filter's.
    ///   - limits: how much of one message is accepted.
    /// - Returns: the connection.
    /// - Throws: ``ControlFailure``, `CancellationError`.
    public static func connect(
        socket: String = "/run/tor/control", cookie: String? = "/run/tor/control.authcookie",
        limits: ReplyParser.Limits = ReplyParser.Limits()
    ) async throws -> Client {
        let stream: Sockets.Stream
        do {
            stream = try Sockets.Stream(connectingTo: socket)
        } catch {
            throw ControlFailure.unreachable(error)
        }
        var key: [UInt8] = []
        if let cookie {
            do {
                // The cookie has 32 bytes. Plain COOKIE is enough here, see docs/network/control.md.
                key = try File(cookie, .readWithoutWaiting).readAll(limit: 33)
            } catch {
                throw ControlFailure.noCookie(error)
            }
            guard key.count == 32 else { throw ControlFailure.notAuthenticated("the key has not 32 bytes") }
        }
        defer { SecretBytes.forget(&key) }
        let client = await Client(stream, limits: limits)
        let reply = try await client.request(try .authenticate(cookie: key), within: .seconds(30))
        guard reply.isPositive else {
            await client.close()
            throw ControlFailure.notAuthenticated(reply.text)
        }
        return client
    }

    /// Speaks over a stream that is connected, and authenticates with nothing.
    public init(_ stream: Sockets.Stream, limits: ReplyParser.Limits = ReplyParser.Limits()) async {
        self.stream = stream
        parser = ReplyParser(limits: limits)
        (events, eventSink) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(Self.eventLimit))
        let queue: AsyncStream<[UInt8]>
        (queue, outgoing) = AsyncStream.makeStream(bufferingPolicy: .unbounded)
        // Neither task holds the client, so that it ends when nobody uses it any more.
        tasks = [
            Task { [weak self] in
                for await bytes in queue {
                    do {
                        try await stream.write(bytes)
                    } catch let failure as SystemCallFailure {
                        await self?.finish(.socket(failure))
                    } catch { return }
                }
            },
            Task { [weak self] in
                while true {
                    do {
                        let bytes = try await stream.read(upTo: 65_536)
                        guard !bytes.isEmpty else {
                            await self?.finish(.torGone)
                            return
                        }
                        await self?.take(bytes)
                    } catch let failure as SystemCallFailure {
                        await self?.finish(.socket(failure))
                        return
                    } catch { return }
                }
            },
        ]
    }

    deinit {
        tasks.forEach { $0.cancel() }
        eventSink.finish()
        outgoing.finish()
        stream.shutDown()
    }

    /// Why the connection has ended; `nil` while it lives.
    public var endReason: EndReason? { end }

    /// Waits for the end of the connection, or of the task's patience.
    ///
    /// - Returns: why; `nil` when the task was cancelled first.
    public func untilEnd() async -> EndReason? {
        if let end { return end }
        nextNumber += 1
        let number = nextNumber
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                if end != nil || Task.isCancelled { continuation.resume() } else { endWaiters[number] = continuation }
            }
        } onCancel: {
            Task { await self.stopWaitingForEnd(number) }
        }
        return end
    }

    private func stopWaitingForEnd(_ number: UInt64) { endWaiters.removeValue(forKey: number)?.resume() }

    /// Ends the connection. Who waits for an answer gets ``ControlFailure/ended(_:)``.
    public func close() { finish(.closed) }

    /// Sends a command and waits for its answer, whatever its status.
    ///
    /// - Parameters:
    ///   - command: the command.
    ///   - time: how long to wait.
    /// - Returns: Tor's answer.
    /// - Throws: ``ControlFailure``, `CancellationError`.
    public func request(_ command: Command, within time: Duration = .seconds(60)) async throws -> Reply {
        try Task.checkCancellation()
        if let end { throw ControlFailure.ended(end) }
        guard waiting.count < Self.requestLimit else { throw ControlFailure.tooManyRequests }
        nextNumber += 1
        let number = nextNumber
        let timer = Task { [weak self] in
            guard (try? await Task.sleep(for: time)) != nil else { return }
            await self?.abandon(number, ControlFailure.noAnswer)
        }
        defer { timer.cancel() }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                // The queue of who waits and the queue of what is sent grow in one step, so that they stay in the same order.
                waiting.append(Waiting(number: number, continuation: continuation))
                outgoing.yield(command.encoded)
                if Task.isCancelled { abandon(number, CancellationError()) }
            }
        } onCancel: {
            Task { await self.abandon(number, CancellationError()) }
        }
    }

    private func abandon(_ number: UInt64, _ error: any Error) {
        guard let place = waiting.firstIndex(where: { $0.number == number }) else { return }
        let continuation = waiting[place].continuation
        waiting[place].continuation = nil
        continuation?.resume(throwing: error)
    }

    private func take(_ bytes: [UInt8]) {
        guard end == nil else { return }
        let replies: [Reply]
        do {
            replies = try parser.append(bytes)
        } catch {
            finish(.protocolFailure(error))
            return
        }
        for reply in replies {
            if reply.isEvent {
                eventCount += 1
                eventSink.yield(Event(reply))
            } else if waiting.isEmpty {
                finish(.protocolFailure(.unasked))
                return
            } else {
                waiting.removeFirst().continuation?.resume(returning: reply)
            }
        }
    }

    private func finish(_ reason: EndReason) {
        guard end == nil else { return }
        end = reason
        tasks.forEach { $0.cancel() }
        stream.shutDown()
        outgoing.finish()
        eventSink.finish()
        let (left, watchers) = (waiting, endWaiters)
        waiting = []
        endWaiters = [:]
        left.forEach { $0.continuation?.resume(throwing: ControlFailure.ended(reason)) }
        watchers.values.forEach { $0.resume() }
    }
}
