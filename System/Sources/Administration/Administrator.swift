// SPDX-License-Identifier: GPL-3.0-or-later
import Linux

/// Who may have the room, and whether there is one.
actor Administrator {
    /// What administration is at this moment.
    enum State: String, Codable, Sendable {
        /// No password was chosen at the start.
        case off
        /// Nothing runs.
        case ready
        /// There is a room.
        case running
    }

    private struct Ticket {
        /// `nil` for a confirmation: the password itself is what is asked for.
        let request: CommandRequest?
        let user: UInt32
        let end: ContinuousClock.Instant
    }

    private let store: PasswordStore
    private let makeRoom: @Sendable () throws -> RoomHandle
    private let log: @Sendable (String) -> Void
    private var room: RoomHandle?
    private var tickets: [String: Ticket] = [:]
    /// Tickets whose password was right, until when somebody may ask.
    private var confirmed: [String: ContinuousClock.Instant] = [:]
    /// What is done one at a time. A room that takes long to end keeps nobody from trying a password.
    private enum Place: Hashable {
        case password
        case room
    }
    private struct Turn {
        var isBusy = false
        var waiting: [CheckedContinuation<Void, Never>] = []
    }
    private var turns: [Place: Turn] = [:]
    /// Tickets that one user may have at a time.
    private static let most = 8

    init(
        store: PasswordStore, makeRoom: @escaping @Sendable () throws -> RoomHandle,
        log: @escaping @Sendable (String) -> Void
    ) {
        self.store = store
        self.makeRoom = makeRoom
        self.log = log
    }

    var state: State { store.isSet ? room == nil ? .ready : .running : .off }

    /// Sets the password of this session.
    func setPassword(_ password: SecretBytes) async throws {
        let store = store
        try await Blocking.run { try store.set(password) }
    }

    /// Keeps a command for whoever comes with the ticket and the password.
    ///
    /// - Returns: the ticket: 32 characters, good for two minutes, for one try and for this user only; `nil` when this user has
    ///   too many. The others' are nobody's to use up: the lock of the screen needs one, too.
    func prepare(_ request: CommandRequest?, user: UInt32) throws -> String? {
        tickets = tickets.filter { $0.value.end > .now }
        guard tickets.values.count(where: { $0.user == user }) < Self.most else { return nil }
        let digits = Array("0123456789abcdef")
        let ticket = String(try Randomness.bytes(16).flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
        tickets[ticket] = Ticket(request: request, user: user, end: .now + .seconds(120))
        return ticket
    }

    /// Whether a ticket's password was right, once.
    func takeConfirmation(_ ticket: String) -> Bool {
        confirmed.removeValue(forKey: ticket).map { $0 > .now } ?? false
    }

    /// Runs a ticket's command when the password is right.
    ///
    /// - Parameters:
    ///   - ticket: from ``prepare(_:user:)``.
    ///   - user: who comes with it.
    ///   - password: what was typed.
    ///   - connection: the user's connection. The room gets a copy.
    /// - Returns: `nil` when the command runs; otherwise what the user is to be told: that the password was right and nothing was to
    ///   run, or why it does not run.
    func redeem(
        _ ticket: String, user: UInt32, password: SecretBytes, connection: Int32
    ) async -> Frame? {
        guard let known = tickets.removeValue(forKey: ticket), known.user == user, known.end > .now else {
            return Refusal.noTicket.frame()
        }
        switch await check(password, user: user) {
        case .right: break
        case .wrong:
            log("a wrong password")
            return Refusal.wrongPassword.frame()
        case .tooEarly(let seconds): return Refusal.tooManyTries.frame(seconds: seconds)
        case .off: return Refusal.off.frame()
        case .failed:
            log("the password cannot be checked")
            return Refusal.failed.frame()
        }
        guard let request = known.request else {
            confirmed = confirmed.filter { $0.value > .now }
            confirmed[ticket] = .now + .seconds(60)
            return Frame(.ended, [0])
        }
        return await run(request, connection: connection)
    }

    private func check(_ password: SecretBytes, user: UInt32) async -> PasswordStore.Answer {
        // The lock's owner does not wait behind all that a program of the session has handed in.
        await begin(.password, first: user == 0)
        defer { finish(.password) }
        let store = store
        return (try? await Blocking.run { store.check(password, user: user) }) ?? .failed
    }

    private func run(_ request: CommandRequest, connection: Int32) async -> Frame? {
        await begin(.room)
        defer { finish(.room) }
        do {
            if let room {
                do {
                    try room.run(request, connection: connection)
                    return nil
                } catch {
                    log("the room is gone: \(error)")
                    room.end()
                    self.room = nil
                }
            }
            let makeRoom = makeRoom
            let new = try await Blocking.run { try makeRoom() }
            room = new
            watch(new)
            try new.run(request, connection: connection)
            return nil
        } catch {
            log("\(error)")
            return Refusal.failed.frame()
        }
    }

    /// Ends the room with all that was installed and changed in it.
    ///
    /// - Returns: whether there was one.
    func end() async -> Bool {
        await begin(.room)
        defer { finish(.room) }
        guard let old = room else { return false }
        room = nil
        old.end()
        _ = try? await Blocking.run { old.waitForEnd() }
        return true
    }

    private func watch(_ room: RoomHandle) {
        Task {
            _ = try? await Blocking.run { room.waitForEnd() }
            if self.room === room { self.room = nil }
        }
    }

    private func begin(_ place: Place, first: Bool = false) async {
        if turns[place, default: Turn()].isBusy {
            await withCheckedContinuation { next in
                let index = first ? 0 : turns[place, default: Turn()].waiting.count
                turns[place, default: Turn()].waiting.insert(next, at: index)
            }
        }
        turns[place, default: Turn()].isBusy = true
    }

    private func finish(_ place: Place) {
        if turns[place, default: Turn()].waiting.isEmpty {
            turns[place] = nil
        } else {
            // Stays busy for the next one.
            turns[place]?.waiting.removeFirst().resume()
        }
    }
}
