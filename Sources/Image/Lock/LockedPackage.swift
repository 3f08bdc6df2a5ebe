// SPDX-License-Identifier: GPL-3.0-or-later
import Foundation

/// The two archives of Debian from which packages come.
public enum Archive: String, Sendable, Codable, CaseIterable {
    /// The main archive.
    case debian
    /// The security team's.
    case security
}

/// One package, pinned: exact version, exact bits.
public struct LockedPackage: Sendable, Hashable, Codable {
    /// The package's name.
    public let name: String
    /// Its version with epoch and revision.
    public let version: String
    /// Its architecture: `amd64` or `all`.
    public let architecture: String
    /// The archive that has it.
    public let archive: Archive
    /// Its path below the archive's address.
    public let path: String
    /// Its size in bytes.
    public let size: Int
    /// SHA-256 of the `.deb`, 64 lower-case hexadecimal digits.
    public let sha256: String

    enum CodingKeys: String, CodingKey, CaseIterable { case name, version, architecture, archive, path, size, sha256 }

    /// Creates an entry.
    public init(
        name: String, version: String, architecture: String, archive: Archive, path: String, size: Int, sha256: String
    ) {
        self.name = name
        self.version = version
        self.architecture = architecture
        self.archive = archive
        self.path = path
        self.size = size
        self.sha256 = sha256
    }

    /// Decodes and checks an entry: the path goes into an address and the name into a file name, so both are plain.
    public init(from decoder: any Decoder) throws {
        let values = try decoder.strictContainer(keyedBy: CodingKeys.self)
        func isPlain(_ text: String) -> Bool {
            !text.isEmpty && text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "+-.~:_/%".contains($0)) }
        }
        name = try values.decode(String.self, .name) { isPlain($0) && !$0.contains("/") ? nil : "Not a name: '\($0)'." }
        version = try values.decode(String.self, .version) {
            isPlain($0) && !$0.contains("/") ? nil : "Not a version: '\($0)'."
        }
        architecture = try values.decode(String.self, .architecture) {
            ["amd64", "all"].contains($0) ? nil : "Neither amd64 nor all: '\($0)'."
        }
        archive = try values.decode(Archive.self, forKey: .archive)
        path = try values.decode(String.self, .path) { path in
            isPlain(path) && !path.hasPrefix("/") && !path.split(separator: "/").contains("..")
                ? nil : "'\(path)' is not a path below the archive."
        }
        size = try values.decode(Int.self, .size) { $0 > 0 ? nil : "Has to be greater than 0." }
        sha256 = try values.decode(String.self, .sha256) { digits in
            digits.count == 64 && digits.allSatisfy { $0.isHexDigit && !$0.isUppercase }
                ? nil : "Not a SHA-256: '\(digits)'."
        }
    }

    /// The file's name in a folder of packages.
    public var fileName: String {
        "\(name)_\(version.replacing(":", with: "%3a"))_\(architecture).deb"
    }
}
