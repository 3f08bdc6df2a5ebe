// SPDX-License-Identifier: GPL-3.0-or-later
import CLinux
import Glibc

/// An open file, directory, device or socket, closed when the value ends.
public struct File: ~Copyable {
    /// The descriptor, valid as long as the value lives.
    public let descriptor: Int32
    /// The path it was opened by, for messages.
    public let path: String

    /// How a file is opened. See `man 2 open`.
    public enum Access: Sendable {
        /// For reading.
        case read
        /// For reading, without waiting for anything.
        case readWithoutWaiting
        /// For writing at the place where it stands.
        case write
        /// For writing at the place where it stands, without waiting for anything: what does not fit is an error.
        case writeWithoutWaiting
        /// For reading and writing.
        case readAndWrite
        /// For writing from the start, made when it is not there, with a mode.
        case create(mode: UInt32)
        /// A directory.
        case directory

        var flags: Int32 {
            switch self {
            case .read: O_RDONLY
            case .readWithoutWaiting: O_RDONLY | O_NONBLOCK
            case .write: O_WRONLY
            case .writeWithoutWaiting: O_WRONLY | O_NONBLOCK
            case .readAndWrite: O_RDWR
            case .create: O_RDWR | O_CREAT | O_TRUNC
            case .directory: O_RDONLY | O_DIRECTORY
            }
        }
    }

    /// Opens a file; it never becomes the controlling terminal and is closed at `exec`.
    ///
    /// - Parameters:
    ///   - path: the path.
    ///   - access: how.
    /// - Throws: ``SystemCallFailure``; see `man 2 open`.
    public init(_ path: String, _ access: Access = .read) throws(SystemCallFailure) {
        let mode: UInt32 = if case .create(let mode) = access { mode } else { 0 }
        descriptor = try check("open", path) {
            clinux_open(path, access.flags | O_CLOEXEC | O_NOCTTY, mode)
        }
        self.path = path
    }

    init(adopting descriptor: Int32, path: String) {
        self.descriptor = descriptor
        self.path = path
    }

    deinit { close(descriptor) }

    /// Reads at most `count` bytes from where the file stands.
    ///
    /// - Parameter count: the most bytes to read.
    /// - Returns: what there was; empty at the end.
    /// - Throws: ``SystemCallFailure``; see `man 2 read`.
    public borrowing func read(upTo count: Int) throws(SystemCallFailure) -> [UInt8] {
        let descriptor = descriptor
        let path = path
        return try Self.collect(count) { buffer throws(SystemCallFailure) in
            try check("read", path) { Glibc.read(descriptor, buffer.baseAddress, buffer.count) }
        }
    }

    /// Reads bytes at an offset; fewer only at the end of the file.
    ///
    /// - Parameters:
    ///   - offset: bytes from the start.
    ///   - count: how many.
    /// - Returns: the bytes.
    /// - Throws: ``SystemCallFailure``; see `man 2 pread`.
    public borrowing func read(at offset: UInt64, count: Int) throws(SystemCallFailure) -> [UInt8] {
        let descriptor = descriptor
        let path = path
        return try Self.collect(count) { buffer throws(SystemCallFailure) in
            var done = 0
            while done < buffer.count {
                let place = off_t(clamping: offset) + done
                let more = try check("pread", "\(path) at \(place)") {
                    pread(descriptor, buffer.baseAddress.map { $0 + done }, buffer.count - done, place)
                }
                if more == 0 { break }
                done += more
            }
            return done
        }
    }

    /// Reads the whole rest of the file, as for files of /proc and /sys, which have no size.
    ///
    /// - Parameter limit: the most bytes that are read.
    /// - Returns: the bytes.
    /// - Throws: ``SystemCallFailure``; see `man 2 read`.
    public borrowing func readAll(limit: Int = 1 << 26) throws(SystemCallFailure) -> [UInt8] {
        var all: [UInt8] = []
        // A first guess that fits most files of /proc and /sys; files on disks say their size.
        var step = 4096
        var status = stat()
        if fstat(descriptor, &status) == 0, status.st_size > 0 { step = min(Int(status.st_size) + 1, 1 << 20) }
        while all.count < limit {
            let more = try read(upTo: min(step, limit - all.count))
            if more.isEmpty { break }
            all += more
        }
        return all
    }

    /// Writes all bytes.
    ///
    /// - Parameter bytes: what to write.
    /// - Throws: ``SystemCallFailure``; see `man 2 write`.
    public borrowing func write(_ bytes: [UInt8]) throws(SystemCallFailure) {
        var done = 0
        while done < bytes.count {
            done += try check("write", path) {
                bytes.withUnsafeBytes { buffer in
                    Glibc.write(descriptor, buffer.baseAddress.map { $0 + done }, buffer.count - done)
                }
            }
        }
    }

    /// Lets the kernel drop what it keeps of a stretch of the file. See `man 2 posix_fadvise`.
    ///
    /// - Parameters:
    ///   - offset: bytes from the start.
    ///   - count: how many.
    public borrowing func forget(at offset: UInt64, count: Int) {
        _ = posix_fadvise(descriptor, off_t(clamping: offset), count, POSIX_FADV_DONTNEED)
    }

    private static func collect(
        _ count: Int, _ fill: (UnsafeMutableBufferPointer<UInt8>) throws(SystemCallFailure) -> Int
    ) throws(SystemCallFailure) -> [UInt8] {
        var failure: SystemCallFailure?
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            do throws(SystemCallFailure) {
                initialized = try fill(UnsafeMutableBufferPointer(rebasing: buffer[0..<count]))
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        return bytes
    }
}

extension File {
    /// The text of a whole file.
    ///
    /// - Parameter path: the file.
    /// - Returns: its content; bytes that are not UTF-8 are replaced.
    /// - Throws: ``SystemCallFailure``.
    public static func text(_ path: String) throws(SystemCallFailure) -> String {
        String(decoding: try File(path).readAll(), as: UTF8.self)
    }

    /// The one line of a file of /sys, without its newline; `nil` when it cannot be read.
    ///
    /// - Parameter path: the file.
    /// - Returns: the line.
    public static func line(_ path: String) -> String? {
        guard let text = try? text(path) else { return nil }
        let line = text.prefix { $0 != "\n" && $0 != "\0" }
        return String(line)
    }

    /// Writes text to a file that is there, as to a control file of /sys or /proc.
    ///
    /// - Parameters:
    ///   - text: what to write.
    ///   - path: the file.
    /// - Throws: ``SystemCallFailure``.
    public static func write(_ text: String, to path: String) throws(SystemCallFailure) {
        try File(path, .write).write(Array(text.utf8))
    }
}

extension File {
    /// Waits until no other process holds this lock, and holds it until the file is closed. See `man 2 flock`.
    ///
    /// - Throws: ``SystemCallFailure``.
    public borrowing func lock() throws(SystemCallFailure) {
        let descriptor = descriptor
        try check("flock", path) { clinux_lock(descriptor) }
    }
}
