// SPDX-License-Identifier: GPL-3.0-or-later
import Foundation
import Synchronization
import SystemPackage

/// A connection to a UNIX stream socket: bytes in, bytes out.
///
/// Reading has a thread and writing a queue of its own, so that a peer that does not read never holds up a task.
final class UNIXConnection: Sendable {
    /// What the peer sends, in pieces of any size; ends when the connection does. For one reader.
    let incoming: AsyncStream<[UInt8]>
    private let socket: UNIXSocket
    private let writing = DispatchQueue(label: "needletail.testbed.socket")

    /// Connects.
    ///
    /// - Throws: `Errno`, most often `.noSuchFileOrDirectory` or `.connectionRefused` when nobody listens yet.
    init(path: FilePath) throws {
        let socket = try UNIXSocket(SOCK_STREAM, to: path)
        self.socket = socket
        let (stream, continuation) = AsyncStream.makeStream(of: [UInt8].self)
        incoming = stream
        Thread.detachNewThread {
            var buffer = [UInt8](repeating: 0, count: 65536)
            while true {
                let count = recv(socket.number, &buffer, buffer.count, 0)
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { break }
                continuation.yield(Array(buffer.prefix(count)))
            }
            continuation.finish()
        }
    }

    deinit { close() }

    /// Sends bytes after all that were sent before; they are lost when the peer is gone, and `incoming` ends then.
    func send(_ bytes: [UInt8]) {
        writing.async { [socket] in
            var rest = bytes[...]
            while !rest.isEmpty {
                guard let count = try? socket.send(rest), count > 0 else { return }
                rest = rest.dropFirst(count)
            }
        }
    }

    /// Ends the connection for both sides.
    func close() { shutdown(socket.number, Int32(SHUT_RDWR)) }
}

/// A UNIX socket that is connected to a path. Held by all who use the number: it is closed when the last lets go, and never reused
/// beneath one. See: 'man 2 socket', 'man 7 unix'.
final class UNIXSocket: Sendable {
    let number: Int32

    /// Connects; throws `Errno`.
    init(_ kind: __socket_type, to path: FilePath) throws {
        number = Foundation.socket(AF_UNIX, Int32(kind.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard number >= 0 else { throw Errno(rawValue: errno) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.string.utf8)
        guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else { throw Errno.fileNameTooLong }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        let status = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(number, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard status == 0 else { throw Errno(rawValue: errno) }
    }

    deinit { _ = Foundation.close(number) }

    /// Sends what fits, and tells how much that was; throws `Errno`.
    func send(_ bytes: ArraySlice<UInt8>) throws -> Int {
        while true {
            // MSG_NOSIGNAL: a peer that is gone is no reason for SIGPIPE.
            let count = bytes.withUnsafeBytes {
                Foundation.send(number, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            if count >= 0 { return count }
            let reason = Errno(rawValue: errno)
            guard reason == .interrupted else { throw reason }
        }
    }
}
