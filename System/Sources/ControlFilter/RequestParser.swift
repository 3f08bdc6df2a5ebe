// SPDX-License-Identifier: GPL-3.0-or-later

/// A line from a client.
public struct Request: Hashable, Sendable {
    /// The command in capitals.
    public let keyword: String
    /// What follows it, cut at spaces.
    public let words: [String]
    /// Whether data came with it (`+` commands). The data itself is thrown away: no command that takes any is ever allowed.
    public let hasData: Bool

    /// Describes a line.
    public init(keyword: String, words: [String], hasData: Bool) {
        self.keyword = keyword
        self.words = words
        self.hasData = hasData
    }
}

/// Turns a client's bytes into requests. It does no input or output of its own, and holds one line at most.
public struct RequestParser: Sendable {
    /// Bytes of a line.
    public static let lineLimit = 4096
    /// Bytes of data that are thrown away before it is too much.
    public static let dataLimit = 1 << 20

    /// What a client sent.
    public enum Element: Hashable, Sendable {
        case request(Request)
        /// A line with other bytes than printable ASCII, or without a command.
        case malformed
        /// A line or data beyond the limits: the end of the conversation.
        case tooLong
    }

    private var line: [UInt8] = []
    private var withData: Element?
    private var dataSize = 0
    private var isOver = false

    /// A parser at the start of a connection.
    public init() {}

    /// Takes the next bytes, cut anywhere. After ``Element/tooLong`` it takes nothing more.
    public mutating func append(_ bytes: some Collection<UInt8>) -> [Element] {
        var elements: [Element] = []
        var rest = bytes[...]
        while !isOver, let end = rest.firstIndex(of: 0x0a) {
            if add(rest[..<end]) {
                if let element = endLine() { elements.append(element) }
                line.removeAll(keepingCapacity: true)
            } else {
                elements.append(.tooLong)
            }
            rest = rest[rest.index(after: end)...]
        }
        if !isOver, !add(rest) { elements.append(.tooLong) }
        return elements
    }

    /// - Returns: whether there was room.
    private mutating func add(_ part: some Collection<UInt8>) -> Bool {
        dataSize += withData == nil ? 0 : part.count + 1
        guard line.count + part.count <= Self.lineLimit, dataSize <= Self.dataLimit else {
            isOver = true
            line = []
            return false
        }
        line += part
        return true
    }

    private mutating func endLine() -> Element? {
        if line.last == 0x0d { line.removeLast() }
        if let element = withData {
            guard line == [UInt8(ascii: ".")] else { return nil }
            withData = nil
            dataSize = 0
            return element
        }
        guard let first = line.first else { return .malformed }
        let hasData = first == UInt8(ascii: "+")
        let element = Self.read(hasData ? line.dropFirst() : line[...], hasData: hasData)
        guard hasData else { return element }
        withData = element
        return nil
    }

    private static func read(_ line: ArraySlice<UInt8>, hasData: Bool) -> Element {
        // Tabs, NULs, carriage returns within the line: whatever Tor would make of them, it never sees them.
        guard line.allSatisfy({ (0x20...0x7e).contains($0) }) else { return .malformed }
        let words = line.split(separator: 0x20).map { String(decoding: $0, as: UTF8.self) }
        guard let keyword = words.first, line.first != 0x20 else { return .malformed }
        return .request(Request(keyword: keyword.uppercased(), words: Array(words.dropFirst()), hasData: hasData))
    }
}
