// SPDX-License-Identifier: GPL-3.0-or-later

/// What the boot stage has to know about the system it starts: the file `/etc/needletail/boot.conf` of the initramfs.
///
/// Text in UTF-8, one `key=value` a line; `#` begins a comment. Every key is there exactly once and no other: a file
/// that was made for another version of the boot stage is refused and not half understood.
public struct BootConfiguration: Hashable, Sendable {
    /// The file system of the system image, by the kernel's name.
    public enum FileSystem: String, Hashable, Sendable, CaseIterable {
        /// EROFS.
        case erofs
        /// SquashFS.
        case squashfs
    }

    /// Version of Needletail, for people: printable, without spaces.
    public let version: String
    /// The file system of the system image.
    public let fileSystem: FileSystem
    /// The unique GUID of the system partition.
    public let systemPartition: GUID
    /// Bytes of the file system: a multiple of 4096. The hash area begins there.
    public let dataSize: UInt64
    /// Bytes of the hash area, superblock included: ``Verity/hashAreaSize(dataSize:)``.
    public let hashSize: UInt64
    /// The root of the hash tree: 32 bytes.
    public let rootHash: [UInt8]
    /// The salt of all hashes: 0 to 256 bytes.
    public let salt: [UInt8]
    /// When the system was built, in seconds since 1970. The clock is never set before it.
    public let buildDate: Int64

    /// Why a configuration is not valid.
    public enum Failure: Error, Hashable, Sendable, CustomStringConvertible {
        /// A line is not `key=value`.
        case notAPair(line: Int, text: String)
        /// A key that this version does not know.
        case unknownKey(line: Int, key: String)
        /// A key for the second time.
        case repeatedKey(line: Int, key: String, first: Int)
        /// A value that does not fit its key. `line` is 0 when the value did not come from a text.
        case badValue(line: Int, key: String, value: String, expected: String)
        /// A key that is missing.
        case missingKey(String)

        /// What is wrong, as a sentence.
        public var description: String {
            switch self {
            case .notAPair(let line, let text): "boot.conf, line \(line): '\(text)' is not of the form key=value."
            case .unknownKey(let line, let key): "boot.conf, line \(line): the key '\(key)' is unknown."
            case .repeatedKey(let line, let key, let first):
                "boot.conf, line \(line): '\(key)' was already given in line \(first)."
            case .badValue(let line, let key, let value, let expected):
                (line == 0 ? "boot.conf: " : "boot.conf, line \(line): ")
                    + "'\(key)' is '\(value)' and should be \(expected)."
            case .missingKey(let key): "boot.conf: the key '\(key)' is missing."
            }
        }
    }

    /// Makes a configuration.
    ///
    /// - Parameters:
    ///   - version: version of Needletail.
    ///   - fileSystem: the file system of the system image.
    ///   - systemPartition: unique GUID of the system partition.
    ///   - dataSize: bytes of the file system.
    ///   - hashSize: bytes of the hash area.
    ///   - rootHash: 32 bytes.
    ///   - salt: 0 to 256 bytes.
    ///   - buildDate: seconds since 1970.
    /// - Throws: ``Failure/badValue(line:key:value:expected:)``.
    public init(
        version: String, fileSystem: FileSystem, systemPartition: GUID, dataSize: UInt64, hashSize: UInt64,
        rootHash: [UInt8], salt: [UInt8], buildDate: Int64
    ) throws(Failure) {
        self.version = version
        self.fileSystem = fileSystem
        self.systemPartition = systemPartition
        self.dataSize = dataSize
        self.hashSize = hashSize
        self.rootHash = rootHash
        self.salt = salt
        self.buildDate = buildDate
        try validate(lines: [:])
    }

