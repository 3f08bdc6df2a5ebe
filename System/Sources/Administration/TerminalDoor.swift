// SPDX-License-Identifier: GPL-3.0-or-later
import Linux
import Sockets
import Synchronization

/// The second socket: where a ticket and its password are handed in, and where the command's input and output go.
final class TerminalDoor: Sendable {
    private let administrator: Administrator
    private let users: Set<UInt32>
    private let open = Mutex<[UInt32: Int]>([:])
    /// Places of one user: nobody takes another one's, such as the one that the lock of the screen needs.
    static let most = 16

    init(_ administrator: Administrator, users: Set<UInt32> = AdministrationInterface.users) {
        self.administrator = administrator
        self.users = users
    }

    /// Whether somebody is at the door at this moment.
    var isInUse: Bool { open.withLock { !$0.isEmpty } }

    /// Takes connections until the task is cancelled.
    func run(_ listener: Listener) async {
        await withDiscardingTaskGroup { group in
            while !Task.isCancelled {
                do {
                    let stream = try await listener.accept()
                    let peer = try stream.peer
                    guard users.contains(peer.user), enter(peer.user) else { continue }
                    group.addTask {
                        await self.serve(stream, peer)
                        self.leave(peer.user)
                    }
                } catch is CancellationError {
                    return
                } catch {
                    try? await Task.sleep(for: .milliseconds(200))
                }
            }
        }
    }

    /// Takes a place.
    ///
    /// - Returns: false when this user has no more.
    func enter(_ user: UInt32) -> Bool {
        open.withLock { open in
            guard open[user, default: 0] < Self.most else { return false }
            open[user, default: 0] += 1
            return true
        }
    }

    /// Gives a place back.
    func leave(_ user: UInt32) {
        open.withLock { open in
            let count = open[user, default: 1] - 1
            open[user] = count > 0 ? count : nil
        }
    }

    private func serve(_ stream: Stream, _ peer: UnixSocket.Peer) async {
        let alarm = Task {
            try await Task.sleep(for: .seconds(30))
            stream.shutDown()
        }
        defer { alarm.cancel() }
        do {
            let (ticket, password) = try await greeting(from: stream)
            alarm.cancel()
            let answer = await administrator.redeem(
                ticket, user: peer.user, password: password, connection: stream.descriptor)
            guard let answer else { return }
            try await stream.write(answer.bytes)
        } catch {
            // The caller is gone, or took too long.
        }
    }

    private struct Gone: Error {}

    /// Exactly the ticket and the password: what comes after them is not the service's.
    private func greeting(from stream: Stream) async throws -> (ticket: String, password: SecretBytes) {
        var head: [UInt8] = []
        while head.count < 34 {
            let more = try await stream.read(upTo: 34 - head.count)
            if more.isEmpty { throw Gone() }
            head += more
        }
        let length = Int(head[32]) << 8 | Int(head[33])
        guard length <= PasswordStore.longest else { throw Gone() }
        let password = SecretBytes(capacity: length)
        while password.count < length {
            var more = try await stream.read(upTo: length - password.count)
            if more.isEmpty { throw Gone() }
            // There is no memory that may hold a secret.
            guard password.take(&more) else { throw Gone() }
        }
        return (String(decoding: head[..<32], as: UTF8.self), password)
    }
}
