// SPDX-License-Identifier: GPL-3.0-or-later
import Administration
import Linux

/// A password while it is typed.
struct TypedPassword {
    /// What was typed up to Enter.
    enum Line {
        case password(SecretBytes)
        /// More than a password can have: it is wrong, also when it begins with the right one.
        case tooLong
        /// There is no memory that may hold a secret.
        case notKept
    }

    /// The most bytes of a password.
    static let longest = 500

    private var secret = SecretBytes(capacity: longest)
    private var isTooLong = false

    /// Takes a byte that was typed.
    ///
    /// - Returns: the whole line when the byte was its end; nothing is kept of it here.
    mutating func take(_ byte: UInt8) -> Line? {
        switch byte {
        case 0x0a, 0x0d:
            defer { self = TypedPassword() }
            if secret.capacity < Self.longest { return .notKept }
            return isTooLong ? .tooLong : .password(secret)
        // Ctrl-U, Backspace and Escape begin anew: a secret is not taken apart.
        case 0x15, 0x08, 0x7f, 0x1b: self = TypedPassword()
        default:
            var one = [byte]
            if !secret.take(&one) { isTooLong = true }
        }
        return nil
    }
}

/// What the lock does with what it is told.
struct LockAnswers {
    /// What follows.
    enum Step: Hashable {
        case open
        /// Ask again.
        case say(String)
        /// Ask again after a moment.
        case sayAndWait(String)
        /// From now on Enter is enough.
        case hideOnly
    }

    /// Whether a password was chosen, as far as it was known when the lock began.
    private let began: Bool?
    /// Whether a password is asked for. Not known is not off: then it is asked for until somebody can tell.
    private(set) var hasPassword: Bool

    init(hasPassword: Bool?) {
        began = hasPassword
        self.hasPassword = hasPassword ?? true
    }

    /// Decides.
    mutating func step(_ answer: PasswordCheck) -> Step {
        switch answer {
        case .right: return .open
        case .wrong: return .say(SuspendWords.wrong)
        case .tooEarly(let seconds): return .say(SuspendWords.wait(seconds))
        // A password does not go away during a session: then something is broken, and that opens nothing.
        case .off where began == true: return .sayAndWait(SuspendWords.unavailable)
        case .off:
            hasPassword = false
            return .hideOnly
        case .unavailable: return .sayAndWait(SuspendWords.unavailable)
        }
    }
}
