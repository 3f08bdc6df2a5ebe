// SPDX-License-Identifier: GPL-3.0-or-later
import Foundation
import SystemPackage

/// A file whose lock is held while something is measured, so that those who share a machine take turns (`flock(1)`).
public struct Turn: Sendable {
    /// The file; nobody is waited for when `nil`.
    public let file: FilePath?

    /// Takes turns at a file.
    public init(_ file: FilePath?) { self.file = file }

    /// Waits for the turn, runs a body, gives the turn back.
    ///
    /// - Throws: `Errno` when the file cannot be opened, and what the body throws.
    nonisolated(nonsending) func take<Value>(
        _ body: nonisolated(nonsending) () async throws -> Value
    ) async throws -> Value {
        guard let file else { return try await body() }
        let descriptor = try FileDescriptor.open(
            file, .readWrite, options: [.create, .closeOnExec], permissions: [.ownerReadWrite, .groupReadWrite])
        // Closing it gives the lock back.
        defer { try? descriptor.close() }
        // In a thread of its own: it may take minutes, and who polls would never get a turn among those who wait.
        await withCheckedContinuation { continuation in
            Thread.detachNewThread {
                while flock(descriptor.rawValue, LOCK_EX) != 0, errno == EINTR {}
                continuation.resume()
            }
        }
        try Task.checkCancellation()
        return try await body()
    }
}
