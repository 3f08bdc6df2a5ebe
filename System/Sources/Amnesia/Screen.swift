// SPDX-License-Identifier: GPL-3.0-or-later
import Linux

/// What a person sees at the end of a session: plain lines on an empty text console and on every console of the kernel.
public enum Screen {
    /// Puts an empty text console on the screen, whatever a desktop left there.
    public static func take() {
        guard let consoles = try? TextConsoles() else { return }
        // The kernel's own messages would push the words away.
        Machine.showKernelMessages(below: 1)
        if let old = try? File("/dev/tty0", .readAndWrite) { TextConsoles.showText(old) }
        if let number = try? consoles.unused(), (try? consoles.show(number)) != nil {
            let end = Machine.uptime + 1
            while (try? consoles.active()) != number, Machine.uptime < end { Machine.sleep(0.02) }
        }
        write("\u{1b}c\u{1b}[0m\u{1b}[3J\u{1b}[2J\u{1b}[H")
    }

    /// Overwrites what was on every text console, what was typed there and what was selected, and gives their memory back.
    ///
    /// - Parameter complaints: where it is told which could not be reached.
    public static func clearConsoles(_ complaints: Step.Complaints) {
        complaints.attempt { () throws(SystemCallFailure) in
            let consoles = try TextConsoles()
            let shown = try consoles.active()
            // The first console is never given back, also when nobody uses it.
            for number in Set(try consoles.inUse() + [1]).sorted() where number != shown {
                complaints.attempt { () throws(SystemCallFailure) in try clear("/dev/tty\(number)") }
            }
            // Serial lines and the like keep what was typed, too.
            for name in names where name != "tty0" {
                if let console = try? File("/dev/\(name)", .readAndWrite) { TextConsoles.forgetTyped(console) }
            }
            try consoles.freeUnused()
            complaints.attempt { () throws(SystemCallFailure) in try consoles.forgetSelection() }
            guard !FileTree.exists("/dev/fb0") else { return }
            // The text memory of old cards holds many screens, of which one is shown.
            write(String(repeating: "\r\n", count: 300) + "\u{1b}[2J\u{1b}[H")
        }
    }

    /// Blanks a console, and the buffers of its keyboard.
    private static func clear(_ path: String) throws(SystemCallFailure) {
        let console = try File(path, .readAndWrite)
        TextConsoles.silence(console)
        TextConsoles.showText(console)
        try console.write(Array("\u{1b}c\u{1b}[3J\u{1b}[2J\u{1b}[H".utf8))
        // A console answers as if the answer was typed: that overwrites what was.
        let question = String(repeating: "\u{1b}[c", count: 256)
        for _ in 0..<8 {
            try console.write(Array(question.utf8))
            TextConsoles.forgetTyped(console)
        }
    }

    /// Overwrites the pictures in the frame buffers and in the memory of graphics cards.
    ///
    /// - Parameter complaints: where it is told which could not.
    public static func clearPictures(_ complaints: Step.Complaints) {
        for name in FileTree.names(in: "/dev") where name.hasPrefix("fb") && name.dropFirst(2).allSatisfy(\.isNumber) {
            complaints.attempt { () throws(SystemCallFailure) in try clearFrameBuffer("/dev/\(name)") }
        }
        for name in FileTree.names(in: "/dev/dri") where name.hasPrefix("card") {
            clearCard("/dev/dri/\(name)")
        }
    }

    private static func clearFrameBuffer(_ path: String) throws(SystemCallFailure) {
        let device = try File(path, .readAndWrite)
        var left = try FrameBuffer.size(device)
        let zeros = [UInt8](repeating: 0, count: 1 << 20)
        while left > 0 {
            let count = Int(min(left, UInt64(zeros.count)))
            do throws(SystemCallFailure) {
                try device.write(Array(zeros[..<count]))
            } catch {
                // Some drivers tell more than they let anybody write.
                if error.number.rawValue == 28 || error.number.rawValue == 27 { return }
                throw error
            }
            left -= UInt64(count)
        }
    }

    /// Takes all memory that a card gives for pictures, and writes to it. A card that uses the computer's own memory has none: that
    /// is overwritten with the rest. A card whose driver does not offer this is passed over.
    private static func clearCard(_ path: String) {
        guard let card = try? File(path, .readAndWrite) else { return }
        let free = Machine.freeMemory
        let end = Machine.uptime + 4
        var total: UInt64 = 0
        for side: UInt32 in [2048, 512, 128] {
            while Machine.uptime < end, total < 32 << 30, Machine.freeMemory > 96 << 20,
                let picture = try? FrameBuffer.take(card, side: side)
            {
                guard let memory = Pages.take(card, at: picture.offset, count: Int(picture.count)) else { break }
                Pages.fill(memory, 0)
                Pages.giveBack(memory)
                total += picture.count
                // It came out of the computer's memory.
                let used = free - min(free, Machine.freeMemory)
                if total >= 48 << 20, used >= total / 2 { return }
            }
        }
    }

    private static func write(_ text: String) { write(Array(text.utf8)) }

    /// Writes to the console that is on the screen and to every other that the kernel uses. It may wait for a graphics driver.
    static func write(_ bytes: [UInt8]) {
        for name in names { try? File("/dev/\(name)", .writeWithoutWaiting).write(bytes) }
    }

    /// The console on the screen and every other that the kernel uses.
    private static var names: [String] {
        let active = (File.line("/sys/class/tty/console/active") ?? "").split(separator: " ").map(String.init)
        return ["tty0"] + active.filter { !($0.hasPrefix("tty") && $0.dropFirst(3).allSatisfy(\.isNumber)) }
    }
}
