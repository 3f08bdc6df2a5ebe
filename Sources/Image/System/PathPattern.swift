// SPDX-License-Identifier: GPL-3.0-or-later

/// A glob over paths: `*` stands for any text within a segment, `?` for one byte of it, `**` as a segment for any number of segments, one at least
/// when it is the last.
struct PathPattern: Sendable {
    private let segments: [[UInt8]]
    private static let anything: [UInt8] = Array("**".utf8)

    /// Takes a pattern; leading slashes do not matter.
    init(_ pattern: String) {
        segments = pattern.split(separator: "/").map { Array($0.utf8) }
    }

    /// Whether a path, split at its slashes, matches as a whole.
    func matches(_ path: [Substring.UTF8View]) -> Bool {
        matches(segments[...], path[...])
    }

    /// Whether a path matches as a whole.
    func matches(_ path: String) -> Bool {
        matches(path.split(separator: "/").map(\.utf8))
    }

    private func matches(_ pattern: ArraySlice<[UInt8]>, _ path: ArraySlice<Substring.UTF8View>) -> Bool {
        guard let first = pattern.first else { return path.isEmpty }
        if first == Self.anything {
            if pattern.count == 1 { return !path.isEmpty }
            return path.indices.contains { matches(pattern.dropFirst(), path[$0...]) }
        }
        guard let segment = path.first, Self.matches(first[...], Array(segment)[...]) else { return false }
        return matches(pattern.dropFirst(), path.dropFirst())
    }

    private static func matches(_ pattern: ArraySlice<UInt8>, _ text: ArraySlice<UInt8>) -> Bool {
        var pattern = pattern
        var text = text
        while let first = pattern.first {
            pattern = pattern.dropFirst()
            if first == UInt8(ascii: "*") {
                if pattern.isEmpty { return true }
                return (text.startIndex...text.endIndex).contains { matches(pattern, text[$0...]) }
            }
            guard let byte = text.first, byte == first || first == UInt8(ascii: "?") else { return false }
            text = text.dropFirst()
        }
        return text.isEmpty
    }
}
