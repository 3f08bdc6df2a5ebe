// SPDX-License-Identifier: GPL-3.0-or-later
import Linux

/// Watches a lid and does what the policy says.
enum LidWatch {
    /// Runs until the device is gone.
    ///
    /// - Parameter device: the name of an input device, such as `event3`.
    /// - Returns: an exit status.
    static func run(_ device: String) -> Int32 {
        guard device.hasPrefix("event"), device.dropFirst(5).allSatisfy(\.isNumber) else { return 2 }
        do throws(SystemCallFailure) {
            let lid = try Lid("/dev/input/\(device)")
            var policy = LidPolicy((try? File.text(LidPolicy.file)) ?? "")
            while true {
                let step = policy.step(
                    isClosed: try lid.isClosed, isLocked: LockMark.system.isTrue, isOpened: Systemctl.hasLockEnded,
                    now: Machine.uptime)
                switch step {
                case .wait(let seconds): try lid.wait(seconds: seconds.map { min($0, 600) })
                case .lock: report(Systemctl.lock(), "lock the screen")
                case .powerOff(let reason):
                    StandardError.line(
                        reason == .notLocked
                            ? "The lid is closed and the screen could not be locked: switching off."
                            : "The lid has been closed for \(policy.minutes) minutes: switching off.")
                    report(Systemctl.powerOff(), "switch off")
                    // Again when it did not help, and soon: the session may be on the screen.
                    Machine.sleep(reason == .notLocked ? 10 : 60)
                }
            }
        } catch {
            // Another switch, or the device is gone.
            return 0
        }
    }

    private static func report(_ isDone: Bool, _ what: String) {
        if !isDone { StandardError.line("The lid was closed, but systemd could not \(what).") }
    }
}

/// What is asked of systemd.
enum Systemctl {
    static let program = "/usr/bin/systemctl"
    static let lockUnit = "needletail-lock.service"

    static func lock() -> Bool { run("start", "--no-block", lockUnit, seconds: 10) }
    /// Past logind, so that no program that holds an inhibitor keeps the computer on.
    static func powerOff() -> Bool {
        run("start", "--no-block", "--job-mode=replace-irreversibly", "poweroff.target")
    }
    static func suspend() -> Bool { run("suspend") }

    /// Whether the lock has ended as it should: one that failed is started again, and not known is no.
    static func hasLockEnded() -> Bool {
        let outcome = try? Program.run(program, ["is-active", lockUnit], seconds: 10)
        return outcome?.output == "inactive\n"
    }

    private static func run(_ arguments: String..., seconds: Double = 60) -> Bool {
        guard let outcome = try? Program.run(program, ["--no-ask-password"] + arguments, seconds: seconds) else {
            return false
        }
        if outcome.status != 0 { StandardError.line(outcome.output) }
        return outcome.status == 0
    }
}
