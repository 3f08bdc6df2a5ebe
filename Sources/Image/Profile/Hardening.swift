// SPDX-License-Identifier: GPL-3.0-or-later

/// What makes the kernel harder to attack: the content of `image/hardening.yaml`.
public struct Hardening: Sendable, Decodable {
    /// A word of the kernel's command line, and why.
    public struct Word: Sendable, Decodable {
        /// The word.
        public let word: String
        /// Why, for the reader.
        public let reason: String

        enum CodingKeys: String, CodingKey, CaseIterable { case word, reason }

        /// Decodes a word.
        public init(from decoder: any Decoder) throws {
            let values = try decoder.strictContainer(keyedBy: CodingKeys.self)
            word = try values.decode(String.self, .word) { word in
                let isFine =
                    !word.isEmpty && word.allSatisfy { $0.isASCII && !$0.isWhitespace && !"\"'$\\".contains($0) }
                return isFine ? nil : "'\(word)' cannot stand on a kernel command line."
            }
            reason = try values.decode(String.self, .reason) { $0.isEmpty ? "A reason is needed." : nil }
        }
    }

    /// A setting in `/proc/sys` (`sysctl.d(5)`), and why.
    public struct Setting: Sendable, Decodable {
        /// The key, with dots or slashes.
        public let key: String
        /// The value.
        public let value: String
        /// Why, for the reader.
        public let reason: String

        enum CodingKeys: String, CodingKey, CaseIterable { case key, value, reason }

        /// Decodes a setting.
        public init(from decoder: any Decoder) throws {
            let values = try decoder.strictContainer(keyedBy: CodingKeys.self)
            key = try values.decode(String.self, .key) { key in
                key.isEmpty || key.contains(where: { $0.isWhitespace || $0 == "=" })
                    ? "'\(key)' is not a sysctl key." : nil
            }
            if let number = try? values.decode(Int.self, forKey: .value) {
                value = String(number)
            } else {
                value = try values.decode(String.self, .value) {
                    $0.contains(where: \.isNewline) ? "A value is one line." : nil
                }
            }
            reason = try values.decode(String.self, .reason) { $0.isEmpty ? "A reason is needed." : nil }
        }
    }

    /// The words of the kernel's command line.
    public let kernelCommandLine: [Word]
    /// The sysctl settings.
    public let sysctls: [Setting]

    enum CodingKeys: String, CodingKey, CaseIterable { case kernelCommandLine, sysctls }

    /// Decodes the file.
    public init(from decoder: any Decoder) throws {
        let values = try decoder.strictContainer(keyedBy: CodingKeys.self)
        kernelCommandLine = try values.decode([Word].self, forKey: .kernelCommandLine)
        sysctls = try values.decode([Setting].self, forKey: .sysctls)
    }

    /// The settings as a file for `/usr/lib/sysctl.d/`.
    public var sysctlFile: String {
        "# Made from image/hardening.yaml; change it there.\n"
            + sysctls.map { "# \($0.reason)\n\($0.key) = \($0.value)\n" }.joined()
    }
}
