// SPDX-License-Identifier: GPL-3.0-or-later
import CLinux
import Glibc

/// System calls on stream sockets of the Unix domain. See `man 7 unix`. None of them waits.
public enum UnixSocket {
    /// Who is at the other end of a connection, as it was when the connection was made.
    public struct Peer: Sendable, Hashable {
        /// The process. It may have ended, and its number may have been given to another.
        public let process: Int32
        /// The effective user; 65534 for one that does not exist in this user namespace.
        public let user: UInt32
        /// The effective group.
        public let group: UInt32

        /// Names a peer.
        public init(process: Int32, user: UInt32, group: UInt32) {
            self.process = process
            self.user = user
            self.group = group
        }
    }

    /// Connects to a path of at most 107 bytes.
    ///
    /// - Returns: the descriptor, which the caller closes.
    /// - Throws: ``SystemCallFailure``; ``ErrorNumber/wouldBlock`` when the listener's queue is full.
    public static func connect(to path: String) throws(SystemCallFailure) -> Int32 {
        try check("connect", path) { clinux_connect_unix(path) }
    }

    /// Listens at a path of at most 107 bytes; what was there is removed.
    ///
    /// - Returns: the descriptor, which the caller closes.
    public static func listen(at path: String, backlog: Int32 = 16) throws(SystemCallFailure) -> Int32 {
        try check("listen", path) { clinux_listen_unix(path, backlog) }
    }

    /// Takes the next connection.
    ///
    /// - Returns: the descriptor, which the caller closes; `nil` when there is none.
    public static func accept(_ listener: Int32) throws(SystemCallFailure) -> Int32? {
        do {
            return try check("accept4", "descriptor \(listener)") { clinux_accept(listener) }
        } catch {
            // The other side may have given up already (ECONNABORTED).
            if error.number == .wouldBlock || error.number.rawValue == ECONNABORTED { return nil }
            throw error
        }
    }

    /// Makes reads and writes return at once.
    public static func setNonBlocking(_ descriptor: Int32) throws(SystemCallFailure) {
        _ = try check("fcntl", "descriptor \(descriptor)") { clinux_set_nonblocking(descriptor) }
    }

    /// Who is at the other end.
    public static func peer(of descriptor: Int32) throws(SystemCallFailure) -> Peer {
        var process: Int32 = 0
        var user: UInt32 = 0
        var group: UInt32 = 0
        _ = try check("getsockopt SO_PEERCRED", "descriptor \(descriptor)") {
            clinux_peer_credentials(descriptor, &process, &user, &group)
        }
        return Peer(process: process, user: user, group: group)
    }

    /// A descriptor for the other end's process (pidfd, Linux 6.5), which the caller closes. Unlike the number it cannot come to
    /// mean another process.
    public static func peerProcess(of descriptor: Int32) throws(SystemCallFailure) -> Int32 {
        try check("getsockopt SO_PEERPIDFD", "descriptor \(descriptor)") { clinux_peer_process(descriptor) }
    }

    /// Reads what is there.
    ///
    /// - Returns: at most `count` bytes; none at the end of the stream; `nil` when nothing is there yet.
    public static func read(_ descriptor: Int32, upTo count: Int) throws(SystemCallFailure) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: count)
        let length: Int
        do {
            length = try check("read", "descriptor \(descriptor)") {
                bytes.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress, count) }
            }
        } catch {
            if error.number == .wouldBlock { return nil }
            throw error
        }
        bytes.removeSubrange(length...)
        return bytes
    }

    /// Writes as much as fits.
    ///
    /// - Returns: the number of bytes; `nil` when there is no room.
    public static func write(_ bytes: ArraySlice<UInt8>, to descriptor: Int32) throws(SystemCallFailure) -> Int? {
        do {
            return try check("send", "descriptor \(descriptor)") {
                bytes.withUnsafeBytes { clinux_send(descriptor, $0.baseAddress, $0.count) }
            }
        } catch {
            if error.number == .wouldBlock { return nil }
            throw error
        }
    }

    /// Ends both directions, so that whoever waits wakes up. The descriptor stays open.
    public static func shutDown(_ descriptor: Int32) { _ = Glibc.shutdown(descriptor, Int32(SHUT_RDWR)) }

    /// Closes a descriptor.
    public static func close(_ descriptor: Int32) { _ = Glibc.close(descriptor) }

    /// The listening sockets that systemd has opened for this program, by the names that the socket units give them
    /// (`FileDescriptorName=`), see `man 3 sd_listen_fds`. They do not block and are closed at `exec`.
    ///
    /// - Returns: names and descriptors; empty when the program was not started for a socket.
    public static func passed() -> [(name: String, descriptor: Int32)] {
        guard let owner = value("LISTEN_PID"), Int32(owner) == getpid(),
            let text = value("LISTEN_FDS"), let count = Int32(text), (1...64).contains(count)
        else { return [] }
        let names = (value("LISTEN_FDNAMES") ?? "").split(separator: ":", omittingEmptySubsequences: false)
        return (0..<count).map { index in
            let descriptor = 3 + index
            _ = clinux_set_nonblocking(descriptor)
            _ = clinux_close_at_exec(descriptor)
            let place = Int(index)
            return (place < names.count ? String(names[place]) : "unknown", descriptor)
        }
    }

    private static func value(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }
}
