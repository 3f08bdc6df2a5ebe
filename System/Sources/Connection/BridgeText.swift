// SPDX-License-Identifier: GPL-3.0-or-later

/// Bridges as a person enters them: lines as Tor's web site and e-mails have them, or the text of a QR code, which is a list of
/// such lines. Hostile text costs no more than one look at each byte.
public enum BridgeText {
    /// Bytes of a whole text.
    public static let limit = 32_768
    /// Bytes of one line.
    public static let lineLimit = 1_024
    /// Bridges in a text. Tor keeps connections to several, and nobody gets more than a few.
    public static let bridgeLimit = 32

    /// Looks at a text line by line. Empty lines, and lines that start with `#`, have no verdict.
    ///
    /// - Parameter text: lines, or a list like `['obfs4 …', 'obfs4 …']`.
    /// - Returns: a verdict for each line, in order.
    public static func check(_ text: String) -> [BridgeVerdict] {
        guard text.utf8.count <= limit else {
            return [problem(1, "This text is too long.", "\(limit / 1024) KiB are more than enough for all bridges.")]
        }
        let lines: [(number: Int, text: Substring.UTF8View)]
        let list: [String]
        switch BridgeList.entries(in: text) {
        case .noList:
            // Line ends of every system; a carriage return before a line feed is part of the end.
            lines = text.utf8.split(separator: 0x0a, omittingEmptySubsequences: false).enumerated().map {
                ($0.offset + 1, $0.element.last == 0x0d ? $0.element.dropLast() : $0.element)
            }
        case .list(let entries):
            list = entries
            lines = list.enumerated().map { ($0.offset + 1, Substring($0.element).utf8) }
        case .broken(let place):
            return [
                BridgeVerdict(
                    line: 1,
                    result: .failure(
                        BridgeProblem(
                            place, nil, "This list does not end as lists do.",
                            "The text of a QR code looks like ['obfs4 …', 'obfs4 …'].")))
            ]
        }
        return verdicts(on: lines)
    }

    /// The bridges of a text in which every line is right.
    ///
    /// - Returns: at least one bridge; `nil` when a line is wrong, or there is none.
    public static func bridges(in text: String) -> [Bridge]? {
        let bridges = check(text).map { try? $0.result.get() }
        return bridges.isEmpty || bridges.contains(nil) ? nil : bridges.compactMap(\.self)
    }

    private static func verdicts(on lines: [(number: Int, text: Substring.UTF8View)]) -> [BridgeVerdict] {
        var verdicts: [BridgeVerdict] = []
        var seen: [String: Int] = [:]
        for (number, bytes) in lines {
            guard let first = bytes.first(where: { $0 != 0x20 && $0 != 0x09 }), first != UInt8(ascii: "#") else {
                continue
            }
            guard verdicts.count < bridgeLimit else {
                verdicts.append(problem(number, "There are too many lines.", "\(bridgeLimit) bridges are enough."))
                break
            }
            do throws(BridgeProblem) {
                let bridge = try BridgeLine.bridge(in: Array(bytes))
                if let earlier = seen.updateValue(number, forKey: "\(bridge.transport) \(bridge.endpoint)") {
                    throw BridgeProblem(
                        1, bridge.endpoint, "This bridge is there already, in line \(earlier).",
                        "Leave one of the two lines out.")
                }
                verdicts.append(BridgeVerdict(line: number, result: .success(bridge)))
            } catch {
                verdicts.append(BridgeVerdict(line: number, result: .failure(error)))
            }
        }
        return verdicts
    }

    private static func problem(_ line: Int, _ problem: String, _ expected: String) -> BridgeVerdict {
        BridgeVerdict(line: line, result: .failure(BridgeProblem(1, nil, problem, expected)))
    }
}

/// The list in a QR code from Tor: strings in single or double quotes between brackets, as Python and JSON write them.
enum BridgeList {
    enum Entries {
        case noList
        case list([String])
        /// At this character, from 1.
        case broken(Int)
    }

    static func entries(in text: String) -> Entries {
        let bytes = Array(text.utf8)
        var place = 0
        func skipSpace() {
            while place < bytes.count, [0x20, 0x09, 0x0a, 0x0d].contains(bytes[place]) { place += 1 }
        }
        skipSpace()
        guard place < bytes.count, bytes[place] == UInt8(ascii: "[") else { return .noList }
        // A line may start with the address of an IPv6 bridge.
        var next = place + 1
        while next < bytes.count, [0x20, 0x09, 0x0a, 0x0d].contains(bytes[next]) { next += 1 }
        guard next < bytes.count, [UInt8(ascii: "'"), UInt8(ascii: "\""), UInt8(ascii: "]")].contains(bytes[next])
        else { return .noList }
        place = next
        var entries: [String] = []
        if bytes[place] != UInt8(ascii: "]") {
            while true {
                skipSpace()
                guard place < bytes.count, bytes[place] == UInt8(ascii: "'") || bytes[place] == UInt8(ascii: "\"")
                else { return .broken(place + 1) }
                let quote = bytes[place]
                place += 1
                var entry: [UInt8] = []
                while place < bytes.count, bytes[place] != quote {
                    // A sign after a backslash is the sign itself: bridge lines have none of those that mean another.
                    if bytes[place] == UInt8(ascii: "\\"), place + 1 < bytes.count { place += 1 }
                    entry.append(bytes[place])
                    place += 1
                }
                guard place < bytes.count else { return .broken(place + 1) }
                place += 1
                entries.append(String(decoding: entry, as: UTF8.self))
                skipSpace()
                guard place < bytes.count, bytes[place] == UInt8(ascii: ",") else { break }
                place += 1
            }
        }
        guard place < bytes.count, bytes[place] == UInt8(ascii: "]") else { return .broken(place + 1) }
        place += 1
        skipSpace()
        return place == bytes.count ? .list(entries) : .broken(place + 1)
    }
}
