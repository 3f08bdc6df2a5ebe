// SPDX-License-Identifier: GPL-3.0-or-later
import Foundation
import SystemPackage

/// The exact packages of which an image and its build root are made: a file in `image/locks/`.
public struct Lock: Sendable, Equatable, Codable {
    /// Debian's code name of the suite.
    public let suite: String
    /// The newest date of the archives' release files when the lock was made, in seconds since 1970.
    public let date: Int
    /// The packages of the image.
    public let system: [LockedPackage]
    /// The packages of the build root.
    public let buildRoot: [LockedPackage]

    enum CodingKeys: String, CodingKey, CaseIterable { case suite, date, system, buildRoot }

    /// Creates a lock; the packages are sorted by name.
    public init(suite: String, date: Int, system: [LockedPackage], buildRoot: [LockedPackage]) {
        self.suite = suite
        self.date = date
        self.system = system.sorted { $0.name < $1.name }
        self.buildRoot = buildRoot.sorted { $0.name < $1.name }
    }

    /// Decodes a lock; a package named twice is an error.
    public init(from decoder: any Decoder) throws {
        let values = try decoder.strictContainer(keyedBy: CodingKeys.self)
        suite = try values.decode(String.self, forKey: .suite)
        date = try values.decode(Int.self, forKey: .date)
        func packages(_ key: CodingKeys) throws -> [LockedPackage] {
            let list = try values.decode([LockedPackage].self, forKey: key)
            var seen: Set<String> = []
            for package in list where !seen.insert(package.name).inserted {
                throw values.error(key, "The package '\(package.name)' stands here twice.")
            }
            return list
        }
        system = try packages(.system)
        buildRoot = try packages(.buildRoot)
    }

    /// Reads a lock file (JSON, which is YAML too, so that errors name lines).
    public static func read(_ path: FilePath) throws -> Lock {
        guard FileManager.default.fileExists(atPath: path.string) else {
            throw DataFileError(
                file: path.string, line: nil, field: "",
                problem: "There is no lock for this profile yet. Make it with: needletail lock")
        }
        return try DataFile.decode(Lock.self, from: path)
    }

    /// The file's text: JSON with one package a line, so that a change of one is a change of one line.
    public var text: String {
        func line(_ package: LockedPackage) -> String {
            let pairs: [(String, String)] = [
                ("name", package.name), ("version", package.version), ("architecture", package.architecture),
                ("archive", package.archive.rawValue), ("path", package.path),
            ]
            let words =
                pairs.map { "\"\($0)\": \"\($1)\"" } + [
                    "\"size\": \(package.size)", "\"sha256\": \"\(package.sha256)\"",
                ]
            return "    {\(words.joined(separator: ", "))}"
        }
        func block(_ packages: [LockedPackage]) -> String {
            packages.isEmpty ? "[]" : "[\n\(packages.map(line).joined(separator: ",\n"))\n  ]"
        }
        return """
            {
              "suite": "\(suite)",
              "date": \(date),
              "system": \(block(system)),
              "buildRoot": \(block(buildRoot))
            }

            """
    }

    /// What differs between two lists of packages, one line a package.
    public struct Change: Sendable, Equatable {
        /// The package.
        public let name: String
        /// The version before; `nil` for a new package.
        public let before: String?
        /// The version after; `nil` for one that is gone.
        public let after: String?
    }

    /// What changed from one list of packages to another, by name; equal versions with other bits count too.
    public static func changes(from old: [LockedPackage], to new: [LockedPackage]) -> [Change] {
        let before = Dictionary(old.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        let after = Dictionary(new.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        return Set(before.keys).union(after.keys).sorted().compactMap { name in
            guard before[name]?.sha256 != after[name]?.sha256 else { return nil }
            return Change(name: name, before: before[name]?.version, after: after[name]?.version)
        }
    }

    /// Changes as a table for a person.
    public static func table(_ changes: [Change]) -> String {
        let rows = [("package", "before", "after")] + changes.map { ($0.name, $0.before ?? "–", $0.after ?? "removed") }
        let first = rows.map(\.0.count).max() ?? 0
        let second = rows.map(\.1.count).max() ?? 0
        return rows.map { name, before, after in
            name.padding(toLength: first + 2, withPad: " ", startingAt: 0)
                + before.padding(toLength: second + 2, withPad: " ", startingAt: 0) + after
        }.joined(separator: "\n")
    }
}
