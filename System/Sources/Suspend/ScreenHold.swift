// SPDX-License-Identifier: GPL-3.0-or-later
import Linux

/// What the lock needs of its console; tests have their own.
protocol LockConsole: Sendable {
    var number: Int32 { get }
    var active: Int32 { get throws(SystemCallFailure) }
    func show(_ number: Int32) throws(SystemCallFailure)
    func keepOnScreen(_ isLocked: Bool) throws(SystemCallFailure)
    func hold(_ isHeld: Bool) throws(SystemCallFailure)
    func freeScreen() throws(SystemCallFailure)
}

extension VirtualConsole: LockConsole {}

/// Puts the lock's console on the screen, keeps it there, and keeps the mark true.
///
/// Any program on another console may ask for its own one at any moment, and `VT_LOCKSWITCH` keeps whichever console is there:
/// what was asked for between the look at the screen and the lock pins the session on the screen. So it is looked at again
/// after the lock, and all the time.
struct ScreenHold<Console: LockConsole>: Sendable {
    /// The console did not come up.
    struct NotShown: Error {}

    let console: Console
    let mark: LockMark
    /// Waits; tests do not.
    var pause: @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) }

    /// How long a desktop has to put its things in order and give way.
    var patience = Duration.seconds(1)
    /// How long it is tried in all.
    var limit = Duration.seconds(4)

    /// Puts the console on the screen and locks it there.
    ///
    /// - Throws: ``NotShown`` when it could not be; then the screen is as it was, and nobody is told that it is locked.
    func take() async throws {
        mark.remove()
        let end = ContinuousClock.now + limit
        var isFirst = true
        repeat {
            defer { isFirst = false }
            try console.keepOnScreen(false)
            // Who does not give way when he is asked is not asked again.
            if !isFirst, try console.active != console.number { try? console.freeScreen() }
            // Not every kernel need have this; without it there may be some more turns.
            try? console.hold(true)
            try console.show(console.number)
            guard try await comesUp(within: isFirst ? patience : .milliseconds(50)) else { continue }
            try console.keepOnScreen(true)
            if try await stays() {
                try mark.set(console.number)
                return
            }
        } while ContinuousClock.now < end
        try? console.hold(false)
        try console.keepOnScreen(false)
        throw NotShown()
    }

    /// Looks once whether the console is on the screen, and takes the screen back when it is not.
    ///
    /// - Throws: ``NotShown``.
    func keep() async throws {
        if try console.active != console.number || !FileTree.exists(mark.path) { try await take() }
    }

    /// Keeps the screen while something is done. When it is lost, it is tried until it is back; meanwhile there is no mark, so
    /// that nobody takes the screen for locked.
    ///
    /// - Throws: what that throws; `SystemCallFailure`.
    func keep(during body: @escaping @Sendable () async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                while !Task.isCancelled {
                    do { try await keep() } catch is NotShown {}
                    try await pause(.milliseconds(50))
                }
            }
            group.addTask { try await body() }
            defer { group.cancelAll() }
            try await group.next()
        }
    }

    /// Gives the screen to another console.
    ///
    /// - Parameter number: the console.
    /// - Throws: `SystemCallFailure`.
    func leave(to number: Int32) throws(SystemCallFailure) {
        mark.remove()
        try? console.hold(false)
        try console.keepOnScreen(false)
        try console.show(number)
    }

    private func comesUp(within time: Duration) async throws -> Bool {
        let end = ContinuousClock.now + time
        repeat {
            if try console.active == console.number { return true }
            try await pause(.milliseconds(1))
        } while ContinuousClock.now < end
        return false
    }

    /// A switch that was asked for before the lock has happened by then, or never happens.
    private func stays() async throws -> Bool {
        for _ in 0..<4 {
            guard try console.active == console.number else { return false }
            try await pause(.milliseconds(20))
        }
        return try console.active == console.number
    }
}
