// SPDX-License-Identifier: GPL-3.0-or-later

/// Feeds hostile bytes to everything that reads Tor's replies, and traps when a promise is broken. For fuzzing (`make fuzz`) and
/// for the test that runs the corpus; nothing else calls it.
public enum Probe {
    /// Reads bytes as replies, cut in two at a place that the first byte says, makes events and values of them, and checks that
    /// what is written again is read as the same.
    public static func controlReplies(_ bytes: [UInt8]) {
        guard let first = bytes.first else { return }
        let rest = bytes.dropFirst()
        var limits = ReplyParser.Limits()
        (limits.line, limits.lines, limits.bytes) = (2048, 64, 16_384)
        var parser = ReplyParser(limits: limits)
        let cut = rest.startIndex + min(Int(first), rest.count)
        var replies: [Reply] = []
        if let some = try? parser.append(rest[..<cut]) { replies += some }
        if let some = try? parser.append(rest[cut...]) { replies += some }
        for reply in replies {
            read(reply)
            var again = ReplyParser(limits: ReplyParser.Limits())
            guard let written = try? again.append(reply.encoded) else {
                preconditionFailure("what was written is not read")
            }
            precondition(written.count == 1 && written[0].lines.count >= reply.lines.count, "a message became several")
        }
    }

    private static func read(_ reply: Reply) {
        if reply.isEvent { _ = Event(reply) }
        for pair in reply.values {
            guard let value = pair.value else { continue }
            _ = Bootstrap(phase: value)
            _ = QuotedString.value(value)
            for line in value.split(separator: "\n").prefix(64) {
                _ = Circuit(line)
                _ = StreamEvent(line)
            }
            let quoted = QuotedString.encode(value)
            precondition(!quoted.utf8.contains { $0 < 0x20 || $0 == 0x7f }, "a quoted string has a control character")
            precondition(QuotedString.value(quoted) == value, "a quoted string is read as another")
        }
        for line in reply.lines {
            guard let fields = Fields(line.text, words: 2) else { continue }
            precondition(fields.words.count + fields.pairs.count <= Fields.limit)
            precondition(!fields.text.utf8.contains { $0 < 0x20 }, "fields have a control character")
            if let command = try? Command("GETINFO", fields.words) {
                precondition(command.encoded.count { $0 == 0x0a || $0 == 0x0d } == 2, "a command became several")
            }
            if let command = try? Command.setConf(fields.pairs.map { ($0.key, $0.value) }) {
                precondition(command.encoded.count { $0 == 0x0a || $0 == 0x0d } == 2, "a command became several")
            }
        }
    }
}
