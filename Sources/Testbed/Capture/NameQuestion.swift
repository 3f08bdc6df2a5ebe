// SPDX-License-Identifier: GPL-3.0-or-later

/// The one question of a name server's client (RFC 1035, 4.1): nothing is taken for one that holds anything beside it, but for
/// the empty record that says how long an answer may be (RFC 6891).
struct NameQuestion: Sendable, Hashable {
    /// The name, in lower case, with dots.
    let name: String

    init?(_ payload: some Collection<UInt8>) {
        let bytes = Array(payload)
        // Number, flags (only "recursion desired" and "authentic data"), counts: one question, no answers.
        guard (17...512).contains(bytes.count), bytes[2] == 1, bytes[3] & 0xDF == 0,
            bytes[4..<10].elementsEqual([0, 1, 0, 0, 0, 0]), bytes[10] == 0, bytes[11] <= 1
        else { return nil }
        var labels: [String] = []
        var place = 12
        while place < bytes.count, bytes[place] > 0 {
            let length = Int(bytes[place])
            guard length < 64, place + length < bytes.count else { return nil }
            let label = bytes[(place + 1)...(place + length)]
            guard label.allSatisfy({ (0x21...0x7E).contains($0) && $0 != 0x2E }) else { return nil }
            labels.append(String(decoding: label, as: UTF8.self).lowercased())
            place += length + 1
        }
        // The end of the name; A or AAAA; of the internet.
        let rest = Array(bytes[min(place, bytes.count)...])
        guard !labels.isEmpty, rest.count >= 5, rest[0] == 0, rest[1] == 0, [1, 28].contains(rest[2]), rest[3] == 0,
            rest[4] == 1
        else { return nil }
        let record = Array(rest[5...])
        if bytes[11] == 0 {
            guard record.isEmpty else { return nil }
        } else {
            // No name, type 41, a size, no flags but "DNSSEC", no options.
            guard record.count == 11, record[..<3].elementsEqual([0, 0, 41]), record[5] == 0, record[6] == 0,
                record[7] & 0x7F == 0, record[8...].elementsEqual([0, 0, 0])
            else { return nil }
        }
        name = labels.joined(separator: ".")
    }
}
