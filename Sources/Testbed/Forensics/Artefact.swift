// SPDX-License-Identifier: GPL-3.0-or-later
import ByteScan
import Foundation

/// Something of a session that an examiner would look for: a key, a name, an address.
public struct Artefact: Sendable, Hashable {
    /// What it is: "disk key", "URL". Several of one kind are counted together.
    public let kind: String
    /// Its bytes.
    public let bytes: [UInt8]
    /// Whether it was made by chance, so that eight bytes of it are as good as all.
    public let isRandom: Bool
    /// How it may be spelt.
    public let spellings: [Pattern.Spelling]

    /// Bytes made by chance: a key.
    public static func secret(_ kind: String, _ bytes: [UInt8]) -> Artefact {
        Artefact(kind: kind, bytes: bytes, isRandom: true, spellings: [.plain])
    }

    /// A text that no other session has: an address with a word by chance in it, a file's name, a passphrase.
    ///
    /// - Parameters:
    ///   - kind: What it is.
    ///   - text: The text; what is common to all sessions does not belong in it, or every session has it.
    /// - Returns: The artefact.
    public static func text(_ kind: String, _ text: String) -> Artefact {
        Artefact(kind: kind, bytes: Array(text.utf8), isRandom: false, spellings: [.plain, .utf16])
    }

    /// A relay that Tor used, by its fingerprint: as bytes in Tor's tables, and as digits in its state and on its control port.
    ///
    /// - Parameter fingerprint: 40 hexadecimal digits.
    /// - Returns: Nothing when it is no fingerprint.
    public static func relay(_ fingerprint: String) -> [Artefact] {
        let digits = fingerprint.uppercased().filter { $0 != " " }
        guard digits.count == 40, let bytes = Self.bytes(hexadecimal: digits) else { return [] }
        return [
            Artefact(kind: "relay of a circuit", bytes: bytes, isRandom: true, spellings: [.plain]),
            Artefact(kind: "relay of a circuit", bytes: Array(digits.utf8), isRandom: false, spellings: [.plain]),
        ]
    }

    /// A disk's key, and each half of it: XTS keeps two keys apart. The schedule that the processor makes from one begins with
    /// the key itself. See: FIPS 197, section 5.2.
    public static func diskKey(_ bytes: [UInt8]) -> [Artefact] {
        let half = bytes.count / 2
        return [Array(bytes[..<half]), Array(bytes[half...])].map { .secret("disk key", $0) }
    }

    /// What is looked for.
    ///
    /// - Throws: `Pattern.Failure` when it is too short or would be found by chance.
    public func patterns() throws -> [Pattern] {
        let plain = try Pattern(kind, bytes: bytes, leastFragment: isRandom ? Pattern.leastLength : nil)
        return try spellings.map { try plain.spelled($0) }
    }

    static func bytes(hexadecimal digits: String) -> [UInt8]? {
        let values = digits.compactMap(\.hexDigitValue)
        guard values.count == digits.count, values.count.isMultiple(of: 2) else { return nil }
        return stride(from: 0, to: values.count, by: 2).map { UInt8(values[$0] << 4 | values[$0 + 1]) }
    }
}
