// SPDX-License-Identifier: GPL-3.0-or-later
import Administration
import Foundation
import Linux
import Synchronization
import Testing

@testable import Suspend

@Suite("The lock")
struct LockTests {
    /// A screen that behaves as the kernel's, with a program of the session on console 1.
    final class Screen: LockConsole {
        struct State {
            var active: Int32 = 1
            var isKept = false
            var isHeld = false
            var isGraphic = false
            /// How often the session's program gets its console back when the lock has just looked.
            var thefts = 0
            /// The same whatever the lock does.
            var isStolenForEver = false
            var switches = 0
            var frees = 0
            /// Moments at which the mark said what was not true.
            var lies = 0
        }
        let number: Int32 = 10
        let state = Mutex(State())
        let mark: LockMark

        init(_ mark: LockMark) {
            self.mark = mark
            state.withLock { tell($0) }
        }

        private func tell(_ state: State) {
            try? File.replace(mark.screen, mode: 0o600, Array("tty\(state.active)\n".utf8))
        }
        private func change(_ body: (inout State) -> Void) {
            state.withLock { state in
                body(&state)
                tell(state)
            }
        }

        var active: Int32 { state.withLock { $0.active } }
        func show(_ number: Int32) {
            change { state in
                if state.isKept || state.isGraphic { return }
                state.active = number
                state.switches += 1
            }
        }
        func keepOnScreen(_ isLocked: Bool) {
            change { state in
                // What was asked for just before.
                if isLocked, state.thefts > 0 || state.isStolenForEver {
                    state.thefts -= 1
                    state.active = 1
                }
                state.isKept = isLocked
            }
        }
        func hold(_ isHeld: Bool) { state.withLock { $0.isHeld = isHeld } }
        func freeScreen() {
            state.withLock { state in
                state.isGraphic = false
                state.frees += 1
            }
        }
        /// The session's console comes up whatever was said before.
        func steal() { change { $0.active = 1 } }

        func pause(_: Duration) async throws {
            state.withLock { state in
                if FileTree.exists(mark.path), state.active != number || !state.isKept { state.lies += 1 }
            }
            await Task.yield()
        }
    }

    private func with(_ body: (Screen, ScreenHold<Screen>, LockMark) async throws -> Void) async throws {
        let folder = "/tmp/lock-\(UUID().uuidString.prefix(8))"
        try FileTree.makeDirectory(folder)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let mark = LockMark(path: "\(folder)/locked", screen: "\(folder)/active")
        let screen = Screen(mark)
        let hold = ScreenHold(
            console: screen, mark: mark, pause: screen.pause, patience: .milliseconds(5), limit: .milliseconds(300))
        try await body(screen, hold, mark)
    }

    @Test("the console comes up and stays, and then the mark says so")
    func comesUp() async throws {
        try await with { screen, hold, mark in
            #expect(!mark.isTrue)
            try await hold.take()
            let state = screen.state.withLock { $0 }
            #expect(state.active == 10 && state.isKept && state.isHeld && state.lies == 0)
            // A desktop that gives way is not reset.
            #expect(state.frees == 0 && state.switches == 1)
            #expect(mark.isTrue)
            try hold.leave(to: 1)
            let after = screen.state.withLock { $0 }
            #expect(after.active == 1 && !after.isKept && !after.isHeld)
            #expect(!mark.isTrue && !FileTree.exists(mark.path))
        }
    }

    @Test("a program that gets its console back at the moment of the lock does not keep it", arguments: [1, 5])
    func stolenAtTheLock(thefts: Int) async throws {
        try await with { screen, hold, mark in
            screen.state.withLock { $0.thefts = thefts }
            try await hold.take()
            let state = screen.state.withLock { $0 }
            #expect(state.active == 10 && state.isKept && state.lies == 0)
            #expect(mark.isTrue)
        }
    }

