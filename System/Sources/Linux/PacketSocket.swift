// SPDX-License-Identifier: GPL-3.0-or-later
import CLinux
import Glibc

/// Whole messages between two processes of one program, each with a descriptor if wanted. See `man 7 unix`, `SOCK_SEQPACKET`,
/// `SCM_RIGHTS`.
public enum PacketSocket {
    /// A connected pair; the caller closes both.
    public static func pair() throws(SystemCallFailure) -> (Int32, Int32) {
        var ends: [Int32] = [-1, -1]
        try check("socketpair", "") { clinux_packet_pair(&ends) }
        return (ends[0], ends[1])
    }

    /// Connects to a path of at most 107 bytes. Waits while the listener's queue is full.
    ///
    /// - Returns: the descriptor, which the caller closes.
    public static func connect(to path: String) throws(SystemCallFailure) -> Int32 {
        try check("connect", path) { clinux_connect_packets(path) }
    }

    /// Tells the other side that no more messages come.
    public static func finish(_ socket: Int32) { _ = shutdown(socket, Int32(SHUT_WR)) }

    /// Sends a message, not longer than 128 KiB.
    ///
    /// - Parameters:
    ///   - bytes: the message, at least one byte.
    ///   - socket: one end.
    ///   - passed: a descriptor of which the other side gets a copy.
    /// - Throws: ``SystemCallFailure``.
    public static func send(
        _ bytes: [UInt8], to socket: Int32, passing passed: Int32? = nil
    ) throws(SystemCallFailure) {
        _ = try check("sendmsg", "descriptor \(socket)") {
            bytes.withUnsafeBytes { clinux_send_packet(socket, $0.baseAddress, $0.count, passed ?? -1) }
        }
    }

    /// Waits for a message.
    ///
    /// - Returns: the message and the descriptor that came with it, which the caller closes; no bytes when the other side ended.
    public static func receive(
        from socket: Int32, upTo limit: Int = 1 << 17
    ) throws(SystemCallFailure) -> (bytes: [UInt8], passed: Int32?) {
        var bytes = [UInt8](repeating: 0, count: limit)
        var passed: Int32 = -1
        let count = try check("recvmsg", "descriptor \(socket)") {
            bytes.withUnsafeMutableBytes { clinux_receive_packet(socket, $0.baseAddress, $0.count, &passed) }
        }
        bytes.removeSubrange(count...)
        return (bytes, passed >= 0 ? passed : nil)
    }
}
