// SPDX-License-Identifier: GPL-3.0-or-later
import CLinux

/// Bytes that must not stay in memory, such as a password: one copy, in locked pages of its own that no core dump and no child
/// has, overwritten when the last reference goes. See `man 2 mlock` and `man 2 madvise`.
///
/// An array would be copied behind the program's back as soon as two places hold it.
///
/// `@unchecked`: filled by the one who makes it before anybody else sees it, and only read from then on.
public final class SecretBytes: @unchecked Sendable {
    private let storage: UnsafeMutableBufferPointer<CChar>
    /// How many bytes there are.
    public private(set) var count = 0
    /// How many there can be.
    public let capacity: Int

    /// Room for bytes, and a zero byte after them.
    ///
    /// - Parameter capacity: the most bytes.
    public init(capacity: Int) {
        let size = max(0, capacity) + 1
        let pages = clinux_secret_pages(size)?.bindMemory(to: CChar.self, capacity: size)
        storage = UnsafeMutableBufferPointer(start: pages, count: pages == nil ? 0 : size)
        // Without memory that can be locked there is room for nothing, and whoever wants to keep a secret is told.
        self.capacity = max(0, storage.count - 1)
    }

    deinit {
        if let pages = storage.baseAddress { clinux_secret_free(pages, storage.count) }
    }

    /// Adds bytes and overwrites where they came from, if nobody else holds that.
    ///
    /// - Returns: false when there is no room for all of them; then none is added.
    @discardableResult
    public func take(_ bytes: inout [UInt8]) -> Bool {
        defer { Self.forget(&bytes) }
        guard count + bytes.count <= capacity else { return false }
        for (index, byte) in bytes.enumerated() { storage[count + index] = CChar(bitPattern: byte) }
        count += bytes.count
        return true
    }

    /// Whether a C string would end before the bytes do.
    public var holdsZero: Bool { storage[..<count].contains(0) }

    /// Lends the bytes as a C string.
    public func withCString<Value>(_ body: (UnsafePointer<CChar>?) throws -> Value) rethrows -> Value {
        try body(UnsafePointer(storage.baseAddress))
    }

    /// Lends the bytes.
    public func withBytes<Value>(_ body: (UnsafeRawBufferPointer) throws -> Value) rethrows -> Value {
        try body(UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: storage[..<count])))
    }

    /// Overwrites an array's bytes in a way that the compiler cannot leave out, and empties it. Another array that shares them
    /// keeps them.
    public static func forget(_ bytes: inout [UInt8]) {
        bytes.withUnsafeMutableBytes { clinux_forget($0.baseAddress, $0.count) }
        bytes.removeAll()
    }
}
