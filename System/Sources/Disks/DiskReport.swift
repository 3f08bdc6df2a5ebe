// SPDX-License-Identifier: GPL-3.0-or-later
import Linux

/// What was done with a disk, for whoever tells the user: one file for each below ``folder``, world-readable, lines `key=value`.
/// It has no serial number in it.
public struct DiskReport: Sendable, Hashable {
    /// What came of it.
    public enum Result: String, Sendable, Hashable {
        /// It is what the computer was started from.
        case medium
        /// Nobody writes to it.
        case protected
        /// It may be written to.
        case writable
        /// It could not be protected, so nobody may use it.
        case failed
    }

    /// Where the files are; each is named for its disk.
    public static let folder = "/run/needletail/disks"

    /// The disk's name, such as `sda`.
    public let name: String
    /// How it is connected; `nil` when it is not known.
    public let bus: String?
    /// Maker and model, as the disk says; may be empty.
    public let model: String
    /// Bytes.
    public let size: UInt64
    /// The kernel's number of the disk, so that the report is not taken for that of another one of its name.
    public let sequence: UInt64?
    /// Why; `nil` when that could not be found out.
    public let reason: Protection?
    /// What came of it.
    public let result: Result
    /// A sentence or more for the user.
    public let detail: String

    /// A report.
    public init(
        name: String, bus: String?, model: String, size: UInt64, sequence: UInt64?, reason: Protection?, result: Result,
        detail: String
    ) {
        self.name = name
        self.bus = bus
        self.model = model
        self.size = size
        self.sequence = sequence
        self.reason = reason
        self.result = result
        self.detail = detail
    }

    /// Reads a report; `nil` when it is none.
    ///
    /// - Parameter text: the content of a file.
    public init?(_ text: String) {
        let values = ReportText.values(in: text)
        guard let name = values["name"], !name.isEmpty,
            let result = values["result"].flatMap({ Result(rawValue: String($0)) })
        else { return nil }
        self.init(
            name: String(name), bus: values["bus"].map(String.init), model: values["model"].map(String.init) ?? "",
            size: values["size"].flatMap { UInt64($0) } ?? 0,
            sequence: values["sequence"].flatMap { UInt64($0) },
            reason: values["reason"].flatMap { Protection(rawValue: String($0)) }, result: result,
            detail: values["detail"].map(String.init) ?? "")
    }

    /// The content of the file.
    public var text: String {
        let lines = [
            "name=\(ReportText.printable(name))", bus.map { "bus=\(ReportText.printable($0))" },
            "model=\(ReportText.printable(model))",
            "size=\(size)",
            sequence.map { "sequence=\($0)" }, reason.map { "reason=\($0.rawValue)" }, "result=\(result.rawValue)",
            "detail=\(detail.split(whereSeparator: \.isNewline).joined(separator: " "))",
        ]
        return lines.compactMap { $0 }.joined(separator: "\n") + "\n"
    }

    /// The report on a disk; `nil` when there is none.
    ///
    /// - Parameters:
    ///   - name: the disk's name.
    ///   - folder: where the files are.
    /// - Returns: the report.
    public static func of(_ name: String, in folder: String = Self.folder) -> DiskReport? {
        guard let file = try? File("\(folder)/\(name)"), let bytes = try? file.readAll(limit: 4096) else { return nil }
        return DiskReport(String(decoding: bytes, as: UTF8.self))
    }
}
