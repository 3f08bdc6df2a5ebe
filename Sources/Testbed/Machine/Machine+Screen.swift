// SPDX-License-Identifier: GPL-3.0-or-later
import Foundation
import SystemPackage

extension Machine {
    /// Photographs the screen.
    ///
    /// - Parameter path: The PNG file; `screen-<number>.png` in the machine's folder when `nil`.
    /// - Returns: The file.
    /// - Throws: `MachineFailure` when the machine has ended or cannot write there.
    @discardableResult
    public func screenshot(to path: FilePath? = nil) async throws -> FilePath {
        let number = pictures.withLock { count in
            count += 1
            return count
        }
        let path = path ?? folder.appending("screen-\(number).png")
        let file = path.absolute
        try await execute("screendump", ["filename": .string(file.string), "format": "png"])
        return file
    }

    /// The text on the screen while the guest uses VGA's text mode (BIOS, its boot menu, a kernel without a graphical
    /// console): 25 lines of 80 characters without spaces at their ends. Elsewhere it means nothing: take a picture.
    ///
    /// - Throws: `MachineFailure` when the machine has ended.
    public func screenText() async throws -> [String] {
        let path = folder.appending("screen.text")
        defer { try? FileManager.default.removeItem(atPath: path.string) }
        // Character and colour by turns.
        let bytes: JSONValue = ["val": 0xB8000, "size": 4000, "filename": .string(path.string)]
        try await execute("pmemsave", bytes)
        let data = [UInt8]((try? Data(contentsOf: URL(fileURLWithPath: path.string))) ?? Data())
        return stride(from: 0, to: data.count - 159, by: 160).map { start in
            let line = stride(from: start, to: start + 160, by: 2).map { (32..<127).contains(data[$0]) ? data[$0] : 32 }
            let text = String(decoding: line, as: UTF8.self)
            return String(text.reversed().drop { $0 == " " }.reversed())
        }
    }

    /// Waits until the screen, in VGA's text mode, shows a text.
    ///
    /// - Throws: `MachineFailure` when it does not come, with the screen's text and a picture.
    public func wait(forScreenText text: String, within timeout: Duration) async throws {
        let found = try await poll(for: timeout, every: .milliseconds(200)) {
            try await screenText().contains { $0.contains(text) } ? true : nil
        }
        guard found == nil else { return }
        throw MachineFailure(
            .timedOut, "The screen did not show '\(text)' within \(timeout).",
            lastLines: (try? await screenText().filter { !$0.isEmpty }) ?? [], screenshot: try? await screenshot())
    }

    /// Presses keys together and lets go of them.
    ///
    /// - Parameter keys: QEMU's names for them: `a`, `ret`, `esc`, `f12`, `ctrl`, `alt`, `delete` …
    /// - Throws: `MachineFailure` when QEMU knows no such key.
    public func sendKeys(_ keys: [String]) async throws {
        let values = keys.map { JSONValue.object(["type": "qcode", "data": .string($0)]) }
        try await execute("send-key", ["keys": .array(values)])
        // send-key lets go after 100 ms by itself; the next press must not come before.
        try await Task.sleep(for: .milliseconds(120))
    }

    /// Types a text on the guest's keyboard, which it has to take for an American one. A newline is the Enter key.
    ///
    /// - Throws: `MachineFailure` for a character that such a keyboard has not; nothing is typed then.
    public func type(_ text: String) async throws {
        var strokes: [[String]] = []
        for character in text {
            guard let keys = Keyboard.keys(for: character) else {
                throw MachineFailure(.badText, "'\(character)' is not on an American keyboard. Type something else.")
            }
            strokes.append(keys)
        }
        for keys in strokes { try await sendKeys(keys) }
    }
}

/// The American keyboard.
enum Keyboard {
    private static let plain: [Character: String] = [
        " ": "spc", "\n": "ret", "\t": "tab", "-": "minus", "=": "equal", "[": "bracket_left", "]": "bracket_right",
        ";": "semicolon", "'": "apostrophe", "`": "grave_accent", "\\": "backslash", ",": "comma", ".": "dot",
        "/": "slash",
    ]
    private static let shifted: [Character: String] = [
        "_": "minus", "+": "equal", "{": "bracket_left", "}": "bracket_right", ":": "semicolon", "\"": "apostrophe",
        "~": "grave_accent", "|": "backslash", "<": "comma", ">": "dot", "?": "slash", "!": "1", "@": "2", "#": "3",
        "$": "4", "%": "5", "^": "6", "&": "7", "*": "8", "(": "9", ")": "0",
    ]

    /// The keys that are pressed together for a character, by QEMU's names.
    static func keys(for character: Character) -> [String]? {
        if let key = plain[character] { return [key] }
        if let key = shifted[character] { return ["shift", key] }
        guard character.isASCII, character.isLetter || character.isNumber else { return nil }
        return character.isUppercase ? ["shift", character.lowercased()] : [String(character)]
    }
}
