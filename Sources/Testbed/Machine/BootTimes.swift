// SPDX-License-Identifier: GPL-3.0-or-later
import Foundation

/// How long a boot took, by phase, as the guest itself tells.
public struct BootTimes: Sendable, Hashable, CustomStringConvertible {
    /// A line `needletail: phase <name>` of the kernel's log.
    public struct Phase: Sendable, Hashable {
        /// The phase that began.
        public let name: String
        /// Seconds since the kernel's start.
        public let seconds: Double
    }

    /// The boot stage's phases in the order in which they began.
    public var phases: [Phase]
    /// When systemd began, in seconds since the kernel's start.
    public var systemd: Double?
    /// When the default target was reached (`systemd-analyze`'s end), in seconds since the kernel's start.
    public var defaultTarget: Double?
    /// From power-on to the kernel's start, by the maker's clock: firmware and boot loader.
    public var firmware: Double?
    /// Why the boot stage stopped, when it did: code and detail of `needletail: failed: <code>: <detail>`.
    public var failure: (code: String, detail: String)? { failureWords.map { ($0[0], $0[1]) } }
    private var failureWords: [String]?

    /// Reads a kernel log: of `dmesg`, the journal (`-o short-monotonic`) or the serial console.
    public init(kernelLog: String) {
        phases = []
        for line in kernelLog.split(whereSeparator: \.isNewline) {
            // [    2.534567] needletail: phase start
            guard
                let match = line.firstMatch(of: #/\[ *(\d+\.\d+)\](?: [^:\[\]]+:)? needletail: (phase|failed:?) (.+)/#),
                let seconds = Double(match.1)
            else { continue }
            let rest = match.3.trimmingCharacters(in: .whitespaces)
            if match.2 == "phase" {
                // A console shows the log again when it is opened later.
                if !phases.contains(where: { $0.name == rest && $0.seconds == seconds }) {
                    phases.append(Phase(name: rest, seconds: seconds))
                }
            } else {
                let parts = rest.split(separator: ":", maxSplits: 1).map { $0.trimmingCharacters(in: .whitespaces) }
                failureWords = [parts.first ?? "", parts.count > 1 ? parts[1] : ""]
            }
        }
    }

    /// Asks a running guest.
    ///
    /// - Throws: `ShellFailure` when it does not answer.
    public init(of machine: Machine) async throws {
        self.init(kernelLog: try await machine.shell.output("dmesg"))
        let names = ["UserspaceTimestampMonotonic", "FinishTimestampMonotonic"]
        let text = try await machine.shell.output("systemctl show --property=\(names.joined(separator: ","))")
        let values = Self.properties(text)
        // Microseconds of the monotonic clock; 0 when it has not happened.
        systemd = values[names[0]].flatMap { Double($0) }.flatMap { $0 > 0 ? $0 / 1e6 : nil }
        defaultTarget = values[names[1]].flatMap { Double($0) }.flatMap { $0 > 0 ? $0 / 1e6 : nil }
        let uptime = try await machine.shell.output("cut -d ' ' -f 1 /proc/uptime")
        firmware = Double(uptime).map { max(0, machine.secondsSincePowerOn - $0) }
    }

    /// When a phase began, in seconds since the kernel's start.
    public subscript(_ phase: String) -> Double? { phases.first { $0.name == phase }?.seconds }

    /// From power-on to the default target, in seconds.
    public var total: Double? { firmware.flatMap { firmware in defaultTarget.map { firmware + $0 } } }

    /// A line for each phase, with the time since the kernel's start and since the phase before.
    public var description: String {
        var rows: [(String, Double)] = phases.map { ($0.name, $0.seconds) }
        if let systemd { rows.append(("systemd", systemd)) }
        if let defaultTarget { rows.append(("default target", defaultTarget)) }
        var lines = firmware.map { ["firmware and boot loader  \(Self.seconds($0))"] } ?? []
        var last = 0.0
        for (name, time) in rows {
            lines.append(
                "\(name.padding(toLength: 26, withPad: " ", startingAt: 0))\(Self.seconds(time))  (+\(Self.seconds(time - last)))"
            )
            last = time
        }
        if let failure { lines.append("failed: \(failure.code): \(failure.detail)") }
        return lines.joined(separator: "\n")
    }

    static func properties(_ text: String) -> [String: String] {
        text.split(separator: "\n").reduce(into: [:]) { values, line in
            let parts = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            if parts.count == 2 { values[String(parts[0])] = String(parts[1]) }
        }
    }

    private static func seconds(_ value: Double) -> String { String(format: "%.3f s", value) }
}
