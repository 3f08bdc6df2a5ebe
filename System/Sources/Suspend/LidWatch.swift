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
                switch policy.step(isClosed: try lid.isClosed, now: Machine.uptime) {
                case .wait(let seconds): try lid.wait(seconds: seconds.map { min($0, 600) })
                case .lock: report(Systemctl.lock(), "lock the screen")
                case .powerOff:
                    StandardError.line("The lid has been closed for \(policy.minutes) minutes: switching off.")
                    report(Systemctl.powerOff(), "switch off")
                    Machine.sleep(60)
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

    static func lock() -> Bool { run("start", "--no-block", lockUnit) }
    static func powerOff() -> Bool { run("--no-block", "poweroff") }
    static func suspend() -> Bool { run("suspend") }

    private static func run(_ arguments: String...) -> Bool {
        guard let outcome = try? Program.run(program, ["--no-ask-password"] + arguments, seconds: 60) else {
            return false
        }
        if outcome.status != 0 { StandardError.line(outcome.output) }
        return outcome.status == 0
    }
}
