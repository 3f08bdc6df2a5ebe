// SPDX-License-Identifier: GPL-3.0-or-later
import Linux
import Walls

/// Talks to who asks for the firewall to be opened, and holds it open as long as the connection is there: when the asker ends, for
/// whatever reason, the kernel ends the connection, and all is closed.
struct Gate {
    /// Seconds, for tests to shorten.
    struct Times: Sendable {
        /// For the first word.
        var patience = 5.0
        /// Between a change in the network and a look at it: changes come in swarms, and the lease is there a moment later.
        var settling = 0.3
        /// Between looks while there is no name server.
        var retry = 2.0
        /// Between looks otherwise: a lease may change without a change of addresses.
        var look = 60.0
    }

    private var opening: Opening
    private let asker: UInt32
    private let changes: Int32
    private let times: Times
    private let log: @Sendable (String) -> Void

    /// - Parameters:
    ///   - world: what is around.
    ///   - asker: the account that may ask.
    ///   - changes: a descriptor that can be read when the network has changed; stays open.
    ///   - times: seconds.
    init(_ world: Opening.World, asker: UInt32, changes: Int32, times: Times = Times()) {
        opening = Opening(world)
        self.asker = asker
        self.changes = changes
        self.times = times
        log = world.log
    }

    /// Closes.
    ///
    /// - Returns: whether all is closed.
    mutating func shut() -> Bool { opening.close() == .closed }

    /// Serves one connection to its end, which leaves all closed.
    ///
    /// - Parameter connection: a stream socket that does not block; stays open.
    /// - Returns: whether all is closed.
    mutating func serve(_ connection: Int32) -> Bool {
        guard let peer = try? UnixSocket.peer(of: connection), peer.user == asker else {
            log("somebody else has asked: refused")
            return true
        }
        talk(connection)
        return shut()
    }

    private mutating func talk(_ connection: Int32) {
        var held: TransportGate.Answer?
        var text: [UInt8] = []
        var next = Machine.uptime + times.patience
        while true {
            let ready = Polling.wait(
                reading: held == nil ? [connection] : [connection, changes], seconds: next - Machine.uptime
            ).reading
            if ready.contains(connection) {
                // A word is short; more than a few at once are no conversation.
                guard let bytes = read(connection), !bytes.isEmpty, text.count + bytes.count <= 64 else { return }
                text += bytes
                while let end = text.firstIndex(of: UInt8(ascii: "\n")) {
                    let word = String(decoding: text[..<end], as: UTF8.self)
                    text.removeSubrange(...end)
                    switch TransportGate.Request(rawValue: word) {
                    case .open:
                        let answer = held ?? opening.refresh()
                        guard say(answer, to: connection), answer != .failed else { return }
                        held = answer
                        next = nextLook(after: answer)
                    case .close:
                        _ = say(opening.close(), to: connection)
                        return
                    case nil:
                        log("an unknown word: refused")
                        return
                    }
                }
                continue
            }
            if ready.contains(changes) {
                drain()
                next = min(next, Machine.uptime + times.settling)
                // Whatever comes meanwhile is part of the same change.
                while Machine.uptime < next,
                    Polling.wait(reading: [connection], seconds: next - Machine.uptime).reading.isEmpty
                {}
                drain()
            } else if Machine.uptime < next {
                continue
            }
            guard let before = held else { return }
            let answer = opening.refresh()
            if answer != before { guard say(answer, to: connection), answer != .failed else { return } }
            held = answer
            next = nextLook(after: answer)
        }
    }

    private func nextLook(after answer: TransportGate.Answer) -> Double {
        Machine.uptime + (answer == .open ? times.look : times.retry)
    }

    /// - Returns: none at the end; `nil` when the connection is broken, or there is nothing after all.
    private func read(_ connection: Int32) -> [UInt8]? { try? UnixSocket.read(connection, upTo: 64) }

    /// - Returns: whether it was said.
    private func say(_ answer: TransportGate.Answer, to connection: Int32) -> Bool {
        let line = Array("\(answer.rawValue)\n".utf8)
        return (try? UnixSocket.write(line[...], to: connection)) == line.count
    }

    /// What is in the messages does not matter; that some were lost (ENOBUFS) neither.
    private func drain() {
        for _ in 0..<1000 {
            guard let bytes = try? UnixSocket.read(changes, upTo: 16_384), !bytes.isEmpty else { return }
        }
    }
}
