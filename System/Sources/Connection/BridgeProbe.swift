// SPDX-License-Identifier: GPL-3.0-or-later
import TorControl

/// Feeds hostile text to the reader of bridge lines, and traps when a promise is broken. For fuzzing (`make fuzz`) and for the test
/// that runs the corpus; nothing else calls it.
public enum BridgeProbe {
    /// Looks at a text, and checks that its verdicts can be shown, that a bridge is read again as the same, and that it reaches
    /// Tor as one setting.
    public static func lines(_ bytes: [UInt8]) {
        let text = String(decoding: bytes, as: UTF8.self)
        let verdicts = BridgeText.check(text)
        precondition(verdicts.count <= BridgeText.bridgeLimit + 1, "more verdicts than lines are looked at")
        var line = 0
        var endpoints: Set<String> = []
        for verdict in verdicts {
            precondition(verdict.line > line, "the lines are out of order")
            line = verdict.line
            switch verdict.result {
            case .success(let bridge):
                check(bridge)
                precondition(
                    endpoints.insert("\(bridge.transport) \(bridge.endpoint)").inserted, "a bridge is there twice")
            case .failure(let problem): check(problem)
            }
        }
        let isRight = !verdicts.isEmpty && verdicts.allSatisfy { (try? $0.result.get()) != nil }
        precondition((BridgeText.bridges(in: text) != nil) == isRight, "a wrong text gives bridges")
    }

    private static func check(_ bridge: Bridge) {
        precondition(bridge.line.utf8.allSatisfy { (0x20...0x7e).contains($0) && $0 != 0x22 && $0 != 0x5c })
        precondition(bridge.line.utf8.count <= BridgeText.lineLimit && bridge.port > 0)
        precondition(BridgeText.bridges(in: bridge.line) == [bridge], "a bridge is read as another")
        let octets = bridge.address.split(separator: ".").compactMap { UInt8($0) }
        precondition(octets.count == 4 && octets[0] != 0 && octets[0] != 127 && octets[0] < 224, "no bridge's address")
        guard let command = try? Command.setConf([("Bridge", bridge.line)]) else {
            preconditionFailure("a bridge cannot be told to Tor")
        }
        precondition(command.encoded.count { $0 == 0x0a || $0 == 0x0d } == 2, "a setting became several commands")
    }

    private static func check(_ problem: BridgeProblem) {
        precondition((1...BridgeText.limit + 1).contains(problem.column), "a column outside the text")
        precondition((problem.word?.utf8.count ?? 0) <= 60, "a word is not cut")
        precondition(problem.description.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7f })
        precondition(problem.description.utf8.count <= 2 * BridgeText.lineLimit, "a sentence nobody reads")
    }
}
