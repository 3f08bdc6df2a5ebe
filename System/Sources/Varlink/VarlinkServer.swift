// SPDX-License-Identifier: GPL-3.0-or-later
import Linux
import Sockets
import Synchronization

/// Answers calls on listening sockets.
public final class VarlinkServer: Sendable {
    /// What one caller, and all of them, may take.
    public struct Limits: Sendable {
        /// Connections in all.
        public var connections = 64
        /// Connections of one user who is not root.
        public var connectionsOfUser = 16
        /// Bytes of a message.
        public var messageSize = 64 * 1024
        /// Calls of one connection that wait while another one is worked on; what is beyond stays in the socket.
        public var waitingCalls = 32
        /// How long a caller may take to read a reply.
        public var writeTime: Duration = .seconds(45)

        /// The limits of a service of a live system.
        public init() {}
    }

    private let service: VarlinkService
    private let limits: Limits
    private let log: @Sendable (String) -> Void
    private let open = OpenConnections()

    /// A server that does nothing yet.
    ///
    /// - Parameters:
    ///   - service: what is offered.
    ///   - limits: what callers may take.
    ///   - log: gets a line for every caller that breaks the rules, and for every failure of a handler.
    public init(
        _ service: VarlinkService, limits: Limits = Limits(),
        log: @escaping @Sendable (String) -> Void = { StandardError.line($0) }
    ) {
        self.service = service
        self.limits = limits
        self.log = log
    }

    /// Answers until the task is cancelled, or nobody has been connected for a while.
    ///
    /// - Parameters:
    ///   - listeners: where callers connect, such as `Listener.passed()`.
    ///   - idle: returns when there has been no connection for so long; `nil` for never. A caller that connects at that
    ///     moment waits in the socket, for which systemd starts the service again.
    public func run(_ listeners: [Listener], idle: Duration? = nil) async {
        let (streams, continuation) = AsyncStream.makeStream(of: (Stream, UnixSocket.Peer).self)
        let accepting = Task {
            await withTaskGroup { group in
                for listener in listeners {
                    group.addTask { await self.accept(listener) { continuation.yield(($0, $1)) } }
                }
            }
            continuation.finish()
        }
        let watching = Task {
            guard let idle else { return }
            while !Task.isCancelled {
                try? await Task.sleep(for: min(idle, .seconds(1)))
                if open.idleTime >= idle { return accepting.cancel() }
            }
        }
        await withTaskCancellationHandler {
            await withDiscardingTaskGroup { group in
                for await (stream, peer) in streams {
                    group.addTask {
                        await VarlinkConnection(
                            stream: stream, peer: peer, service: self.service, limits: self.limits, log: self.log
                        ).run()
                        self.open.remove(user: peer.user)
                    }
                }
            }
        } onCancel: {
            accepting.cancel()
            watching.cancel()
        }
        watching.cancel()
    }

    private func accept(_ listener: Listener, _ admit: (Stream, UnixSocket.Peer) -> Void) async {
        while !Task.isCancelled {
            do {
                let stream = try await listener.accept()
                let peer = try stream.peer
                guard open.add(user: peer.user, limits: limits) else {
                    log("user \(peer.user) has too many connections; one more was closed")
                    continue
                }
                admit(stream, peer)
            } catch is CancellationError {
                return
            } catch {
                log("a connection could not be taken: \(error)")
                try? await Task.sleep(for: .milliseconds(200))
            }
        }
    }
}

/// Counts connections by user.
private final class OpenConnections: Sendable {
    private struct State {
        var byUser: [UInt32: Int] = [:]
        var total = 0
        var lastEnd = ContinuousClock.now
    }
    private let state = Mutex(State())

    func add(user: UInt32, limits: VarlinkServer.Limits) -> Bool {
        state.withLock { state in
            let own = state.byUser[user, default: 0]
            // What others may take is not root's to lose: a few places are kept for it.
            let places = user == 0 ? limits.connections : max(1, limits.connections - 4)
            guard state.total < places, user == 0 || own < limits.connectionsOfUser else { return false }
            state.byUser[user] = own + 1
            state.total += 1
            return true
        }
    }

    func remove(user: UInt32) {
        state.withLock { state in
            let own = state.byUser[user, default: 1] - 1
            state.byUser[user] = own > 0 ? own : nil
            state.total -= 1
            state.lastEnd = .now
        }
    }

    /// How long nobody has been connected.
    var idleTime: Duration {
        state.withLock { $0.total > 0 ? .zero : ContinuousClock.now - $0.lastEnd }
    }
}
