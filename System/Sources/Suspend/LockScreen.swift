// SPDX-License-Identifier: GPL-3.0-or-later
import Administration
import Linux

/// The lock of the consoles: a console of its own that stays on the screen until the administration password is typed.
///
/// When this program ends by a fault, the console stays on the screen (the kernel keeps it), and systemd starts it again.
enum LockScreen {
    /// Locks, and returns when the right password was typed.
    ///
    /// - Returns: an exit status.
    static func run() async -> Int32 {
        // What an earlier run has left says nothing of this one.
        LockMark.system.remove()
        do {
            let console = try VirtualConsole()
            let hold = ScreenHold(console: console, mark: .system)
            TerminalProgram.ignoreKeys()
            let before = try console.active
            clear(console)
            try console.makeRaw()
            try await hold.take()
            try await hold.keep { try await guardScreen(console) }
            clear(console)
            try hold.leave(to: before == console.number ? 1 : before)
            return 0
        } catch {
            LockMark.system.remove()
            StandardError.line(
                error is ScreenHold<VirtualConsole>.NotShown ? "The lock did not come up on the screen." : "\(error)")
            return 1
        }
    }

    /// Asks until the answer is right.
    private static func guardScreen(_ console: VirtualConsole) async throws {
        var answers = LockAnswers(hasPassword: await PasswordCheck.isOn)
        console.write(answers.hasPassword ? SuspendWords.locked : SuspendWords.lockedWithoutPassword)
        console.forgetTyped()
        var typed = TypedPassword()
        while true {
            if answers.hasPassword { console.write("\r\n  \(SuspendWords.password)") }
            let line = try await line(from: console, &typed)
            guard answers.hasPassword else { return }
            let answer: PasswordCheck
            switch line {
            case .password(let secret):
                guard secret.count > 0 else { continue }
                answer = await PasswordCheck.of(secret)
            case .tooLong: answer = .wrong
            case .notKept: answer = .unavailable
            }
            switch answers.step(answer) {
            case .open: return
            case .say(let words): console.write("\r\n  \(words)")
            case .sayAndWait(let words):
                console.write("\r\n  \(words)")
                try await Task.sleep(for: .seconds(2))
            case .hideOnly: console.write(SuspendWords.lockedWithoutPassword)
            }
        }
    }

    /// What is typed up to Enter; nothing of it is shown, and what follows it is forgotten.
    private static func line(
        from console: VirtualConsole, _ typed: inout TypedPassword
    ) async throws -> TypedPassword.Line {
        while true {
            var bytes = try console.read()
            defer { SecretBytes.forget(&bytes) }
            for byte in bytes {
                if let line = typed.take(byte) { return line }
            }
            try await Task.sleep(for: .milliseconds(50))
        }
    }

    private static func clear(_ console: VirtualConsole) { console.write("\u{1b}c\u{1b}]R\u{1b}[H\u{1b}[2J\u{1b}[3J") }
}
