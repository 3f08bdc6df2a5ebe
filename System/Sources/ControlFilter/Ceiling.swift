// SPDX-License-Identifier: GPL-3.0-or-later

/// The most that any client can be allowed, whatever its data file says. A data file that wants more is an error, and what it
/// would allow is refused once more when it is asked.
public enum Ceiling {
    /// Keys of GETINFO. None of them tells the computer's address, what is visited, or which bridge is used: `address`,
    /// `stream-status`, `orconn-status`, `entry-guards`, `config-text`, `desc/*` (a bridge's descriptor has its address),
    /// `ns/purpose/bridge`, `exit-policy/*` (has the computer's address), `onions/*` and the like are therefore missing.
    static let keys: [KeyPattern] = [
        "version", "uptime", "dormant", "network-liveness", "events/names", "signal/names", "traffic/read",
        "traffic/written",
        "status/bootstrap-phase", "status/circuit-established", "status/enough-dir-info", "status/version/current",
        "circuit-status", "ns/id/{fingerprint}", "ip-to-country/ipv4-available", "ip-to-country/{address}",
        "consensus/valid-after", "consensus/fresh-until", "consensus/valid-until",
    ].compactMap { KeyPattern($0) }

    /// Keys that are refused before any list is looked at, by their beginning, whatever their capitals.
    static let refusedKeys = [
        "address", "config", "desc", "dir/", "entry-guards", "exit-policy", "extra-info", "fingerprint", "guards",
        "hs/",
        "onions/", "orconn-status", "process/", "stream-status", "ns/purpose", "stats", "accounting", "bw-event-cache",
    ]

    /// Keys that a data file may answer itself, with a fixed text: Tor's own answer would tell the inside of the walls.
    static let answerableKeys: Set<String> = ["net/listeners/socks"]

    /// Signals: nothing that stops Tor or changes what it logs.
    static let signals: Set<String> = ["NEWNYM", "CLEARDNSCACHE", "ACTIVE", "HEARTBEAT", "RELOAD"]

    /// Beginnings of warnings that may be passed on, and no others since messages tell addresses: the only evidence when the clock is
    /// wrong by months or years.
    static let lines: Set<String> = ["Received a bad CERTS cell", "(certificate lifetime runs from "]

    /// Kinds of events. Of the log there are only `lines`; STREAM and ADDRMAP tell what is visited; ORCONN and
    /// GUARD tell bridges.
    static let events: Set<String> = ["CIRC", "STATUS_CLIENT", "STATUS_GENERAL", "NETWORK_LIVENESS", "BW", "WARN"]

    /// What status events may report.
    static let actions: Set<String> = [
        "BOOTSTRAP", "CIRCUIT_ESTABLISHED", "CIRCUIT_NOT_ESTABLISHED", "CONSENSUS_ARRIVED", "ENOUGH_DIR_INFO",
        "NOT_ENOUGH_DIR_INFO", "CLOCK_SKEW", "CLOCK_JUMPED", "DANGEROUS_VERSION",
    ]

    /// Fields of events and circuits that may be kept. Addresses, SOCKS names and onion addresses are missing.
    static let fields: Set<String> = [
        "PROGRESS", "TAG", "SUMMARY", "WARNING", "REASON", "COUNT", "RECOMMENDATION", "SKEW", "SOURCE", "TIME",
        "PURPOSE",
        "BUILD_FLAGS", "TIME_CREATED", "REMOTE_REASON", "HS_STATE", "CURRENT", "RECOMMENDED",
    ]

    /// Whether a key may be asked at all.
    static func allows(_ key: String) -> Bool {
        let small = key.lowercased()
        return !refusedKeys.contains { small.hasPrefix($0) } && keys.contains { $0.matches(key) }
    }
}
