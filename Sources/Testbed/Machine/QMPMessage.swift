// SPDX-License-Identifier: GPL-3.0-or-later
import Foundation

/// Something that happened in the machine, as QEMU tells it.
public struct MachineEvent: Sendable, Hashable, CustomStringConvertible {
    /// QEMU's name for it: `SHUTDOWN`, `RESET`, `STOP`, `DEVICE_DELETED` …
    public let name: String
    /// What it carries.
    public let data: JSONValue
    /// Seconds since 1970 by the maker's clock, with fractions.
    public let time: Double

    /// Name and data.
    public var description: String { "\(name) \(data.line)" }
}

/// A line of QMP. See: QEMU's "QEMU Machine Protocol Specification".
enum QMPMessage: Sendable, Hashable {
    case greeting
    case reply(id: Int?, JSONValue)
    case failure(id: Int?, kind: String, words: String)
    case event(MachineEvent)

    /// Reads a line; `nil` for what is no message.
    init?(_ line: [UInt8]) {
        guard let value = try? JSONDecoder().decode(JSONValue.self, from: Data(line)), case .object(let fields) = value
        else {
            return nil
        }
        var id: Int?
        if case .integer(let number)? = fields["id"] { id = number }
        if fields["QMP"] != nil {
            self = .greeting
        } else if let name = fields["event"]?.text {
            self = .event(MachineEvent(name: name, data: fields["data"] ?? [:], time: Self.time(fields["timestamp"])))
        } else if let error = fields["error"] {
            self = .failure(id: id, kind: error["class"]?.text ?? "", words: error["desc"]?.text ?? "no reason given")
        } else if let answer = fields["return"] {
            self = .reply(id: id, answer)
        } else {
            return nil
        }
    }

    private static func time(_ stamp: JSONValue?) -> Double {
        guard case .integer(let seconds)? = stamp?["seconds"], case .integer(let micro)? = stamp?["microseconds"] else {
            return 0
        }
        return Double(seconds) + Double(micro) / 1e6
    }
}

/// Cuts a stream of bytes into lines, however the pieces fall.
struct LineSplitter: Sendable {
    private var pending: [UInt8] = []
    private let limit: Int

    /// A splitter that gives up (`append` returns `nil`) when a line is longer than the limit in bytes.
    init(limit: Int = 16 << 20) { self.limit = limit }

    /// Takes a piece and returns the lines that it completes, without their ends; `nil` when a line is too long.
    mutating func append(_ piece: [UInt8]) -> [[UInt8]]? {
        var lines: [[UInt8]] = []
        var rest = piece[...]
        while let end = rest.firstIndex(of: 10) {
            pending += rest[..<end]
            guard pending.count <= limit else { return nil }
            if pending.last == 13 { pending.removeLast() }
            lines.append(pending)
            pending = []
            rest = rest[(end + 1)...]
        }
        pending += rest
        return pending.count <= limit ? lines : nil
    }
}
