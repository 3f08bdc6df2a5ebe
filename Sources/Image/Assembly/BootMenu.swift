// SPDX-License-Identifier: GPL-3.0-or-later

/// GRUB's configuration, made from a template whose placeholders (`@name@`) are filled in.
struct BootMenu {
    /// What the placeholders stand for: text that can stand in a GRUB script as it is.
    private let values: [String: String]

    /// Takes what the menu shows and hands to the kernel.
    ///
    /// - Parameters:
    ///   - version: letters, digits and `.+~-`.
    ///   - kernelCommandLine: words that GRUB can hand on unchanged.
    ///   - system: the system partition's unique GUID as text.
    /// - Throws: `MediaFailure` for a version or word that cannot be.
    init(version: String, kernelCommandLine: [String], system: String) throws(MediaFailure) {
        guard (1...40).contains(version.utf8.count), version.utf8.allSatisfy({ Self.isPlain($0) || $0 == 0x7e }) else {
            throw .version(version)
        }
        var words: [String] = []
        for word in kernelCommandLine { words.append(try Self.scriptWord(word)) }
        values = [
            "version": version, "title": "'Needletail \(version)'", "options": words.joined(separator: " "),
            "system": system,
        ]
    }

    /// Fills a template in.
    ///
    /// - Throws: `MediaFailure.placeholder` when the template has one that is not known.
    func render(_ template: String) throws(MediaFailure) -> String {
        var lines: [String] = []
        for (index, line) in template.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            var rendered = ""
            // Text and placeholders alternate; an at-sign has no other use in a template.
            let pieces = line.split(separator: "@", omittingEmptySubsequences: false)
            for (place, piece) in pieces.enumerated() {
                if place % 2 == 0 {
                    rendered += piece
                } else if let value = values[String(piece)], place < pieces.count - 1 {
                    rendered += value
                } else {
                    throw .placeholder(String(piece), line: index + 1)
                }
            }
            lines.append(rendered)
        }
        return lines.joined(separator: "\n")
    }

    /// A kernel word as it has to be written in a GRUB script.
    ///
    /// GRUB's `linux` command puts its arguments together again with escapes of its own (`grub_create_loader_cmdline`),
    /// which the kernel does not undo in the same way: so words with spaces, quotes or backslashes are refused. All
    /// else that means something to GRUB's shell loses its meaning between single quotes.
    static func scriptWord(_ word: String) throws(MediaFailure) -> String {
        guard !word.isEmpty, word.utf8.allSatisfy({ (0x21...0x7e).contains($0) && !Self.refused.contains($0) }) else {
            throw .kernelWord(word)
        }
        return word.utf8.allSatisfy(isPlain) ? word : "'\(word)'"
    }

    private static let refused = Set("'\"\\".utf8)

    /// Whether a byte means nothing to GRUB's shell.
    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: true
        default: "_-./=:,+%".utf8.contains(byte)
        }
    }
}
