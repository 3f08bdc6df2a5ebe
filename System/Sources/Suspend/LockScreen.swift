// SPDX-License-Identifier: GPL-3.0-or-later
import Administration
import Linux

/// The lock of the consoles: a console of its own that stays on the screen until the administration password is typed.
///
/// When this program ends by a fault, the console stays on the screen (the kernel keeps it), and systemd starts it again.
enum LockScreen {
    /// Is there while the screen is locked.
    static let mark = "/run/needletail/locked"
    /// The most bytes of a password; what is longer is wrong.
    private static let longest = 500

    /// Locks, and returns when the right password was typed.
    ///
    /// - Returns: an exit status.
    static func run() async -> Int32 {
        do {
            let console = try VirtualConsole()
            TerminalProgram.ignoreKeys()
            let before = try console.active
            clear(console)
            try console.makeRaw()
            try console.show(console.number)
            var isShown = false
            for _ in 0..<60 where !isShown {
                isShown = try console.active == console.number
                if !isShown { try await Task.sleep(for: .milliseconds(50)) }
            }
            guard isShown else {
                StandardError.line("The lock did not come up on the screen.")
                return 1
            }
            try console.keepOnScreen(true)
            try File(mark, .create(mode: 0o644)).write([])
            try await guardScreen(console)
            try? FileTree.remove(mark)
            clear(console)
            try console.keepOnScreen(false)
            try console.show(before == console.number ? 1 : before)
            return 0
        } catch {
            StandardError.line("\(error)")
            return 1
        }
    }

    /// Asks until the answer is right.
    private static func guardScreen(_ console: VirtualConsole) async throws {
        // Not known is not off: then a password is asked for until somebody can tell.
        var hasPassword = await PasswordCheck.isOn ?? true
        console.write(hasPassword ? SuspendWords.locked : SuspendWords.lockedWithoutPassword)
        console.forgetTyped()
        while true {
            if hasPassword { console.write("\r\n  \(SuspendWords.password)") }
            let typed = try await line(from: console)
            guard hasPassword else { return }
            guard typed.count > 0 else { continue }
            switch await PasswordCheck.of(typed) {
            case .right: return
            case .wrong: console.write("\r\n  \(SuspendWords.wrong)")
            case .tooEarly(let seconds): console.write("\r\n  \(SuspendWords.wait(seconds))")
            case .off:
                hasPassword = false
                console.write(SuspendWords.lockedWithoutPassword)
            case .unavailable:
                console.write("\r\n  \(SuspendWords.unavailable)")
                try await Task.sleep(for: .seconds(2))
            }
        }
    }

    /// What is typed up to Enter; nothing of it is shown.
    private static func line(from console: VirtualConsole) async throws -> SecretBytes {
        var line = SecretBytes(capacity: longest)
        while true {
            var bytes = try console.read()
            defer { SecretBytes.forget(&bytes) }
            for byte in bytes {
                switch byte {
                case 0x0a, 0x0d: return line
                // Ctrl-U, Backspace and Escape begin anew: a secret is not taken apart.
                case 0x15, 0x08, 0x7f, 0x1b: line = SecretBytes(capacity: longest)
                default:
                    var one = [byte]
                    line.take(&one)
                }
            }
            try await Task.sleep(for: .milliseconds(50))
        }
    }

    private static func clear(_ console: VirtualConsole) { console.write("\u{1b}c\u{1b}]R\u{1b}[H\u{1b}[2J\u{1b}[3J") }
}
