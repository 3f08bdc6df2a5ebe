// SPDX-License-Identifier: GPL-3.0-or-later
import FoundationEssentials
import TorControl

/// What Tor does, as far as it is known; also what `--json` prints.
public struct TorStatus: Codable, Hashable, Sendable {
    /// One relay of a circuit.
    public struct RelayReport: Codable, Hashable, Sendable {
        /// 40 hexadecimal digits.
        public var fingerprint: String
        /// The name that its operator gave it.
        public var nickname: String?
        /// Two letters; `nil` when it is not known.
        public var country: String?
    }

    /// One circuit that is ready.
    public struct CircuitReport: Codable, Hashable, Sendable {
        /// Tor's number for it.
        public var identifier: String
        /// `GENERAL`, for example.
        public var purpose: String?
        /// From the nearest relay to the farthest.
        public var relays: [RelayReport]
    }

    /// What the connection service says (`org.needletail.Connection`).
    public struct ConnectionReport: Codable, Hashable, Sendable {
        /// For programs.
        public var code: String
        /// `direct` or `hide`.
        public var mode: String?
        /// Whether it does not go on by itself.
        public var problem: Bool?
        /// What is the case.
        public var sentence: String?
        /// Why.
        public var explanation: String?
        /// What to do.
        public var advice: String?
    }

    /// Whether programs can use Tor now.
    public var isConnected = false
    /// 0 to 100; `nil` when Tor cannot be asked.
    public var progress: Int?
    /// The step, in Tor's words.
    public var step: String?
    /// What went wrong last in this step.
    public var warning: String?
    /// The circuits that are ready.
    public var circuits: [CircuitReport] = []
    /// How many are being made.
    public var circuitsInTheMaking = 0
    /// Whether there is a table of countries.
    public var knowsCountries = false
    /// What the connection service says; `nil` when it cannot be asked.
    public var connection: ConnectionReport?
    /// Why Tor could not be asked.
    public var failure: String?

    /// For programs.
    public var json: String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        guard let bytes = try? encoder.encode(self) else { return "{}" }
        return String(decoding: bytes, as: UTF8.self)
    }
}
