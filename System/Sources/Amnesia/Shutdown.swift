// SPDX-License-Identifier: GPL-3.0-or-later
import Linux

/// The program at `/run/initramfs/shutdown`, into which systemd-shutdown(8) returns as process 1 with the system's file tree at
/// `/oldroot`.
public enum Shutdown {
    /// Ends the session, erases the memory and stops the computer.
    ///
    /// - Parameter arguments: those of this process without its name: the verb, and options of systemd's.
    public static func run(arguments: [String]) -> Never {
        // Nothing interrupts this: no key, no signal, no lack of memory.
        Program.blockSignals()
        Machine.disableRestartKeys()
        try? File.write("-1000\n", to: "/proc/self/oom_score_adj")
        try? Program.changeDirectory("/")
        Program.closeDescriptors(from: 3)
        let command = command(arguments)

        let screen = ScreenWriter()
        var said = Said(screen: screen)
        said.line(Words.title)
        var isDone = true
        Teardown.perform(Teardown.steps(keeping: Set([screen.process].compactMap(\.self)))) { step in
            screen.progress("\(step.words) ...")
            // Steps that clear screens come after the words.
            screen.settle(seconds: 0.2)
        } after: { step, outcome in
            // All that is left without a parent is this process's.
            while Processes.ended() != nil {}
            // Clearing screens took the words from them as well.
            if step.name == "pictures" { said.again() }
            if outcome.isDone {
                // In the order of the steps: from here on nothing is read from the medium.
                if step.name == "devices" { said.line(Words.stickFree) }
            } else {
                isDone = false
                said.line(Words.failed(outcome, words: step.words))
                for complaint in outcome.complaints.prefix(5) { said.line("  \(complaint)") }
            }
        }

        var shown = -1
        let report = MemoryWipe.run { progress in
            guard progress.percent != shown else { return }
            shown = progress.percent
            screen.progress(Words.erasing(percent: shown))
        }
        said.line(Words.erased(report))
        if !report.isComplete { said.line(Words.incomplete) }
        if report.wrong > 0 { said.line(Words.wrong(report.wrong)) }
        isDone = isDone && report.isComplete && report.wrong == 0

        said.line(isDone ? Words.allDone : Words.notAllDone)
        if !isDone {
            said.line(Words.notAllDoneMore)
            // Time for reading it.
            Machine.sleep(8)
        }
        stop(command, screen)
    }

    /// What a verb of systemd's means. Whatever it does not know switches off.
    ///
    /// - Parameter arguments: the verb, with options of systemd-shutdown(8) before or behind it; their values are no verbs.
    /// - Returns: how the computer stops.
    public static func command(_ arguments: [String]) -> PowerCommand {
        switch arguments.last(where: { ["poweroff", "reboot", "halt", "kexec"].contains($0) }) {
        case "reboot": .restart
        case "halt": .halt
        case "kexec": .kernel
        default: .powerOff
        }
    }

    /// Stops the computer, in one way or another.
    private static func stop(_ command: PowerCommand, _ screen: ScreenWriter) -> Never {
        screen.line(Words.last(command))
        if command != .halt {
            // These words, too, would stay in the memory of the card. Its driver takes a moment to bring it there.
            screen.clear()
            screen.settle(seconds: 1)
            // The kernel says that it switches off, as loud as it can.
            try? File.write("0\n", to: "/proc/sys/kernel/printk")
            Machine.sleep(0.1)
        }
        let hasReturned = hasReturned(command)
        if command != .halt {
            try? File.write(command == .powerOff && hasReturned ? "o" : "b", to: "/proc/sysrq-trigger")
        }
        Machine.sleep(5)
        screen.line(Words.doesNotStop)
        while true { Machine.sleep(3600) }
    }

    /// Asks the kernel to stop, in a process of its own: it waits for every disk, also for one that does not answer any more, and it
    /// ends the process that asked when it has no way to switch off.
    ///
    /// - Returns: whether it came back, within a minute; all is erased by then.
    private static func hasReturned(_ command: PowerCommand) -> Bool {
        func ask() {
            _ = Machine.stop(command)
            // No other kernel was loaded: there never is one.
            if command == .kernel { _ = Machine.stop(.restart) }
        }
        guard let child = try? Processes.fork() else {
            ask()
            return true
        }
        if child == 0 {
            ask()
            Program.exitAtOnce(1)
        }
        let end = Machine.uptime + 60
        while Machine.uptime < end {
            if Processes.ended(child) != nil { return true }
            Machine.sleep(0.05)
        }
        return false
    }
}

/// The lines that stay on the screen until the end.
private struct Said {
    let screen: ScreenWriter
    private var lines: [String] = []

    init(screen: ScreenWriter) { self.screen = screen }

    mutating func line(_ text: String) {
        lines.append(text)
        screen.line(text)
    }

    func again() {
        screen.clear()
        for line in lines { screen.line(line) }
    }
}
