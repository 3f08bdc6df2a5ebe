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

        Screen.take()
        var said = Said()
        said.line(Words.title)
        var isDone = true
        Teardown.perform(Teardown.steps) { step in
            Screen.progress("\(step.words) ...")
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
            Screen.progress(Words.erasing(percent: shown))
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
        stop(command)
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
    ///
    /// - Parameter command: how.
    public static func stop(_ command: PowerCommand) -> Never {
        Screen.line(Words.last(command))
        if command != .halt {
            // These words, too, would stay in the memory of the card. Its driver takes a moment to bring it there.
            Screen.clear()
            // The kernel says that it switches off, as loud as it can.
            try? File.write("0\n", to: "/proc/sys/kernel/printk")
            Machine.sleep(0.1)
        }
        _ = Machine.stop(command)
        // No other kernel was loaded: there never is one.
        if command == .kernel { _ = Machine.stop(.restart) }
        try? File.write(command == .powerOff ? "o" : "b", to: "/proc/sysrq-trigger")
        Machine.sleep(5)
        Screen.line(Words.doesNotStop)
        while true { Machine.sleep(3600) }
    }
}

/// The lines that stay on the screen until the end.
private struct Said {
    private var lines: [String] = []

    mutating func line(_ text: String) {
        lines.append(text)
        Screen.line(text)
    }

    func again() {
        Screen.clear()
        for line in lines { Screen.line(line) }
    }
}