    /// Reads a configuration.
    ///
    /// - Parameter text: the content of `boot.conf`.
    /// - Throws: ``Failure``, which names the line.
    public init(parsing text: String) throws(Failure) {
        var values: [Key: (line: Int, text: String)] = [:]
        let separator = Character("\n")
        for (index, whole) in text.split(separator: separator, omittingEmptySubsequences: false).enumerated() {
            let line = index + 1
            let content = Self.trimmed(whole.prefix { $0 != "#" })
            if content.isEmpty { continue }
            guard let equals = content.firstIndex(of: "=") else { throw .notAPair(line: line, text: content) }
            let name = Self.trimmed(content[..<equals])
            guard let key = Key(rawValue: name) else { throw .unknownKey(line: line, key: name) }
            if let other = values[key] { throw .repeatedKey(line: line, key: name, first: other.line) }
            values[key] = (line, Self.trimmed(content[content.index(after: equals)...]))
        }

        func value<Value>(_ key: Key, _ expected: String, _ read: (String) -> Value?) throws(Failure) -> Value {
            guard let (line, text) = values[key] else { throw .missingKey(key.rawValue) }
            guard let value = read(text) else {
                throw .badValue(line: line, key: key.rawValue, value: text, expected: expected)
            }
            return value
        }
        version = try value(.version, "a version") { $0 }
        fileSystem = try value(.fileSystem, "erofs or squashfs", FileSystem.init(rawValue:))
        systemPartition = try value(.systemPartition, "a GUID") { GUID($0) }
        dataSize = try value(.dataSize, "a number of bytes") { UInt64($0) }
        hashSize = try value(.hashSize, "a number of bytes") { UInt64($0) }
        rootHash = try value(.rootHash, "hexadecimal digits") { Hexadecimal.bytes($0) }
        salt = try value(.salt, "hexadecimal digits") { Hexadecimal.bytes($0) }
        buildDate = try value(.buildDate, "a number of seconds since 1970") { Int64($0) }
        try validate(lines: values.mapValues(\.line))
    }

    /// The text that ``init(parsing:)`` reads, with a newline at the end.
    public func formatted() -> String {
        Key.allCases.map { "\($0.rawValue)=\(text(of: $0))\n" }.joined()
    }

    private enum Key: String, CaseIterable {
        case version
        case fileSystem = "filesystem"
        case systemPartition = "system-partition"
        case dataSize = "data-size"
        case hashSize = "hash-size"
        case rootHash = "root-hash"
        case salt
        case buildDate = "build-date"
    }

    private func text(of key: Key) -> String {
        switch key {
        case .version: version
        case .fileSystem: fileSystem.rawValue
        case .systemPartition: systemPartition.description
        case .dataSize: String(dataSize)
        case .hashSize: String(hashSize)
        case .rootHash: Hexadecimal.text(rootHash)
        case .salt: Hexadecimal.text(salt)
        case .buildDate: String(buildDate)
        }
    }

    private func validate(lines: [Key: Int]) throws(Failure) {
        func check(_ key: Key, _ isValid: Bool, _ expected: String) throws(Failure) {
            if !isValid {
                throw .badValue(line: lines[key] ?? 0, key: key.rawValue, value: text(of: key), expected: expected)
            }
        }
        // Printable ASCII without the two characters that the format itself uses.
        let isVersion =
            !version.isEmpty && version.utf8.count <= 64
            && version.utf8.allSatisfy { (0x21...0x7e).contains($0) && $0 != UInt8(ascii: "#") }
        try check(.version, isVersion, "1 to 64 printable characters without spaces")
        try check(.systemPartition, systemPartition != .zero, "a GUID that is not zero")
        let expected = Verity.hashAreaSize(dataSize: dataSize)
        try check(.dataSize, expected != nil, "a positive multiple of \(Verity.blockSize)")
        try check(.hashSize, hashSize == expected, "\(expected ?? 0), the size of the hashes of that much data")
        try check(.rootHash, rootHash.count == Verity.digestSize, "64 hexadecimal digits")
        try check(.salt, salt.count <= 256, "at most 512 hexadecimal digits")
        try check(.buildDate, buildDate >= 0, "a number of seconds since 1970")
    }

    private static func trimmed(_ text: Substring) -> String {
        let isBlank: (Character) -> Bool = { $0 == " " || $0 == "\t" || $0 == "\r" }
        let start = text.drop(while: isBlank)
        guard let end = start.lastIndex(where: { !isBlank($0) }) else { return "" }
        return String(start[...end])
    }
}
