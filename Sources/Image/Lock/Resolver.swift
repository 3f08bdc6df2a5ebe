// SPDX-License-Identifier: GPL-3.0-or-later
import Commands
import Foundation
import SystemPackage

/// Asks APT which packages a list of names comes to, without touching the machine's own package state.
public struct Resolver: Sendable {
    /// The suite's code name.
    public let suite: String
    /// Where the archives are.
    public let mirror: Mirror
    /// A folder of the resolver's own.
    public let work: FilePath
    /// Where the tools' output goes.
    public let log: FilePath

    /// The keys that may sign the archives' release files.
    static let keyring = "/usr/share/keyrings/debian-archive-keyring.gpg"

    /// Creates a resolver.
    public init(suite: String, mirror: Mirror, work: FilePath, log: FilePath) {
        self.suite = suite
        self.mirror = mirror
        self.work = work
        self.log = log
    }

    /// Fetches the archives' lists.
    public func update() async throws {
        for folder in ["state/lists/partial", "cache/archives/partial", "empty"] {
            try FileManager.default.createDirectory(
                atPath: work.appending(folder).string, withIntermediateDirectories: true)
        }
        try Data().write(to: URL(filePath: work.appending("status").string))
        let sources = """
            Types: deb
            URIs: \(mirror.debian)
            Suites: \(suite) \(suite)-updates
            Components: main non-free-firmware
            Signed-By: \(Self.keyring)

            Types: deb
            URIs: \(mirror.security)
            Suites: \(suite)-security
            Components: main non-free-firmware
            Signed-By: \(Self.keyring)

            """
        try Data(sources.utf8).write(to: URL(filePath: work.appending("needletail.sources").string))
        try await Command("apt-get", options + ["update", "--error-on=any"]).run(log: log)
    }

    /// The newest date of the fetched release files, in seconds since 1970.
    public func releaseDate() throws -> Int {
        let lists = work.appending("state/lists")
        let format = DateFormatter()
        format.locale = Locale(identifier: "en_US_POSIX")
        format.dateFormat = "EEE, dd MMM yyyy HH:mm:ss zzz"
        let dates = try FileManager.default.contentsOfDirectory(atPath: lists.string)
            .filter { $0.hasSuffix("InRelease") }
            .compactMap { try? String(contentsOfFile: lists.appending($0).string, encoding: .utf8) }
            .compactMap { text in text.split(separator: "\n").first { $0.hasPrefix("Date: ") } }
            .compactMap { format.date(from: String($0.dropFirst("Date: ".count))) }
        guard let newest = dates.max() else {
            throw ResolverError.noReleaseDate
        }
        return Int(newest.timeIntervalSince1970)
    }

    /// The packages that the essential ones, APT and the given names come to.
    ///
    /// - Throws: `ResolverError.unknownPackage` with the name that the archives do not have.
    public func resolve(_ names: [PackageName]) async throws -> [LockedPackage] {
        let text: String
        do {
            text = try await Command(
                "apt-get", options + ["--yes", "--print-uris", "install", "?essential", "apt"] + names.map(\.value)
            ).output()
        } catch let failure as CommandFailure {
            throw ResolverError.from(failure) ?? failure
        }
        return try text.split(separator: "\n").filter { $0.hasPrefix("'") }.map { try parse(String($0)) }
    }

    /// Takes apart a line of `apt-get --print-uris`: `'address' file size SHA256:digits`.
    func parse(_ line: String) throws -> LockedPackage {
        let words = line.split(separator: " ").map(String.init)
        guard words.count == 4, let size = Int(words[2]), words[3].hasPrefix("SHA256:") else {
            throw ResolverError.unreadable(line)
        }
        let address = words[0].trimmingCharacters(in: CharacterSet(charactersIn: "'"))
        guard let archive = Archive.allCases.first(where: { address.hasPrefix(mirror.address(of: $0) + "/") }) else {
            throw ResolverError.unreadable(line)
        }
        let path = String(address.dropFirst(mirror.address(of: archive).count + 1))
        let file = words[1].hasSuffix(".deb") ? String(words[1].dropLast(4)) : words[1]
        let parts = file.split(separator: "_").map(String.init)
        guard parts.count == 3, let version = parts[1].removingPercentEncoding else {
            throw ResolverError.unreadable(line)
        }
        return LockedPackage(
            name: parts[0], version: version, architecture: parts[2], archive: archive, path: path, size: size,
            sha256: String(words[3].dropFirst("SHA256:".count)))
    }

    /// The options that give APT a state of its own. The machine's other settings (proxies, credentials) stay in force.
    private var options: [String] {
        let settings = [
            "Dir::Etc::sourcelist=\(work.appending("needletail.sources"))",
            "Dir::Etc::sourceparts=\(work.appending("empty"))",
            "Dir::Etc::preferences=/dev/null",
            "Dir::Etc::preferencesparts=\(work.appending("empty"))",
            "Dir::State=\(work.appending("state"))",
            "Dir::State::status=\(work.appending("status"))",
            "Dir::Cache=\(work.appending("cache"))",
            "APT::Architecture=amd64", "APT::Architectures=amd64", "APT::Install-Recommends=false",
            "APT::Sandbox::User=root", "Acquire::ForceHash=sha256", "Acquire::Languages=none",
        ]
        return ["--quiet"] + settings.flatMap { ["-o", $0] }
    }
}

/// Why packages could not be resolved.
public enum ResolverError: Error, CustomStringConvertible, Equatable {
    /// The archives do not have a package of this name.
    case unknownPackage(String)
    /// A line of APT's that is not understood.
    case unreadable(String)
    /// No release file has a date.
    case noReleaseDate

    static func from(_ failure: CommandFailure) -> ResolverError? {
        for line in failure.lastLines {
            if let match = line.firstMatch(of: /Unable to locate package (\S+)/)
                ?? line.firstMatch(of: /Package '?([^' ]+)'? has no installation candidate/)
            {
                return .unknownPackage(String(match.1))
            }
        }
        return nil
    }

    /// The error for a person.
    public var description: String {
        switch self {
        case .unknownPackage(let name): "The archives have no package '\(name)'. Was it renamed or misspelt?"
        case .unreadable(let line): "APT wrote a line that is not understood: \(line)"
        case .noReleaseDate: "None of the archives' release files has a date."
        }
    }
}
