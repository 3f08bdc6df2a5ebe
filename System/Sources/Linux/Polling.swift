// SPDX-License-Identifier: GPL-3.0-or-later
import CLinux
import Glibc

/// Waiting for several descriptors in both directions. See `man 2 poll`.
public enum Polling {
    /// What is ready.
    public struct Ready: Sendable {
        /// Descriptors that can be read, or have failed or ended, so that reading tells.
        public var reading: Set<Int32> = []
        /// Descriptors that can be written to, or have failed, so that writing tells.
        public var writing: Set<Int32> = []
    }

    /// Waits until a descriptor is ready, a signal came, or the time is up.
    ///
    /// - Parameters:
    ///   - reading: descriptors to read from.
    ///   - writing: descriptors to write to.
    ///   - ending: sockets whose other side may end; what it writes is left to others. They are among `reading` in the result.
    ///   - seconds: the longest time, at most a day; `nil` waits for ever.
    /// - Returns: the descriptors that are ready; none when the time is over.
    public static func wait(
        reading: Set<Int32>, writing: Set<Int32> = [], ending: Set<Int32> = [], seconds: Double? = nil
    ) -> Ready {
        var list = reading.union(writing).union(ending).sorted().map { descriptor in
            // POLLRDHUP, which is not imported.
            let events =
                (ending.contains(descriptor) ? Int16(0x2000) : 0)
                | (reading.contains(descriptor) ? Int16(POLLIN) : 0)
                | (writing.contains(descriptor) ? Int16(POLLOUT) : 0)
            return pollfd(fd: descriptor, events: events, revents: 0)
        }
        let milliseconds = seconds.map { Int32(max(0, min($0, 86_400) * 1000).rounded(.up)) } ?? -1
        var ready = Ready()
        guard poll(&list, nfds_t(list.count), milliseconds) > 0 else { return ready }
        let failed = Int16(POLLERR | POLLHUP | POLLNVAL)
        for entry in list {
            if entry.revents & (Int16(POLLIN) | failed) != 0, reading.contains(entry.fd) {
                ready.reading.insert(entry.fd)
            }
            if entry.revents & (failed | 0x2000) != 0, ending.contains(entry.fd) { ready.reading.insert(entry.fd) }
            if entry.revents & (Int16(POLLOUT) | failed) != 0, writing.contains(entry.fd) {
                ready.writing.insert(entry.fd)
            }
        }
        return ready
    }
}

/// Reading and writing descriptors of every kind without waiting.
public enum Descriptor {
    /// Reads what is there.
    ///
    /// - Returns: at most `count` bytes; none at the end, also that of a terminal whose other side is closed; `nil` when nothing is
    ///   there yet, or this is a background process.
    public static func read(_ descriptor: Int32, upTo count: Int = 16_384) throws(SystemCallFailure) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: count)
        do {
            let length = try check("read", "descriptor \(descriptor)") {
                bytes.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress, count) }
            }
            bytes.removeSubrange(length...)
            return bytes
        } catch {
            if error.number == .wouldBlock { return nil }
            if error.number == .inputOutput { return [] }
            throw error
        }
    }

    /// Writes what fits.
    ///
    /// - Returns: the number of bytes; `nil` when there is no room.
    public static func write(_ bytes: ArraySlice<UInt8>, to descriptor: Int32) throws(SystemCallFailure) -> Int? {
        do {
            return try check("write", "descriptor \(descriptor)") {
                bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            }
        } catch {
            if error.number == .wouldBlock { return nil }
            throw error
        }
    }

    /// A pipe whose ends close at `exec`; the caller closes both.
    public static func pipe() throws(SystemCallFailure) -> (reading: Int32, writing: Int32) {
        var ends: [Int32] = [-1, -1]
        try check("pipe", "") { clinux_pipe(&ends) }
        return (ends[0], ends[1])
    }

    /// Closes a descriptor.
    public static func close(_ descriptor: Int32) { _ = Glibc.close(descriptor) }

    /// A second descriptor for the same thing, closed at `exec`.
    public static func copy(_ descriptor: Int32) throws(SystemCallFailure) -> Int32 {
        try check("fcntl", "descriptor \(descriptor)") { fcntl(descriptor, F_DUPFD_CLOEXEC, 3) }
    }

    /// Makes a number stand for another open file.
    public static func replace(_ target: Int32, with source: Int32) throws(SystemCallFailure) {
        try check("dup2", "descriptor \(target)") { dup2(source, target) }
    }

    /// Makes reads and writes wait.
    public static func makeBlocking(_ descriptor: Int32) throws(SystemCallFailure) {
        try check("fcntl", "descriptor \(descriptor)") { clinux_set_blocking(descriptor) }
    }

    /// A write to something that nobody reads is an error, not the end of this program.
    public static func ignoreBrokenPipes() { signal(SIGPIPE, SIG_IGN) }
}