    @Test("a console that is taken away later is taken back, and meanwhile nobody takes the screen for locked")
    func stolenLater() async throws {
        try await with { screen, hold, mark in
            try await hold.keep {
                for _ in 0..<200 where !mark.isTrue { try await Task.sleep(for: .milliseconds(10)) }
                #expect(mark.isTrue)
                screen.steal()
                // Also before anybody has noticed.
                #expect(!mark.isTrue)
                for _ in 0..<200 where !mark.isTrue { try await Task.sleep(for: .milliseconds(10)) }
                #expect(mark.isTrue && screen.active == 10)
            }
        }
    }

    @Test("a mark that is gone comes back only with the lock")
    func markGone() async throws {
        try await with { screen, hold, mark in
            try await hold.take()
            mark.remove()
            screen.state.withLock { $0.isKept = false }
            try await hold.keep()
            #expect(mark.isTrue && screen.state.withLock { $0.isKept && $0.lies == 0 })
        }
    }

    @Test("graphics that nobody ends are ended")
    func graphics() async throws {
        try await with { screen, hold, mark in
            screen.state.withLock { $0.isGraphic = true }
            try await hold.take()
            #expect(mark.isTrue && screen.state.withLock { $0.frees == 1 })
        }
    }

    @Test("what cannot be taken is not called locked, and is not pinned on the screen")
    func never() async throws {
        try await with { screen, hold, mark in
            screen.state.withLock { $0.isStolenForEver = true }
            await #expect(throws: ScreenHold<Screen>.NotShown.self) { try await hold.take() }
            let state = screen.state.withLock { $0 }
            #expect(!state.isKept && !state.isHeld && state.lies == 0)
            #expect(!FileTree.exists(mark.path))
        }
    }

    // MARK: What is typed

    private func type(_ bytes: [UInt8]) -> TypedPassword.Line? {
        var typed = TypedPassword()
        for byte in bytes.dropLast() { #expect(typed.take(byte) == nil) }
        return bytes.last.flatMap { typed.take($0) }
    }

    @Test("what is longer than a password can be is wrong, also when it begins with the right one")
    func tooLong() {
        let longest = [UInt8](repeating: 0x78, count: TypedPassword.longest)
        guard case .password(let secret)? = type(longest + [0x0a]) else {
            Issue.record("The longest password was not taken.")
            return
        }
        #expect(secret.withBytes { $0.elementsEqual(longest) })
        guard case .tooLong? = type(longest + [0x79, 0x0a]) else {
            Issue.record("A byte more was dropped.")
            return
        }
    }

    @Test(
        "Backspace, Escape and Ctrl-U begin anew, also after too much", arguments: [0x15, 0x08, 0x7f, 0x1b] as [UInt8])
    func anew(key: UInt8) {
        let tooMuch = [UInt8](repeating: 0x78, count: 600)
        guard case .password(let secret)? = type(tooMuch + [key, 0x61, 0x0d]) else {
            Issue.record("It was not taken.")
            return
        }
        #expect(secret.withBytes { $0.elementsEqual([0x61]) })
    }

    // MARK: Answers

    @Test("a lock that began with a password opens for that only, also when the service says that there is none")
    func noFailingOpen() {
        var answers = LockAnswers(hasPassword: true)
        for answer in [PasswordCheck.off, .unavailable] {
            #expect(answers.step(answer) == .sayAndWait(SuspendWords.unavailable))
            #expect(answers.hasPassword)
        }
        #expect(answers.step(.wrong) == .say(SuspendWords.wrong))
        #expect(answers.step(.tooEarly(3)) == .say(SuspendWords.wait(3)))
        #expect(answers.step(.right) == .open)
    }

    @Test("who has chosen no password is not locked out because the service was late to say so")
    func lateToSay() {
        var answers = LockAnswers(hasPassword: nil)
        #expect(answers.hasPassword)
        #expect(answers.step(.unavailable) == .sayAndWait(SuspendWords.unavailable) && answers.hasPassword)
        #expect(answers.step(.off) == .hideOnly && !answers.hasPassword)
        #expect(!LockAnswers(hasPassword: false).hasPassword)
    }
}
