// SPDX-License-Identifier: GPL-3.0-or-later
import Linux
import Sockets

/// Serves the sockets of all clients.
public struct FilterService: Sendable {
    /// One client's socket, and what it may. Without a policy nobody is let in there.
    public struct Door: Sendable {
        let listener: Listener
        let policy: Policy?

        /// A socket with its rules.
        public init(listener: Listener, policy: Policy?) {
            self.listener = listener
            self.policy = policy
        }
    }

    private let doors: [Door]
    private let tor: Conversation.Tor
    private let restAfter: Duration?
    private let log: @Sendable (String) -> Void

    /// Describes the service.
    ///
    /// - Parameters:
    ///   - doors: the clients' sockets.
    ///   - torSocket: Tor's control port.
    ///   - cookie: its cookie file; `nil` for none.
    ///   - patience: how long Tor may take for an answer.
    ///   - restAfter: the service ends when there was no connection for so long; systemd starts it again for the next.
    ///   - log: takes lines for the log.
    public init(
        doors: [Door], torSocket: String = "/run/tor/control", cookie: String? = "/run/tor/control.authcookie",
        patience: Duration = .seconds(30), restAfter: Duration? = nil, log: @escaping @Sendable (String) -> Void
    ) {
        self.doors = doors
        tor = Conversation.Tor(socket: torSocket, cookie: cookie, patience: patience)
        self.restAfter = restAfter
        self.log = log
    }

    /// Serves until it is cancelled or may rest.
    public func run() async {
        let visitors = Visitors()
        await withTaskGroup { group in
            for door in doors { group.addTask { await serve(door, visitors) } }
            if let restAfter {
                group.addTask {
                    while await !visitors.wereAway(for: restAfter) {
                        guard (try? await Task.sleep(for: restAfter)) != nil else { return }
                    }
                }
                // Sockets whose listener fails end their own task only; the first end that counts is the rest.
                while await group.next() != nil {
                    if await visitors.wereAway(for: restAfter) { break }
                }
                group.cancelAll()
            }
        }
    }

    private func serve(_ door: Door, _ visitors: Visitors) async {
        let name = door.listener.name
        await withDiscardingTaskGroup { group in
            while !Task.isCancelled {
                let stream: Sockets.Stream
                do {
                    stream = try await door.listener.accept()
                } catch let failure as SystemCallFailure {
                    // Out of descriptors, for example: others must end first.
                    log("\(name): cannot take a connection: \(failure)")
                    guard (try? await Task.sleep(for: .milliseconds(200))) != nil else { break }
                    continue
                } catch { break }
                guard let policy = door.policy, let peer = try? stream.peer, policy.users.contains(peer.user) else {
                    log("\(name): turned away somebody who may not connect here")
                    continue
                }
                // Whoever comes when all places are taken is turned away at once, so that nothing piles up.
                guard await visitors.enter(name, limit: policy.connections) else { continue }
                group.addTask {
                    await Conversation(stream, gate: Gate(policy), tor: tor) { log("\(name): \($0)") }.run()
                    await visitors.leave(name)
                }
            }
            group.cancelAll()
        }
    }
}

/// Who is connected.
private actor Visitors {
    private var counts: [String: Int] = [:]
    private var lastLeft = ContinuousClock.now

    func enter(_ name: String, limit: Int) -> Bool {
        guard counts[name, default: 0] < limit else { return false }
        counts[name, default: 0] += 1
        return true
    }

    func leave(_ name: String) {
        counts[name, default: 1] -= 1
        lastLeft = .now
    }

    func wereAway(for time: Duration) -> Bool {
        counts.values.allSatisfy { $0 == 0 } && ContinuousClock.now - lastLeft >= time
    }
}
