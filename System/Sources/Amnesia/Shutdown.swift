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
        Screen.line(Words.title)
        var isDone = true
        Teardown.perform(Teardown.steps) { step in
            Screen.progress("\(step.words) ...")
        } after: { step, outcome in
            if outcome.isDone {
                // In the order of the steps: from here on nothing is read from the medium.
                if step.name == "devices" { Screen.line(Words.stickFree) }
            } else {
                isDone = false
                Screen.line(Words.failed(outcome, words: step.words))
                for complaint in outcome.complaints.prefix(6) { Screen.line("  \(complaint)") }
            }
        }

        var shown = -1
        let report = MemoryWipe.run { progress in
            guard progress.percent != shown else { return }
            shown = progress.percent
            Screen.progress(Words.erasing(percent: shown))
        }
        Screen.line(Words.erased(report))
        if !report.isComplete { Screen.line(Words.incomplete) }
        if report.wrong > 0 { Screen.line(Words.wrong(report.wrong)) }
        isDone = isDone && report.isComplete && report.wrong == 0

        Screen.line(isDone ? Words.allDone : Words.notAllDone)
        if !isDone {
            Screen.line(Words.notAllDoneMore)
            // Time for reading it.
            Machine.sleep(8)
        }
        stop(command)
    }

    /// What a verb of systemd's means. Whatever it does not know switches off.
    ///
    /// - Parameter arguments: the verb comes first.
    /// - Returns: how the computer stops.
    public static func command(_ arguments: [String]) -> PowerCommand {
        switch arguments.first {
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
        _ = Machine.stop(command)
        // No other kernel was loaded: there never is one.
        if command == .kernel { _ = Machine.stop(.restart) }
        try? File.write(command == .powerOff ? "o" : "b", to: "/proc/sysrq-trigger")
        Machine.sleep(5)
        Screen.line(Words.doesNotStop)
        while true { Machine.sleep(3600) }
    }
}
