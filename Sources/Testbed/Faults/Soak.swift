// SPDX-License-Identifier: GPL-3.0-or-later
import Foundation
import SystemPackage

/// A long session under load in which one part after the other fails.
///
/// After each fault the session has to be able to fetch a page again within a limit; what left the machine meanwhile is judged
/// at the end, for the whole time since power-on.
public struct Soak: Sendable {
    /// How long, how often, and by which chance.
    public struct Request: Sendable, Hashable {
        /// Gives the same faults again.
        public var seed: UInt64
        /// How many faults.
        public var faults: Int
        /// Faults that come first, before those by chance, and count among them.
        public var first: [Fault]
        /// The least time from the first fault to the end; the faults are spread over it.
        public var duration: Duration
        /// How long the session may be cut off after a fault.
        public var limit: Duration

        /// Describes a run.
        public init(
            seed: UInt64, faults: Int = 200, first: [Fault] = [], duration: Duration = .seconds(30 * 60),
            limit: Duration = .seconds(120)
        ) {
            self.seed = seed
            self.faults = faults
            self.first = first
            self.duration = duration
            self.limit = limit
        }
    }

    /// What became of a fault.
    public struct Result: Sendable, Hashable {
        /// Its number, from 1.
        public let number: Int
        /// What happened.
        public let fault: Fault
        /// Seconds from the fault's end until a page was fetched; `nil` when none was within the limit.
        public let recovery: Double?
        /// Why it could not be done, or what was left broken.
        public let trouble: String?
    }

    private let trial: Trial
    private let request: Request
    private let note: @Sendable (String) -> Void

    /// Prepares a run in a session whose Tor is connected.
    ///
    /// - Parameters:
    ///   - trial: The session.
    ///   - request: How long and how often.
    ///   - note: Is told each fault and its end, a line each.
    public init(_ trial: Trial, _ request: Request, note: @escaping @Sendable (String) -> Void) {
        self.trial = trial
        self.request = request
        self.note = note
    }

    /// Starts the load, lets the faults happen, and waits until the time is up.
    ///
    /// - Parameter probe: Part of the load.
    /// - Returns: What became of each fault, and what the load did.
    /// - Throws: `ShellFailure`, `MachineFailure`: the machine itself did not survive.
    public func run(probe: Probe) async throws -> (results: [Result], load: Load.Counts, seconds: Double) {
        try await Load.start(in: trial, probe: probe)
        let plan = FaultPlan(
            seed: request.seed, count: request.faults, units: try await units(), sleeps: try await sleeps(),
            first: request.first)
        note("Seed \(request.seed), \(plan.steps.count) faults")
        let start = ContinuousClock.now
        var results: [Result] = []
        for (index, step) in plan.steps.enumerated() {
            // Each fault has its place in the time; what took longer is not made up for by haste.
            let due = start + request.duration * (Double(index) / Double(plan.steps.count))
            let pause = max(Duration.milliseconds(step.pause), due - .now)
            try await Task.sleep(for: pause)
            let result = try await happen(step.fault, number: index + 1)
            results.append(result)
            note(
                "\(index + 1) of \(plan.steps.count): \(step.fault): "
                    + (result.recovery.map { "back after \($0.formatted(.number.precision(.fractionLength(1)))) s" }
                        ?? "NOT BACK") + (result.trouble.map { " (\($0))" } ?? ""))
        }
        try await Task.sleep(for: max(.zero, start + request.duration - .now))
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        return (results, try await Load.counts(in: trial), seconds)
    }

    // MARK: What there is

    /// The services that are hit: Tor, NetworkManager, and our own that run or wait for work.
    private func units() async throws -> [String] {
        let text = try await trial.machine.shell.output(
            """
            list() { systemctl list-units --type=$1 --state=active --no-legend --plain 'needletail-*' | cut -d ' ' -f 1; }
            list service
            for socket in $(list socket); do systemctl show -P Triggers $socket; done
            """)
        let own = text.split(whereSeparator: \.isWhitespace).map(String.init)
            // One per connection: an instance's name is not known before.
            .filter { !$0.contains("@") }
        return ["tor@default.service", "NetworkManager.service"] + Set(own).sorted()
    }

