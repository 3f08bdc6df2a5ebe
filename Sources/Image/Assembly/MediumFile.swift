// SPDX-License-Identifier: GPL-3.0-or-later
import Foundation
import SystemPackage

/// A medium's image while it is being written: beside its final name until it is whole, and gone if it never is.
struct MediumFile {
    /// Where the image is while it is written.
    let partial: FilePath
    private let descriptor: FileDescriptor

    /// Writes an image: `body` fills it, and only when that went well it gets its name.
    ///
    /// - Throws: what `body` throws, or `MediaFailure`; the name then has what it had before, or nothing.
    static func write(to path: FilePath, _ body: (MediumFile) async throws -> Void) async throws {
        let partial = FilePath(path.string + ".partial")
        do {
            try await MediumFile.filling(partial, isNew: true, body)
            try FileSystemError.checked(path) { rename(partial.string, path.string) }
        } catch {
            unlink(partial.string)
            throw error
        }
    }

    /// Opens an image that a tool has made, or makes an empty one, for `body` to write to.
    static func filling(_ path: FilePath, isNew: Bool, _ body: (MediumFile) async throws -> Void) async throws {
        let descriptor: FileDescriptor
        do {
            descriptor = try FileDescriptor.open(
                path, .readWrite, options: isNew ? [.create, .truncate, .closeOnExec] : .closeOnExec,
                permissions: [.ownerReadWrite, .groupRead, .otherRead])
        } catch let error as Errno {
            throw MediaFailure.unwritable(path, error)
        }
        let file = MediumFile(partial: path, descriptor: descriptor)
        let result: Result<Void, any Error>
        do { result = .success(try await body(file)) } catch { result = .failure(error) }
        do { try descriptor.close() } catch let error as Errno where (try? result.get()) != nil {
            throw MediaFailure.unwritable(path, error)
        }
        try result.get()
    }

    /// Sets the size; bytes that nobody writes are zero and take no room on the maker's disk.
    func resize(to bytes: UInt64) throws(MediaFailure) {
        do { try descriptor.resize(to: Int64(bytes)) } catch let error as Errno {
            throw .unwritable(partial, error)
        } catch { throw .unwritable(partial, .ioError) }
    }

    /// Writes bytes at a place.
    func write(_ bytes: [UInt8], at offset: UInt64) throws(MediaFailure) {
        do { try descriptor.writeAll(toAbsoluteOffset: Int64(offset), bytes) } catch let error as Errno {
            throw .unwritable(partial, error)
        } catch { throw .unwritable(partial, .ioError) }
    }

    /// Bytes of the image itself.
    func read(at offset: UInt64, count: Int) throws(MediaFailure) -> [UInt8] {
        try descriptor.bytes(of: partial, at: offset, count: count)
    }

    /// Copies a whole file to a place; blocks of zeros are left out, for the image has zeros there already.
    ///
    /// - Throws: `MediaFailure`, or `CancellationError` when the task was cancelled.
    func copy(_ source: FilePath, at offset: UInt64) async throws {
        let input = try FileDescriptor.opened(source)
        defer { try? input.close() }
        var place: UInt64 = 0
        while true {
            try Task.checkCancellation()
            let bytes = try input.bytes(of: source, at: place, count: 1 << 20)
            if bytes.isEmpty { return }
            if bytes.contains(where: { $0 != 0 }) { try write(bytes, at: offset + place) }
            place += UInt64(bytes.count)
            await Task.yield()
        }
    }
}

enum FileSystemError {
    /// Turns the result of a C call into an error that names the file.
    static func checked(_ path: FilePath, _ call: () -> CInt) throws(MediaFailure) {
        if call() != 0 { throw .unwritable(path, Errno(rawValue: errno)) }
    }
}

extension FileDescriptor {
    static func opened(_ path: FilePath) throws(MediaFailure) -> FileDescriptor {
        do { return try FileDescriptor.open(path, .readOnly, options: .closeOnExec) } catch let error as Errno {
            throw .unreadable(path, error)
        } catch { throw .unreadable(path, .ioError) }
    }

    /// Up to `count` bytes at a place: fewer only at the file's end.
    fileprivate func bytes(of path: FilePath, at offset: UInt64, count: Int) throws(MediaFailure) -> [UInt8] {
        do {
            return try [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
                while filled < count {
                    let rest = UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[filled...])
                    let read = try self.read(fromAbsoluteOffset: Int64(offset) + Int64(filled), into: rest)
                    if read == 0 { break }
                    filled += read
                }
            }
        } catch let error as Errno { throw .unreadable(path, error) } catch { throw .unreadable(path, .ioError) }
    }
}

extension FilePath {
    /// The bytes of a small file.
    func contents() throws(MediaFailure) -> [UInt8] {
        let descriptor = try FileDescriptor.opened(self)
        defer { try? descriptor.close() }
        return try descriptor.bytes(of: self, at: 0, count: Int(try fileSize()))
    }

    /// The size of the file in bytes.
    func fileSize() throws(MediaFailure) -> UInt64 {
        let descriptor = try FileDescriptor.opened(self)
        defer { try? descriptor.close() }
        do { return UInt64(try descriptor.seek(offset: 0, from: .end)) } catch { throw .unreadable(self, .ioError) }
    }
}
