// SPDX-License-Identifier: GPL-3.0-or-later
import TorControl

/// Everything that this command says, in one place.
enum StatusWords {
    static let help = """
        Shows what Tor does: whether it is connected, through which relays, and what is wrong when it is not.

        needletail-status            what is the case now
        needletail-status --watch    and then every change, until Ctrl-C
        needletail-status --json     for programs
        needletail-status --help     this text

        It ends with 0 when Tor is connected, 1 when it is not, 2 when that cannot be known.

        """

    static func unknownOption(_ option: String) -> String {
        "needletail-status does not know '\(option.printable)'. Try needletail-status --help.\n"
    }

    static let watchAndJSON = "--watch and --json do not go together.\n"

    /// Why Tor could not be asked.
    static func reason(_ failure: ControlFailure) -> String {
        switch failure {
        case .unreachable:
            "The service that passes on Tor's state does not answer. The network stays closed to all but Tor."
        case .refused(_, "Tor is not running"):
            "Tor is not running. Nothing can be sent until it runs; nothing goes round it."
        case .refused(_, let text): "\(text.printable). Nothing goes round Tor."
        case .ended: "Tor stopped while it was asked. Nothing goes round it."
        default: "Tor's state could not be read. Nothing goes round Tor."
        }
    }

    static func text(_ report: TorStatus) -> String {
        var lines: [String] = []
        let state = report.connection
        if report.isConnected {
            lines.append("Tor is connected.")
        } else if let failure = report.failure {
            lines.append("Tor is not connected. \(failure)")
        } else if report.progress == 100 {
            lines.append("Tor is not connected at the moment: it cannot make circuits.")
        } else {
            lines.append("Tor is not connected yet.")
        }
        if !report.isConnected {
            if let progress = report.progress, progress < 100 {
                lines.append("  Step:        \(progress) %, \(report.step.map(lowered) ?? "unknown")")
            }
            if let warning = report.warning { lines.append("  Last error:  \(warning)") }
            if let sentence = state?.sentence { lines.append("  Because:     \(sentence)") }
            if let explanation = state?.explanation, !explanation.isEmpty {
                lines.append("               \(explanation)")
            }
            if let advice = state?.advice, !advice.isEmpty { lines.append("  What to do:  \(advice)") }
        } else if state?.problem == true, let sentence = state?.sentence {
            lines.append("  \(sentence)")
        }
        if state?.mode == "hide" { lines.append("  That Tor is used is hidden: only your bridges are spoken to.") }
        lines += circuits(report)
        lines += ["", blocked, ""]
        return lines.joined(separator: "\n")
    }

    private static func circuits(_ report: TorStatus) -> [String] {
        guard report.failure == nil else { return [] }
        var lines = [
            "", report.circuits.isEmpty ? "No circuit is ready." : "Circuits, from the nearest relay to the farthest:",
        ]
        for circuit in report.circuits {
            let path = circuit.relays.map { relay in
                "\(relay.nickname ?? "$\(relay.fingerprint.prefix(8))")\(relay.country.map { " (\($0))" } ?? "")"
            }
            lines.append("  \(circuit.identifier)  \(path.joined(separator: " → "))  \(purpose(circuit.purpose))")
        }
        if report.circuitsInTheMaking > 0 { lines.append("  \(report.circuitsInTheMaking) more in the making.") }
        if !report.circuits.isEmpty, !report.knowsCountries {
            lines.append("Countries are unknown: this system carries no table of them.")
        }
        return lines
    }

    /// What the walls refuse, and why.
    static let blocked = """
        Always blocked: everything that Tor cannot carry (UDP except names, ping, IPv6) and the computers of the local network.
        It would show others where you are.
        """

    static func purpose(_ purpose: String?) -> String {
        switch purpose {
        case "GENERAL": "for programs"
        case "HS_CLIENT_REND", "HS_CLIENT_INTRO", "HS_CLIENT_HSDIR": "to an onion service"
        case "HS_VANGUARDS": "kept for onion services"
        case "HS_SERVICE_REND", "HS_SERVICE_INTRO", "HS_SERVICE_HSDIR": "of an onion service"
        case "CONFLUX_LINKED", "CONFLUX_UNLINKED": "for programs, in parallel with others"
        case "MEASURE_TIMEOUT", "TESTING": "a measurement of Tor"
        case let other?: other.lowercased()
        case nil: ""
        }
    }

    /// A change, for `--watch`; `nil` for what is of no interest there.
    static func text(_ event: Event) -> String? {
        switch event {
        case .status(let status):
            switch status.report {
            case .bootstrap(let bootstrap):
                let warning = bootstrap.warning.map { " (\($0.printable))" } ?? ""
                return bootstrap.isDone
                    ? "Tor is connected."
                    : "Connecting: \(bootstrap.progress) %, \(lowered(bootstrap.summary.printable))\(warning)"
            case .circuitEstablished: return "Tor can make circuits."
            case .circuitNotEstablished: return "Tor cannot make circuits any more."
            case .clockSkew(let skew): return "The clock is wrong\(skew.seconds.map(hours) ?? "")."
            default: return nil
            }
        case .networkLiveness(let isUp): return isUp ? "The network answers." : "The network does not answer."
        case .circuit(let circuit):
            let path = circuit.path.map { $0.nickname ?? "$\($0.fingerprint.prefix(8))" }.joined(separator: " → ")
            switch circuit.status {
            case .built: return "Circuit \(circuit.identifier) is ready: \(path)  \(purpose(circuit.purpose))"
            case .failed:
                return
                    "Circuit \(circuit.identifier) failed: \(circuit.reason?.lowercased().printable ?? "no reason given")"
            case .closed: return "Circuit \(circuit.identifier) was closed."
            default: return nil
            }
        default: return nil
        }
    }

    static let lost = "Tor cannot be asked at the moment. Waiting until it can."

    private static func hours(_ seconds: Int64) -> String {
        let minutes = seconds.magnitude / 60
        let amount = minutes < 120 ? "\(minutes) minutes" : "\(minutes / 60) hours"
        return " by \(amount) (it is \(seconds > 0 ? "ahead" : "behind"))"
    }

    private static func lowered(_ text: String) -> String { text.prefix(1).lowercased() + text.dropFirst() }
}
