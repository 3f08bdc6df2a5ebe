// SPDX-License-Identifier: GPL-3.0-or-later
import SystemPackage

/// What an image is made of: the content of a file in `image/profiles/`.
public struct Profile: Sendable, Decodable {
    /// The name, as it stands in the names of the outputs: lower-case letters, digits and hyphens.
    public let name: String
    /// Debian's code name of the suite, `trixie`.
    public let suite: String
    /// The packages by name; what they depend on is resolved when the lock is made.
    public let packages: [PackageName]
    /// Paths that dpkg does not unpack at all, so that no package's script can run them.
    public let installWithout: [PathRule]
    /// Paths that dpkg unpacks all the same, though `installWithout` names them.
    public let installWith: [PathRule]
    /// Paths of the installed system that are left out of the image.
    public let exclude: [PathRule]
    /// Programs of the package `System/` that come into the image.
    public let programs: [SystemProgram]
    /// Folders below `image/files/` that are laid over the system, in this order.
    public let files: [TreeName]
    /// Accounts that no package makes.
    public let users: [User]
    /// Units that are started.
    public let enable: [EnabledUnit]
    /// Units that can never be started.
    public let mask: [MaskedUnit]
    /// Symbolic links added to the tree.
    public let links: [Link]
    /// Files whose mode or owner is not the usual one.
    public let modes: [Mode]
    /// What systemd starts, `multi-user.target`.
    public let defaultTarget: String

    enum CodingKeys: String, CodingKey, CaseIterable {
        case name, suite, packages, installWithout, installWith, exclude, programs, files, users, enable, mask, links,
            modes,
            defaultTarget
    }

    /// Decodes a profile; every key that it does not know is an error.
    public init(from decoder: any Decoder) throws {
        let values = try decoder.strictContainer(keyedBy: CodingKeys.self)
        name = try values.decode(String.self, .name) { name in
            let isFine = !name.isEmpty && name.allSatisfy { $0.isASCII && ($0.isLowercase || $0.isNumber || $0 == "-") }
            return isFine ? nil : "'\(name)' has to be of lower-case letters, digits and hyphens."
        }
        suite = try values.decode(String.self, .suite) { suite in
            suite.allSatisfy { $0.isASCII && $0.isLowercase } && !suite.isEmpty
                ? nil : "'\(suite)' is not a code name of Debian's."
        }
        packages = try values.decode([PackageName].self, forKey: .packages)
        installWithout = try values.decodeIfPresent([PathRule].self, forKey: .installWithout) ?? []
        installWith = try values.decodeIfPresent([PathRule].self, forKey: .installWith) ?? []
        exclude = try values.decodeIfPresent([PathRule].self, forKey: .exclude) ?? []
        programs = try values.decodeIfPresent([SystemProgram].self, forKey: .programs) ?? []
        files = try values.decodeIfPresent([TreeName].self, forKey: .files) ?? []
        users = try values.decodeIfPresent([User].self, forKey: .users) ?? []
        for (index, user) in users.enumerated() {
            // Two accounts with one number are one account: each could do what the other may.
            if let other = users[..<index].first(where: {
                $0.uid == user.uid || $0.gid == user.gid || $0.name == user.name
            }) {
                throw values.error(.users, "'\(user.name)' and '\(other.name)' share a name or a number.")
            }
        }
        enable = try values.decodeIfPresent([EnabledUnit].self, forKey: .enable) ?? []
        mask = try values.decodeIfPresent([MaskedUnit].self, forKey: .mask) ?? []
        links = try values.decodeIfPresent([Link].self, forKey: .links) ?? []
        modes = try values.decodeIfPresent([Mode].self, forKey: .modes) ?? []
        defaultTarget = try values.decode(UnitName.self, forKey: .defaultTarget).value
    }
}

/// A Debian package's name (Debian Policy 5.6.1: at least two of `a-z0-9+-.`, the first a letter or digit).
public struct PackageName: Sendable, Hashable, Decodable {
    /// The name.
    public let value: String

    /// Decodes and checks a name.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        value = try container.decode(String.self)
        let isFine =
            value.count >= 2 && value.first.map { $0.isASCII && ($0.isLowercase || $0.isNumber) } == true
            && value.allSatisfy { $0.isASCII && ($0.isLowercase || $0.isNumber || "+-.".contains($0)) }
        guard isFine else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "'\(value)' is not a package's name.")
        }
    }
}

/// A folder below `image/files/`: one plain path segment, so that nothing outside can be reached.
public struct TreeName: Sendable, Decodable {
    /// The folder's name.
    public let value: String

    /// Decodes and checks a name.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        value = try container.decode(String.self)
        guard !value.isEmpty, !value.contains("/"), value != ".", value != ".." else {
            throw DecodingError.dataCorruptedError(
                in: container,
                debugDescription: "'\(value)' has to be the name of a folder in image/files/, not a path out of it.")
        }
    }
}

/// A path in the image: absolute, without `.` and `..`.
public struct ImagePath: Sendable, Hashable, Decodable {
    /// The path with its leading slash.
    public let value: String

    /// Decodes and checks a path.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        value = try container.decode(String.self)
        if let problem = Self.problem(with: value) {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: problem)
        }
    }

    static func problem(with path: String) -> String? {
        guard path.hasPrefix("/"), path.count > 1 else { return "'\(path)' has to be an absolute path." }
        let segments = path.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
        if segments.contains(where: { $0 == ".." || $0 == "." }) {
            return "'\(path)' escapes the tree: '.' and '..' are not allowed."
        }
        if segments.dropLast().contains("") { return "'\(path)' has an empty part." }
        return nil
    }
}

/// A unit's name with its suffix.
struct UnitName: Decodable {
    let value: String
    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        value = try container.decode(String.self)
        let suffixes = [".service", ".socket", ".target", ".timer", ".path", ".mount", ".automount", ".swap", ".slice"]
        guard suffixes.contains(where: value.hasSuffix), !value.contains("/") else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "'\(value)' is not a unit's name with its suffix.")
        }
    }
}
