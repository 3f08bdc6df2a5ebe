// SPDX-License-Identifier: GPL-3.0-or-later

/// What in the image could open a disk by itself: the content of `image/disks.yaml`.
public struct DiskTable: Sendable, Decodable {
    /// Where such things are looked for.
    public struct Watch: Sendable, Decodable {
        /// A glob, as in a profile.
        public let path: ImagePath
        /// Only files with one of these words; all when there are none.
        public let words: [String]

        enum CodingKeys: String, CodingKey, CaseIterable { case path, words }

        /// Decodes one.
        public init(from decoder: any Decoder) throws {
            let values = try decoder.strictContainer(keyedBy: CodingKeys.self)
            path = try values.decode(ImagePath.self, forKey: .path)
            words = try values.decodeIfPresent([String].self, forKey: .words) ?? []
        }
    }

    /// Where to look.
    public let watch: [Watch]
    /// What may be there, and why.
    public let left: [PathRule]

    enum CodingKeys: String, CodingKey, CaseIterable { case watch, left }

    /// Decodes the file.
    public init(from decoder: any Decoder) throws {
        let values = try decoder.strictContainer(keyedBy: CodingKeys.self)
        watch = try values.decode([Watch].self, forKey: .watch)
        left = try values.decode([PathRule].self, forKey: .left)
    }
}

/// The image and `image/disks.yaml` do not agree.
public struct DiskTableError: Error, Hashable, CustomStringConvertible {
    /// What could open a disk by itself and is not listed, sorted.
    public let unlisted: [String]
    /// What is listed and not there.
    public let stale: [String]

    /// The error for a person.
    public var description: String {
        let first = unlisted.map {
            "  \($0) could open a disk by itself: leave it out, mask it, or list it with its reason."
        }
        let second = stale.map { "  \($0) is listed and is not there: take it off the list." }
        return (["image/disks.yaml does not agree with the image:"] + first + second).joined(separator: "\n")
    }
}
