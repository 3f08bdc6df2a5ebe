// SPDX-License-Identifier: GPL-3.0-or-later
import Linux

/// The question for a password before the first login, on the console.
struct PasswordQuestion {
    let store: PasswordStore

    /// Asks twice on standard input, without showing what is typed. No password means no administration.
    ///
    /// - Returns: an exit status.
    func ask() -> Int32 {
        guard !store.isSet else { return 0 }
        let before = try? Terminal.makeSilent(0)
        defer { if let before { Terminal.restore(0, before) } }
        say(AdministrationWords.choose)
        for _ in 0..<5 {
            say(AdministrationWords.first)
            guard let first = Self.line(from: 0) else {
                say(AdministrationWords.notUsable)
                continue
            }
            guard first.count > 0 else {
                say(AdministrationWords.chosenNone)
                return 0
            }
            say(AdministrationWords.second)
            guard let second = Self.line(from: 0),
                first.withBytes({ one in second.withBytes { one.elementsEqual($0) } })
            else {
                say(AdministrationWords.different)
                continue
            }
            do {
                try store.set(first)
                say(AdministrationWords.chosen)
                return 0
            } catch .notUsable {
                say(AdministrationWords.notUsable)
            } catch .alreadySet {
                return 0
            } catch {
                say(AdministrationWords.notKept)
                return 1
            }
        }
        say(AdministrationWords.chosenNone)
        return 0
    }

    private func say(_ text: String) { _ = try? Descriptor.write(Array(text.utf8)[...], to: 1) }

    /// Reads a line, a byte at a time so that nothing after it is taken.
    ///
    /// - Returns: the line without its end; `nil` when there is none, or it is too long.
    static func line(from descriptor: Int32) -> SecretBytes? {
        let line = SecretBytes(capacity: PasswordStore.longest)
        var isTooLong = false
        while var byte = try? Descriptor.read(descriptor, upTo: 1) {
            if byte.isEmpty { return line.count > 0 && !isTooLong ? line : nil }
            if byte[0] == 0x0a || byte[0] == 0x0d { return isTooLong ? nil : line }
            if !line.take(&byte) { isTooLong = true }
        }
        return nil
    }
}
