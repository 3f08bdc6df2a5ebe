// SPDX-License-Identifier: GPL-3.0-or-later

/// Paths that are left out, or kept though they would be, and why.
public struct PathRule: Sendable, Decodable {
    /// A glob: `*` and `?` within a segment, `**` across segments.
    public let path: ImagePath
    /// Why, for the reader.
    public let reason: String

    enum CodingKeys: String, CodingKey, CaseIterable { case path, reason }

    /// Decodes a rule.
    public init(from decoder: any Decoder) throws {
        let values = try decoder.strictContainer(keyedBy: CodingKeys.self)
        path = try values.decode(ImagePath.self, forKey: .path)
        reason = try values.decode(String.self, .reason) { $0.isEmpty ? "A reason is needed." : nil }
    }
}

/// A program of ours in the image.
public struct SystemProgram: Sendable, Decodable {
    /// The name of the executable target in `System/Package.swift`.
    public let name: String
    /// Where it lies in the image.
    public let path: ImagePath
    /// What it is there for.
    public let reason: String

    enum CodingKeys: String, CodingKey, CaseIterable { case name, path, reason }

    /// Decodes a program.
    public init(from decoder: any Decoder) throws {
        let values = try decoder.strictContainer(keyedBy: CodingKeys.self)
        name = try values.decode(String.self, .name) { name in
            let isFine = name.allSatisfy { $0.isASCII && ($0.isLowercase || $0.isNumber || $0 == "-") }
            return isFine && name.first?.isLowercase == true ? nil : "'\(name)' is not a program's name."
        }
        path = try values.decode(ImagePath.self, forKey: .path)
        reason = try values.decode(String.self, .reason) { $0.isEmpty ? "A reason is needed." : nil }
    }
}

/// An account in `passwd`, `group` and `shadow` (`passwd(5)`), with a locked password.
public struct User: Sendable, Decodable {
    /// The login name, also that of its group.
    public let name: String
    /// The user's number.
    public let uid: UInt32
    /// The group's number.
    public let gid: UInt32
    /// The full name.
    public let comment: String
    /// The home folder.
    public let home: ImagePath
    /// The login shell.
    public let shell: ImagePath
    /// Further groups, which packages have made.
    public let groups: [String]

    enum CodingKeys: String, CodingKey, CaseIterable { case name, uid, gid, comment, home, shell, groups }

    /// Decodes an account.
    public init(from decoder: any Decoder) throws {
        let values = try decoder.strictContainer(keyedBy: CodingKeys.self)
        name = try values.decode(String.self, .name) { name in
            name.allSatisfy { $0.isASCII && ($0.isLowercase || $0.isNumber || $0 == "-" || $0 == "_") }
                && name.first?.isLowercase == true ? nil : "'\(name)' is not a login name."
        }
        uid = try values.decode(UInt32.self, forKey: .uid)
        gid = try values.decode(UInt32.self, forKey: .gid)
        comment = try values.decodeIfPresent(String.self, forKey: .comment) ?? ""
        home = try values.decode(ImagePath.self, forKey: .home)
        shell = try values.decode(ImagePath.self, forKey: .shell)
        groups = try values.decodeIfPresent([String].self, forKey: .groups) ?? []
        if comment.contains(where: { $0 == ":" || $0.isNewline }) {
            throw values.error(.comment, "A colon or a line break cannot stand in passwd.")
        }
    }
}

/// A unit that is started with another.
public struct EnabledUnit: Sendable, Decodable {
    /// The unit.
    public let unit: String
    /// The unit that wants it.
    public let wantedBy: String
    /// Why, for the reader.
    public let reason: String

    enum CodingKeys: String, CodingKey, CaseIterable { case unit, wantedBy, reason }

    /// Decodes an enabled unit.
    public init(from decoder: any Decoder) throws {
        let values = try decoder.strictContainer(keyedBy: CodingKeys.self)
        unit = try values.decode(UnitName.self, forKey: .unit).value
        wantedBy = try values.decode(UnitName.self, forKey: .wantedBy).value
        reason = try values.decodeIfPresent(String.self, forKey: .reason) ?? ""
    }
}

/// A unit that can never be started, and why.
public struct MaskedUnit: Sendable, Decodable {
    /// The unit.
    public let unit: String
    /// Why, for the reader.
    public let reason: String

    enum CodingKeys: String, CodingKey, CaseIterable { case unit, reason }

    /// Decodes a masked unit.
    public init(from decoder: any Decoder) throws {
        let values = try decoder.strictContainer(keyedBy: CodingKeys.self)
        unit = try values.decode(UnitName.self, forKey: .unit).value
        reason = try values.decode(String.self, .reason) { $0.isEmpty ? "A reason is needed." : nil }
    }
}

/// A symbolic link in the image.
public struct Link: Sendable, Decodable {
    /// Where it lies.
    public let path: ImagePath
    /// What it says.
    public let target: String

    enum CodingKeys: String, CodingKey, CaseIterable { case path, target }

    /// Decodes a link.
    public init(from decoder: any Decoder) throws {
        let values = try decoder.strictContainer(keyedBy: CodingKeys.self)
        path = try values.decode(ImagePath.self, forKey: .path)
        target = try values.decode(String.self, .target) { $0.isEmpty ? "A link needs a target." : nil }
    }
}

/// A mode and an owner that differ from 0644 or 0755 and root.
public struct Mode: Sendable, Decodable {
    /// The file or folder.
    public let path: ImagePath
    /// The permission bits, written in octal as text; unchanged when `nil`.
    public let mode: UInt16?
    /// The owner's name in the image's `passwd`; unchanged when `nil`.
    public let owner: String?
    /// The group's name in the image's `group`; unchanged when `nil`.
    public let group: String?

    enum CodingKeys: String, CodingKey, CaseIterable { case path, mode, owner, group }

    /// Decodes a mode.
    public init(from decoder: any Decoder) throws {
        let values = try decoder.strictContainer(keyedBy: CodingKeys.self)
        path = try values.decode(ImagePath.self, forKey: .path)
        owner = try values.decodeIfPresent(String.self, forKey: .owner)
        group = try values.decodeIfPresent(String.self, forKey: .group)
        if let text = try values.decodeIfPresent(String.self, forKey: .mode) {
            guard let bits = UInt16(text, radix: 8), bits <= 0o7777 else {
                throw values.error(.mode, "'\(text)' is not an octal mode such as \"0640\".")
            }
            mode = bits
        } else {
            mode = nil
        }
    }
}
