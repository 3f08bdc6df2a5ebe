// SPDX-License-Identifier: GPL-3.0-or-later
import Foundation

/// What a soak found, for people and for `docs/soak.md`.
public struct SoakReport: Sendable {
    /// What was asked for.
    public let request: Soak.Request
    /// What became of each fault.
    public let results: [Soak.Result]
    /// What the load did meanwhile.
    public let load: Load.Counts
    /// Seconds under faults.
    public let seconds: Double
    /// All frames since power-on.
    public let verdict: Verdict

    /// Puts a report together.
    public init(
        request: Soak.Request, results: [Soak.Result], load: Load.Counts, seconds: Double, verdict: Verdict
    ) {
        self.request = request
        self.results = results
        self.load = load
        self.seconds = seconds
        self.verdict = verdict
    }

    /// Whether nothing left that must not, and the session came back each time.
    public var isGood: Bool { verdict.isClean && results.allSatisfy { $0.recovery != nil } }

    /// Frames that hold the hardware's own address.
    public var hardwareAddresses: Int { verdict.findingsByKind[.hardwareAddress] ?? 0 }

    /// Faults that left something behind, or could not be caused.
    public var troubles: [String] {
        results.compactMap { result in
            let words = [result.recovery == nil ? "not back" : nil, result.trouble].compactMap { $0 }
            return words.isEmpty ? nil : "\(result.number): \(result.fault): \(words.joined(separator: ", "))"
        }
    }

    /// The whole page, in Markdown.
    ///
    /// - Parameters:
    ///   - date: The day, as 2031-05-06.
    ///   - commit: Needletail's commit.
    /// - Returns: The page.
    public func page(date: String, commit: String) -> String {
        func row(_ words: [String]) -> String { "| " + words.joined(separator: " | ") + " |" }
        var lines = [
            "# Soak", "",
            "Made by `make soak` (`needletail soak`): a session under load in which one part after the other fails, by",
            "chance. Change nothing here by hand. The same faults again: `needletail soak --seed \(request.seed) --faults "
                + "\(results.count)`.",
            "",
            row(["", "", "to reach"]), row(["---", "---", "---"]),
            row(["Frames outside the list, since power-on", "\(verdict.findings.count)", "0"]),
            row(["Frames with the hardware's own address", "\(hardwareAddresses)", "0"]),
            row(["Frames sent", "\(verdict.frames)", ""]),
            row(["Minutes under faults and load", Self.number(seconds / 60), "≥ 30"]),
            row(["Faults", "\(results.count)", "200"]),
            row(["Faults after which the session did not come back", "\(results.count { $0.recovery == nil })", "0"]),
            "",
            "How long until a page could be fetched again, in seconds:", "",
            row(["fault", "times", "median", "longest"]), row(["---", "---", "---", "---"]),
        ]
        for (kind, times) in recoveries.sorted(by: { $0.key < $1.key }) {
            let sorted = times.sorted()
            lines.append(
                row([
                    kind, "\(results.count { $0.fault.kind == kind })",
                    sorted.isEmpty ? "–" : Self.number(sorted[sorted.count / 2]),
                    sorted.last.map(Self.number) ?? "–",
                ]))
        }
        lines += [
            "", "What the session did meanwhile (succeeded of tried; what a fault cuts off counts as tried):", "",
        ]
        for (name, count) in [
            ("downloads without any setting", load.transparent), ("downloads by SOCKS", load.socks),
            ("names looked up", load.names),
            ("runs of the probe that tries to get round the walls", load.probes),
        ] { lines.append("- \(name): \(count.complete) of \(count.all)") }
        if !troubles.isEmpty { lines += ["", "Left behind:", ""] + troubles.map { "- \($0)" } }
        lines += ["", "```", verdict.description, "```", "", "Measured on \(date) at commit \(commit.prefix(10)).", ""]
        return lines.joined(separator: "\n")
    }

    private var recoveries: [String: [Double]] {
        results.reduce(into: [:]) { $0[$1.fault.kind, default: []] += $1.recovery.map { [$0] } ?? [] }
    }

    private static func number(_ value: Double) -> String { String(format: "%.1f", value) }
}
