// SPDX-License-Identifier: GPL-3.0-or-later
import Foundation

/// `docs/benchmarks.md`: a section for each part, of which a run replaces those that it measured.
public struct Document: Sendable, Equatable {
    /// The text.
    public private(set) var text: String

    /// Takes an existing document; parts that it lacks are added as not measured.
    public init(_ existing: String = "") {
        var document = Self.head
        for part in Part.allCases {
            let body = Self.section(part, in: existing) ?? "## \(part.title)\n\nNot measured yet.\n"
            document += "\n\(Self.start(part))\n\(body)\(Self.end(part))\n"
        }
        text = document
    }

    /// Replaces the section of a report's part.
    public mutating func put(_ report: PartReport) {
        guard
            let start = text.range(of: Self.start(report.part) + "\n"),
            let end = text.range(of: Self.end(report.part)), start.upperBound <= end.lowerBound
        else { return }
        text.replaceSubrange(start.upperBound..<end.lowerBound, with: Self.render(report))
    }

    private static let head = """
        # Benchmarks

        Made by `make bench` (`needletail bench`), which measures Needletail and what it is compared with side by side, on one
        machine, in one run; a part by itself with `needletail bench --only NAME`. Change nothing here by hand: the next
        run replaces it. Values are medians, with least and greatest in brackets. Times under emulation are not those of a
        real computer; ratios within one run are what counts.

        """

    private static func start(_ part: Part) -> String { "<!-- begin \(part.rawValue) -->" }
    private static func end(_ part: Part) -> String { "<!-- end \(part.rawValue) -->" }

    private static func section(_ part: Part, in text: String) -> String? {
        guard
            let start = text.range(of: start(part) + "\n"), let end = text.range(of: end(part)),
            start.upperBound <= end.lowerBound
        else { return nil }
        return String(text[start.upperBound..<end.lowerBound])
    }

    // MARK: One section

    static func render(_ report: PartReport) -> String {
        let setting = report.setting
        var blocks = ["## \(report.part.title)", "    needletail bench --only \(report.part.rawValue)"]
        blocks += report.method
        if !report.figures.isEmpty { blocks.append(table(of: report.figures)) }
        if !report.packings.isEmpty { blocks.append(table(of: report.packings)) }
        if !report.phases.isEmpty { blocks.append(table(of: report.phases, of: report.part)) }
        blocks += report.notes
        blocks.append(
            """
            Measured on \(setting.date) at commit \(setting.commit.prefix(10)): \(setting.machine), kernel \(setting.hostKernel); \
            \(setting.emulator); kernel in the image \(setting.guestKernel); \(setting.compiler); load of the machine before: \
            \(number(setting.load)).
            """)
        return blocks.joined(separator: "\n\n") + "\n"
    }

    /// What a terminal shows of a report.
    public static func summary(of report: PartReport) -> String {
        let figures = report.figures.map { figure in
            let reference = figure.reference.map { ", reference \(value($0, figure.unit))" } ?? ""
            let ratio = figure.ratio.map { ", \(number($0, digits: 2)) ×" } ?? ""
            let target = figure.target.map { ", to reach \(words($0, figure.unit))" } ?? ""
            let end = figure.isReached.map { $0 ? ": reached" : ": MISSED" } ?? ""
            return "  \(figure.name): \(value(figure.ours, figure.unit))\(reference)\(ratio)\(target)\(end)"
        }
        let packings = report.packings.map { packing in
            "  \(packing.name): \(number(packing.size)) MB, systemd \(value(packing.systemd)) s, "
                + "default target \(value(packing.defaultTarget)) s"
        }
        return ([report.part.title] + figures + packings).joined(separator: "\n")
    }

    static func table(of figures: [Figure]) -> String {
        let rows = figures.map { figure in
            [
                figure.name, value(figure.ours, figure.unit), figure.reference.map { value($0, figure.unit) } ?? "–",
                figure.ratio.map { number($0, digits: 2) + " ×" } ?? "–", words(figure.target, figure.unit),
                figure.isReached.map { $0 ? "reached" : "**missed**" } ?? "–",
            ]
        }
        return table(["", "Needletail", "reference", "ratio", "to reach", ""], rows)
    }

    static func table(of packings: [PackingFigures]) -> String {
        let header = [
            "packing", "size MB", "packed in s", "systemd s", "default target s", "read at start MB", "random reads s",
            "all programs s", "memory left MiB", "same bits twice",
        ]
        let rows = packings.map { packing in
            [
                packing.isShipped ? "**\(packing.name)** (shipped)" : packing.name, number(packing.size),
                number(packing.packing),
            ]
                + [
                    packing.systemd, packing.defaultTarget, packing.read, packing.random, packing.sequential,
                    packing.available,
                ].map { value($0) } + [packing.isReproducible.map { $0 ? "yes" : "**no**" } ?? "–"]
        }
        return table(header, rows)
    }

    static func table(of phases: [PhaseFigures], of part: Part) -> String {
        var last = 0.0
        let rows = phases.map { phase in
            let median = phase.seconds.median ?? last
            defer { last = median }
            return [phase.name, value(phase.seconds, digits: 2), "+" + number(median - last, digits: 2)]
        }
        let isEnd = part == .end
        let begin = isEnd ? "s after the command" : "s after the kernel's start"
        return "Our \(isEnd ? "end" : "start") by phase:\n\n" + table(["begins", begin, "after the line above"], rows)
    }

    static func table(_ header: [String], _ rows: [[String]]) -> String {
        ([header, header.map { _ in "---" }] + rows).map { "| " + $0.joined(separator: " | ") + " |" }
            .joined(separator: "\n")
    }

    static func words(_ target: Target?, _ unit: Unit) -> String {
        switch target {
        case .none: "–"
        case .ratio(let limit): "≤ \(number(limit, digits: 2)) ×"
        case .ratioAtLeast(let limit): "≥ \(number(limit, digits: 2)) ×"
        case .value(let limit): "≤ \(number(limit, digits: 0)) \(unit.rawValue)"
        }
    }

    static func value(_ series: Series, _ unit: Unit? = nil, digits: Int = 1) -> String {
        guard let median = series.median, let spread = series.spread else { return "–" }
        var text = number(median, digits: digits)
        if let unit { text += " \(unit.rawValue)" }
        guard series.values.count > 1 else { return text }
        return text
            + " (\(number(spread.lowerBound, digits: digits))…\(number(spread.upperBound, digits: digits)))"
    }

    /// A number as it is printed. What rounds to nothing has no sign.
    static func number(_ value: Double, digits: Int = 1) -> String {
        let text = String(format: "%.\(digits)f", value)
        return text.hasPrefix("-") && Double(text) == 0 ? String(text.dropFirst()) : text
    }
}
