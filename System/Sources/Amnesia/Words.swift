// SPDX-License-Identifier: GPL-3.0-or-later
import Linux

/// All that the user reads at the end of a session, in one place.
enum Words {
    static let title = "Needletail is ending this session and erases the memory of this computer."
    static let stickFree = "You can take the stick or disc out now."
    static let tookTooLong = "took too long"

    static let network = "Closing the network"
    static let processes = "Ending programs"
    static let shared = "Removing what programs shared"
    static let keys = "Forgetting keys"
    static let swap = "Giving up swap"
    static let fileSystems = "Closing file systems"
    static let devices = "Closing devices"
    static let names = "Removing the names of disks"
    static let consoles = "Clearing consoles"
    static let pictures = "Clearing pictures"
    static let log = "Clearing the kernel's log"
    static let caches = "Emptying caches"

    static func erasing(percent: Int) -> String { "Erasing memory: \(percent) %" }

    static func erased(_ report: MemoryWipe.Report) -> String {
        let amount = "\((report.written + report.squeezed) >> 20) MiB in \(decimal(report.seconds)) s"
        return "Erased memory: \(amount); \(report.checked) places checked, \(report.wrong) wrong."
    }

    static let incomplete = "NOT ALL free memory could be erased."
    static func wrong(_ count: UInt64) -> String {
        "\(count) places in memory did not keep what was written. The memory of this computer may be faulty."
    }

    static func failed(_ outcome: Step.Outcome, words: String) -> String {
        let how =
            switch outcome.ending {
            case .done: "done"
            case .incomplete: "not all could be done"
            case .late: "took too long and was left alone"
            case .broken: "failed"
            }
        return "\(words): \(how)"
    }

    static let allDone = "All done: nothing of this session is left in memory."
    static let notAllDone = "Something above could not be done. If it matters to you, take out the power cord and the"
    static let notAllDoneMore = "battery and leave the computer off for some minutes."

    static func last(_ command: PowerCommand) -> String {
        switch command {
        case .powerOff: "Switching off."
        case .restart, .kernel: "Restarting."
        case .halt: "The computer can be switched off now."
        }
    }

    static let doesNotStop = "This computer does not switch itself off. Hold the power button until it does."

    static func broken(status: Int32) -> String { "ended with status \(status)" }
    static func stillRunning(_ process: RunningProcesses.Process) -> String {
        "\(process.name) (\(process.number), state \(process.state)) did not end"
    }
    static func stillMounted(_ path: String, _ failure: String) -> String { "\(path) is still mounted: \(failure)" }
    static func detached(_ path: String) -> String { "\(path) was in use and ends with its last user" }
    static func stillOpen(_ device: String) -> String { "\(device) is in use and ends with its last user" }
    static func keysLeft(user: UInt32) -> String { "keys of user \(user) could not be reached" }
    static func sharedLeft(_ count: Int) -> String { "\(count) pieces of shared memory are still there" }
    static func keyLeft(_ type: String) -> String { "a key of the kind \(type) is still there" }

    static func decimal(_ seconds: Double) -> String {
        let tenths = Int((max(0, seconds) * 10).rounded())
        return "\(tenths / 10).\(tenths % 10)"
    }
}
