// SPDX-License-Identifier: GPL-3.0-or-later
import Linux
import Media

/// The end of a start that failed: a page of text, and then off. There is never a shell.
enum FailureScreen {
    static let width = 76

    /// The page as lines of at most 76 columns.
    static func lines(_ failure: BootFailure, version: String) -> [String] {
        let message = Message(failure)
        var lines = [
            "Needletail \(version)", "", message.title, String(repeating: "=", count: message.title.count), "",
        ]
        for (index, paragraph) in message.paragraphs.enumerated() {
            lines += wrapped(paragraph)
            let isList = paragraph.hasPrefix("  ")
            let isFollowedByList = index + 1 < message.paragraphs.count && message.paragraphs[index + 1].hasPrefix("  ")
            if !(isList && isFollowedByList) { lines.append("") }
        }
        let detail = failure.isDetailOnPage ? failure.code : "\(failure.code): \(failure.detail)"
        // A screen of 25 lines has to hold the title too.
        lines += wrapped(String("\(Message.details): \(detail)".prefix(280))) + ["", Message.switchOff]
        return lines
    }

    /// Breaks text at blanks; words longer than a line are cut.
    static func wrapped(_ text: String, width: Int = Self.width) -> [String] {
        let indent = String(text.prefix { $0 == " " })
        var lines: [String] = []
        var line = indent
        for whole in text.split(whereSeparator: { $0 == " " || $0.isNewline }) {
            var word = Substring(whole)
            while !word.isEmpty {
                let gap = line.count == indent.count ? 0 : 1
                if line.count + gap + word.count <= width {
                    line += (gap == 1 ? " " : "") + word
                    word = ""
                } else if gap == 1 {
                    lines.append(line)
                    line = indent
                } else {
                    let room = max(1, width - line.count)
                    lines.append(line + word.prefix(room))
                    word = word.dropFirst(room)
                    line = indent
                }
            }
        }
        return line.count == indent.count && !lines.isEmpty ? lines : lines + [line]
    }

    /// Shows a failure on every console and switches off when Enter or the power button is pressed.
    ///
    /// - Parameters:
    ///   - failure: what happened.
    ///   - version: of Needletail.
    ///   - prepareKeys: makes keyboards work.
    static func show(_ failure: BootFailure, version: String, prepareKeys: () -> Void) -> Never {
        // The kernel's later complaints about a pulled stick would push the words off the screen.
        Machine.showKernelMessages(below: 1)
        let text = "\u{1b}[0m\u{1b}[2J\u{1b}[H" + lines(failure, version: version).joined(separator: "\r\n") + "\r\n"
        Consoles.write(text)
        prepareKeys()
        Keys.waitForEnterOrPower()
        Machine.powerOff()
        // Some machines cannot switch themselves off. Process 1 must not end.
        while true { Machine.sleep(3600) }
    }
}

/// All screens that a person may be looking at.
enum Consoles {
    static func write(_ text: String) {
        for name in names { try? File("/dev/\(name)", .write).write(Array(text.utf8)) }
    }

    /// The foreground terminal and every console that the kernel uses.
    static var names: [String] {
        let active = (File.line("/sys/class/tty/console/active") ?? "").split(separator: " ").map(String.init)
        let kernel = active.map { $0.hasPrefix("tty") && $0.dropFirst(3).allSatisfy(\.isNumber) ? "tty0" : $0 }
        return ["tty0"] + kernel.filter { $0 != "tty0" }
    }
}

/// What switches off: Enter on any console, or the power button.
enum Keys {
    static func waitForEnterOrPower() {
        // What was typed before the page was there, at the boot menu for example, is not meant for it.
        let shown = Machine.uptime
        // Keyboards can be plugged in while the screen is shown, so the list is made anew every few seconds.
        while true {
            let consoles = Consoles.names.compactMap { Input(path: "/dev/\($0)") }
            let devices = FileTree.names(in: "/dev/input").filter { $0.hasPrefix("event") }
                .compactMap { Input(path: "/dev/input/\($0)") }
            let end = Machine.uptime + 3
            while Machine.uptime < end {
                let inputs = consoles + devices
                if inputs.isEmpty { Machine.sleep(1) }
                let ready = Readiness.wait(inputs.map { $0.file.descriptor }, seconds: end - Machine.uptime)
                for console in consoles where ready.contains(console.file.descriptor) {
                    let bytes = (try? console.file.read(upTo: 256)) ?? []
                    // Hung up or broken: no reason to spin.
                    if bytes.isEmpty { Machine.sleep(0.2) }
                    if Machine.uptime - shown > 1, bytes.contains(0x0a) || bytes.contains(0x0d) { return }
                }
                for device in devices where ready.contains(device.file.descriptor) {
                    guard let bytes = try? device.file.read(upTo: 24 * 64) else {
                        // Unplugged: it is left out with the next list.
                        Machine.sleep(0.2)
                        continue
                    }
                    if isPowerPressed(bytes) { return }
                }
            }
        }
    }

    /// Whether records of `struct input_event` hold a press of the power key.
    static func isPowerPressed(_ bytes: [UInt8]) -> Bool {
        stride(from: 0, to: bytes.count - 23, by: 24).contains { offset in
            // After two 64-bit words of time: EV_KEY, KEY_POWER, pressed. <linux/input-event-codes.h>
            bytes.littleEndian(at: offset + 16, as: UInt16.self) == 1
                && bytes.littleEndian(at: offset + 18, as: UInt16.self) == 116
                && bytes.littleEndian(at: offset + 20, as: Int32.self) == 1
        }
    }

    private final class Input {
        let file: File

        init?(path: String) {
            guard let file = try? File(path, .readWithoutWaiting) else { return nil }
            self.file = file
        }
    }
}
