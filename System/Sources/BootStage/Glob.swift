// SPDX-License-Identifier: GPL-3.0-or-later

/// Patterns of `modules.alias`, matched as `fnmatch` without flags does: `*`, `?`, `[…]`, `\`. See `man 3 fnmatch`.
struct Glob: Hashable {
    private let pattern: ArraySlice<UInt8>

    /// Takes a pattern; every text is one.
    ///
    /// - Parameter pattern: the pattern in UTF-8.
    init(_ pattern: ArraySlice<UInt8>) { self.pattern = pattern }

    /// Whether a whole text fits the pattern. The time is at most the product of both lengths.
    ///
    /// - Parameter text: the text in UTF-8.
    /// - Returns: true when it fits.
    func matches(_ text: [UInt8]) -> Bool {
        var place = pattern.startIndex
        var index = 0
        // Where to go on when what follows the last star does not fit: one character further.
        var retry: (place: Int, index: Int)?
        while index < text.count {
            if place < pattern.endIndex, pattern[place] == UInt8(ascii: "*") {
                retry = (place + 1, index)
                place += 1
            } else if let next = matchOne(text[index], at: place) {
                place = next
                index += 1
            } else if let last = retry {
                retry = (last.place, last.index + 1)
                place = last.place
                index = last.index + 1
            } else {
                return false
            }
        }
        return pattern[place...].allSatisfy { $0 == UInt8(ascii: "*") }
    }

    /// The place behind the element at `place` when that fits the character.
    private func matchOne(_ character: UInt8, at place: Int) -> Int? {
        guard place < pattern.endIndex else { return nil }
        switch pattern[place] {
        case UInt8(ascii: "?"):
            return place + 1
        case UInt8(ascii: "["):
            guard let end = bracketEnd(place) else { return character == pattern[place] ? place + 1 : nil }
            return matchBracket(character, from: place + 1, to: end) ? end + 1 : nil
        case UInt8(ascii: "\\") where place + 1 < pattern.endIndex:
            return pattern[place + 1] == character ? place + 2 : nil
        case let literal:
            return literal == character ? place + 1 : nil
        }
    }

    private func bracketEnd(_ start: Int) -> Int? {
        var place = start + 1
        if place < pattern.endIndex, pattern[place] == UInt8(ascii: "!") || pattern[place] == UInt8(ascii: "^") {
            place += 1
        }
        // A bracket right at the start stands for itself.
        if place < pattern.endIndex, pattern[place] == UInt8(ascii: "]") { place += 1 }
        return pattern[min(place, pattern.endIndex)...].firstIndex(of: UInt8(ascii: "]"))
    }

    private func matchBracket(_ character: UInt8, from start: Int, to end: Int) -> Bool {
        var place = start
        let isNegated = pattern[place] == UInt8(ascii: "!") || pattern[place] == UInt8(ascii: "^")
        if isNegated { place += 1 }
        var isFound = false
        while place < end {
            if place + 2 < end, pattern[place + 1] == UInt8(ascii: "-") {
                if pattern[place] <= character, character <= pattern[place + 2] { isFound = true }
                place += 3
            } else {
                if pattern[place] == character { isFound = true }
                place += 1
            }
        }
        return isFound != isNegated
    }
}
