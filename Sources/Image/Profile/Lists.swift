// SPDX-License-Identifier: GPL-3.0-or-later

/// What the build root is made of: the content of `image/buildroot.yaml`.
public struct BuildRootList: Sendable, Decodable {
    /// The packages by name.
    public let packages: [PackageName]

    enum CodingKeys: String, CodingKey, CaseIterable { case packages }

    /// Decodes the file.
    public init(from decoder: any Decoder) throws {
        let values = try decoder.strictContainer(keyedBy: CodingKeys.self)
        packages = try values.decode([PackageName].self, forKey: .packages)
    }
}

/// The kernel modules of the initramfs: the content of `image/initramfs.yaml`.
public struct InitramfsList: Sendable, Decodable {
    /// Some modules, and why they are there.
    public struct Modules: Sendable, Decodable {
        /// A glob below the folder of the kernel's release, without the file's ending.
        public let path: String
        /// Why, for the reader.
        public let reason: String

        enum CodingKeys: String, CodingKey, CaseIterable { case path, reason }

        /// Decodes an entry.
        public init(from decoder: any Decoder) throws {
            let values = try decoder.strictContainer(keyedBy: CodingKeys.self)
            path = try values.decode(String.self, .path) { path in
                path.hasPrefix("kernel/") && !path.split(separator: "/").contains("..")
                    ? nil : "'\(path)' is not a path below kernel/."
            }
            reason = try values.decode(String.self, .reason) { $0.isEmpty ? "A reason is needed." : nil }
        }
    }

    /// The modules.
    public let modules: [Modules]

    enum CodingKeys: String, CodingKey, CaseIterable { case modules }

    /// Decodes the file.
    public init(from decoder: any Decoder) throws {
        let values = try decoder.strictContainer(keyedBy: CodingKeys.self)
        modules = try values.decode([Modules].self, forKey: .modules)
    }
}
