// SPDX-License-Identifier: GPL-3.0-or-later
import TorControl

/// A key of GETINFO, of which one part may vary: `version`, `ns/id/{fingerprint}`, `ip-to-country/{address}`.
public struct KeyPattern: Hashable, Sendable, CustomStringConvertible {
    /// What may stand in the place of a variable part.
    enum Variable: String, CaseIterable, Sendable {
        /// 40 hexadecimal digits, `$` before them or not.
        case fingerprint
        /// An IPv4 address in four decimal numbers.
        case address

        func matches(_ text: some StringProtocol) -> Bool {
            switch self {
            case .fingerprint:
                return Relay(text.hasPrefix("$") ? String(text) : "$\(text)")?.nickname == nil && size(text)
            case .address:
                let numbers = text.split(separator: ".", omittingEmptySubsequences: false)
                return numbers.count == 4
                    && numbers.allSatisfy { number in
                        (1...3).contains(number.utf8.count)
                            && number.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
                            && Int(number).map { $0 < 256 } == true
                    }
            }
        }

        /// A relay's fingerprint alone: `Relay` would take a name after it too.
        private func size(_ text: some StringProtocol) -> Bool {
            Relay(text.hasPrefix("$") ? String(text) : "$\(text)") != nil
                && text.utf8.count == (text.hasPrefix("$") ? 41 : 40)
        }
    }

    private let prefix: String
    private let variable: Variable?

    /// Reads a pattern: small letters, digits and `-/`, at its end perhaps a variable part. `nil` for anything else.
    public init?(_ text: String) {
        if text.hasSuffix("}") {
            guard
                let variable = Variable.allCases.first(where: { text.hasSuffix("/{\($0.rawValue)}") })
            else { return nil }
            self.variable = variable
            prefix = String(text.dropLast(variable.rawValue.utf8.count + 2))
        } else {
            variable = nil
            prefix = text
        }
        guard !prefix.isEmpty,
            prefix.utf8.allSatisfy({
                (0x61...0x7a).contains($0) || (0x30...0x39).contains($0) || $0 == UInt8(ascii: "-")
                    || $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "_")
            })
        else { return nil }
    }

    /// Whether a key is one of those that the pattern stands for. Capitals count, as they do for Tor.
    public func matches(_ key: String) -> Bool {
        guard let variable else { return key == prefix }
        guard key.hasPrefix(prefix) else { return false }
        return variable.matches(key.dropFirst(prefix.count))
    }

    /// As in a data file.
    public var description: String { variable.map { "\(prefix){\($0.rawValue)}" } ?? prefix }
}
