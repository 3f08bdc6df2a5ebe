// SPDX-License-Identifier: GPL-3.0-or-later
import CPassword
import Linux

/// The password of administration as it is kept: a hash in a file in memory that is the service's own account's, until the
/// computer is switched off.
///
/// libxcrypt's yescrypt with its own cost, which guards every login of Debian: kept well, hard to compute in parallel, and no
/// code of ours. A try takes 16 MiB and a fraction of a second.
struct PasswordStore: Sendable {
    /// The longest password in bytes; libxcrypt's own limit is 511.
    static let longest = 500
    /// Where the service keeps what it must not forget while nobody needs it. Mode 0700, its own account's.
    static let folder = "/run/needletail/administration"

    /// The folder of this store.
    let folder: String

    private var path: String { "\(folder)/password" }

    /// The lock of the screen, which asks as root, is counted apart: or wrong tries of a program of the session would keep the
    /// owner out of it. Each has its own pauses, so that neither way is a way to guess.
    private func triesPath(_ user: UInt32) -> String { user == 0 ? "\(folder)/tries-lock" : "\(folder)/tries" }

    /// A password cannot be set.
    enum Failure: Error, Hashable {
        case alreadySet
        case notUsable
        case system(SystemCallFailure)
    }

    /// Whether a password was chosen at the start. What cannot be known is no "no": that would open the lock.
    var isSet: Bool {
        do {
            _ = try FileTree.status(path)
            return true
        } catch {
            return error.number != .noEntry
        }
    }

    /// Sets the password, once.
    func set(_ password: SecretBytes) throws(Failure) {
        guard Self.isUsable(password) else { throw .notUsable }
        do {
            let random = try Randomness.bytes(16)
            var hash = [CChar](repeating: 0, count: 512)
            let length = password.withCString { text in
                random.withUnsafeBytes {
                    cpassword_hash(text, $0.baseAddress?.assumingMemoryBound(to: CChar.self), 16, &hash, hash.count)
                }
            }
            guard length > 0 else { throw Failure.notUsable }
            try File.makeWhole(path, mode: 0o600, hash.prefix(Int(length)).map { UInt8(bitPattern: $0) })
        } catch let error as SystemCallFailure {
            throw error.number == .exists ? .alreadySet : .system(error)
        } catch {
            throw .notUsable
        }
    }

    /// What comes of a try.
    enum Answer: Hashable, Sendable {
        case right
        case wrong
        /// Not looked at: wait for so many seconds.
        case tooEarly(Int)
        /// No password was chosen.
        case off
        /// Nobody can tell at the moment.
        case failed
    }

    /// Tries a password. Waits for nothing; the next try may have to.
    ///
    /// - Parameters:
    ///   - password: what was typed.
    ///   - user: who tries.
    ///   - now: seconds since the kernel started.
    /// - Returns: whether it was right, or why it was not even compared.
    func check(_ password: SecretBytes, user: UInt32, now: Double = Machine.uptime) -> Answer {
        let hash: [UInt8]
        do {
            hash = try File(path).readAll(limit: 512)
        } catch {
            return error.number == .noEntry ? .off : .failed
        }
        guard !hash.isEmpty else { return .failed }
        let tries = tries(user)
        if tries.count > 0, now < tries.last + Self.pause(after: tries.count) {
            return .tooEarly(Int((tries.last + Self.pause(after: tries.count) - now).rounded(.up)))
        }
        // Counted before it is looked at: who kills the service meanwhile wins nothing.
        guard record(Tries(count: tries.count + 1, last: now), user) else { return .failed }
        let text = String(decoding: hash, as: UTF8.self)
        let result = Self.isUsable(password) ? password.withCString { cpassword_check($0, text) } : 0
        // Below zero: no memory, or no hash. The password may be right.
        guard result >= 0 else { return .failed }
        guard result == 1 else { return .wrong }
        record(Tries(count: 0, last: 0), user)
        return .right
    }

    /// How long after so many wrong tries the next one is not looked at, in seconds: 1, 1, 2, 4, 8 … up to 10 minutes.
    static func pause(after wrong: Int) -> Double {
        wrong <= 2 ? 1 : Double(min(1 << min(wrong - 2, 20), 600))
    }

    // MARK: Tries

    private struct Tries {
        var count: Int
        var last: Double
    }

    private func tries(_ user: UInt32) -> Tries {
        guard let text = File.line(triesPath(user)) else { return Tries(count: 0, last: 0) }
        let words = text.split(separator: " ")
        guard words.count == 2, let count = Int(words[0]), let last = Double(words[1]), count >= 0 else {
            return Tries(count: 0, last: 0)
        }
        return Tries(count: min(count, 1_000_000), last: last)
    }

    @discardableResult
    private func record(_ tries: Tries, _ user: UInt32) -> Bool {
        let line = Array("\(tries.count) \(tries.last)\n".utf8)
        return (try? File.replace(triesPath(user), mode: 0o600, line)) != nil
    }

    private static func isUsable(_ password: SecretBytes) -> Bool {
        (1...longest).contains(password.count) && !password.holdsZero
    }
}