    private func sleeps() async throws -> Bool {
        try await trial.machine.shell.run("grep -q mem /sys/power/state && grep -q deep /sys/power/mem_sleep").status
            == 0
    }

    // MARK: A fault

    private func happen(_ fault: Fault, number: Int) async throws -> Result {
        let trouble = try await cause(fault)
        let start = ContinuousClock.now
        let limit = Int(request.limit.components.seconds)
        let question = "curl -s --max-time 5 -o /dev/null http://\(Address.web)/"
        let answer = try await trial.machine.shell.run(
            """
            end=$(($(cut -d . -f 1 /proc/uptime) + \(limit)))
            while [ $(cut -d . -f 1 /proc/uptime) -lt $end ]; do \(Trial.asUser) \(question) && exit 0; sleep 0.2; done; exit 1
            """, timeout: request.limit + .seconds(30))
        let recovery = answer.status == 0 ? (ContinuousClock.now - start) / .seconds(1) : nil
        // What its socket starts again when it is needed is not left broken.
        let failed = try await trial.machine.shell.output(
            """
            for unit in $(systemctl --failed --no-legend --plain | cut -d ' ' -f 1); do
                socket=$(systemctl show -P TriggeredBy $unit)
                [ -n "$socket" ] && systemctl is-active -q $socket && systemctl reset-failed $unit || echo $unit
            done
            """)
        let words = [trouble, failed.isEmpty ? nil : "failed: \(failed.replacing("\n", with: " "))"].compactMap { $0 }
        return Result(
            number: number, fault: fault, recovery: recovery,
            trouble: words.isEmpty ? nil : words.joined(separator: "; "))
    }

    /// Makes a fault happen, and returns when it is over (the part that was hit may still be on its way back).
    private func cause(_ fault: Fault) async throws -> String? {
        let shell = trial.machine.shell
        switch fault {
        case .killed(let unit): return try await signal(unit, "KILL")
        case .ended(let unit): return try await signal(unit, "TERM")
        case .stalled(let unit, let seconds):
            let trouble = try await signal(unit, "STOP")
            try await Task.sleep(for: .seconds(seconds))
            _ = try await shell.run("systemctl kill --kill-whom=main -s CONT \(unit)")
            return trouble
        case .flushed:
            let answer = try await shell.run("nsenter --net=/run/netns/session -- nft flush ruleset")
            return answer.status == 0 ? nil : answer.output
        case .unplugged(let seconds):
            try await trial.machine.setCable(plugged: false)
            try await Task.sleep(for: .seconds(seconds))
            try await trial.machine.setCable(plugged: true)
            return nil
        case .slept(let seconds): return try await sleep(seconds)
        }
    }

    private func signal(_ unit: String, _ name: String) async throws -> String? {
        // Those that wait for work on a socket are started first: only what runs can be hit.
        let answer = try await trial.machine.shell.run(
            "systemctl start \(unit); systemctl kill --kill-whom=main -s \(name) \(unit)")
        return answer.status == 0 ? nil : answer.output
    }

    private func sleep(_ seconds: Int) async throws -> String? {
        let shell = trial.machine.shell
        let sleeps = "cat /sys/power/suspend_stats/success"
        let before = try await shell.output(sleeps)
        let count = trial.machine.events.count
        _ = try await shell.run("(sleep 0.5; echo mem > /sys/power/state) </dev/null >/dev/null 2>&1 &")
        do {
            try await trial.machine.wait(forEvent: "SUSPEND", after: count, within: .seconds(15))
        } catch is MachineFailure {
            // From the second time on, QEMU 7.2 lets the guest through: all its devices sleep and wake up, only not for long.
            if try await shell.output(sleeps) != before { return nil }
            let reason = try await shell.run(
                "dmesg | grep -E 'PM: |Freezing|refus|wakeup' | tail -n 6 | cut -d ']' -f 2- | tr '\\n' ';'")
            return "the machine did not fall asleep:\(reason.output)"
        }
        try await Task.sleep(for: .seconds(seconds))
        try await trial.machine.execute("system_wakeup")
        try await trial.machine.wait(forEvent: "WAKEUP", after: count, within: .seconds(30))
        return nil
    }
}
