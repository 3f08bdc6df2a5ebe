// SPDX-License-Identifier: GPL-3.0-or-later

/// What a capture says about a guest: how much it sent of what it may send, and everything else that it sent.
public struct Verdict: Sendable, Hashable, CustomStringConvertible {
    /// How many frames the guest sent.
    public internal(set) var frames = 0
    /// How many frames others sent; they are not judged.
    public internal(set) var ignored = 0
    /// Frames by the name of the exception that lets them pass.
    public internal(set) var allowed: [String: Int] = [:]
    /// What should not have been; a frame can have several.
    public internal(set) var findings: [Finding] = []

    init() {}

    /// Whether there is no finding. A guest that sent nothing is clean too: a test that expects traffic checks `frames`.
    public var isClean: Bool { findings.isEmpty }

    /// Findings by kind.
    public var findingsByKind: [Finding.Kind: Int] {
        findings.reduce(into: [:]) { $0[$1.kind, default: 0] += 1 }
    }

    /// The verdict on both captures.
    public func adding(_ other: Verdict) -> Verdict {
        var sum = self
        sum.frames += other.frames
        sum.ignored += other.ignored
        sum.allowed.merge(other.allowed, uniquingKeysWith: +)
        sum.findings += other.findings
        return sum
    }

    /// A table for a person: allowed frames by kind, findings by kind, and the first findings one by one.
    public var description: String {
        var lines = ["The guest sent \(frames) \(frames == 1 ? "frame" : "frames")."]
        let names = allowed.keys.sorted()
        let kinds = findingsByKind.sorted { ($1.value, $0.key.rawValue) < ($0.value, $1.key.rawValue) }
        let width = (names + kinds.map(\.key.rawValue)).map(\.count).max() ?? 0
        func row(_ mark: String, _ name: String, _ count: Int) -> String {
            let number = String(count)
            return
                "  \(mark) \(name)\(String(repeating: " ", count: width - name.count + max(1, 9 - number.count)))\(number)"
        }
        lines += names.map { row("allowed ", $0, allowed[$0] ?? 0) }
        lines += kinds.map { row("NOT     ", $0.key.rawValue, $0.value) }
        guard !isClean else {
            lines.append(frames == 0 ? "Nothing was captured." : "Nothing else left the guest.")
            return lines.joined(separator: "\n")
        }
        lines += findings.prefix(20).map { "  \($0)" }
        if findings.count > 20 { lines.append("  … and \(findings.count - 20) more") }
        lines.append(
            "The guest sent what it must not: \(findings.count) \(findings.count == 1 ? "finding" : "findings").")
        return lines.joined(separator: "\n")
    }
}
