// SPDX-License-Identifier: GPL-3.0-or-later
import Linux

/// What was done with a network interface, for whoever tells the user: one file for each below ``folder``, world-readable, lines
/// `key=value`. It never has the card's own address in it.
public struct InterfaceReport: Sendable, Hashable {
    /// What came of it.
    public enum Result: String, Sendable, Hashable {
        /// It has a random address.
        case randomised
        /// It has a random address of its vendor.
        case vendor
        /// It has its own address, as the user chose.
        case permanent
        /// It is off and stays off.
        case failed
    }

    /// Where the files are; each is named for its interface.
    public static let folder = "/run/needletail/interfaces"

    /// The interface's name.
    public let name: String
    /// Its driver; `nil` when it is not known.
    public let driver: String?
    /// What was to be done.
    public let policy: AddressPolicy
    /// What came of it.
    public let result: Result
    /// A sentence or more for the user.
    public let detail: String

    /// A report.
    ///
    /// - Parameters:
    ///   - name: the interface's name.
    ///   - driver: its driver.
    ///   - policy: what was to be done.
    ///   - result: what came of it.
    ///   - detail: a sentence for the user.
    public init(name: String, driver: String?, policy: AddressPolicy, result: Result, detail: String) {
        self.name = name
        self.driver = driver
        self.policy = policy
        self.result = result
        self.detail = detail
    }

    /// Reads a report; `nil` when it is none.
    ///
    /// - Parameter text: the content of a file.
    public init?(_ text: String) {
        let values = ReportText.values(in: text)
        guard let name = values["name"], !name.isEmpty,
            let policy = values["policy"].flatMap({ AddressPolicy(rawValue: String($0)) }),
            let result = values["result"].flatMap({ Result(rawValue: String($0)) })
        else { return nil }
        self.init(
            name: String(name), driver: values["driver"].map(String.init), policy: policy, result: result,
            detail: values["detail"].map(String.init) ?? "")
    }

    /// The content of the file.
    public var text: String {
        let lines = [
            "name=\(ReportText.printable(name))", driver.map { "driver=\(ReportText.printable($0))" },
            "policy=\(policy.rawValue)", "result=\(result.rawValue)",
            "detail=\(detail.replacing(newlines: " "))",
        ]
        return lines.compactMap { $0 }.joined(separator: "\n") + "\n"
    }

    /// The reports on all interfaces that are there, by name.
    ///
    /// - Parameter folder: where the files are.
    /// - Returns: at most 64 of them.
    public static func all(in folder: String = Self.folder) -> [InterfaceReport] {
        FileTree.names(in: folder).filter { !$0.hasPrefix(".") }.prefix(64).compactMap { name in
            guard let file = try? File("\(folder)/\(name)"), let bytes = try? file.readAll(limit: 4096) else {
                return nil
            }
            return InterfaceReport(String(decoding: bytes, as: UTF8.self))
        }
    }
}

extension String {
    fileprivate func replacing(newlines replacement: Character) -> String {
        String(map { $0.isNewline ? replacement : $0 })
    }
}
