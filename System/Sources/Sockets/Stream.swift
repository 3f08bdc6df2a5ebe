// SPDX-License-Identifier: GPL-3.0-or-later
import Dispatch
import Linux

/// A connected stream socket of the Unix domain, closed when the last reference goes.
///
/// One task may read while another writes; two readers, or two writers, at the same time mix their bytes.
public final class Stream: Sendable {
    /// The descriptor, valid as long as the stream lives.
    public let descriptor: Int32
    private let queue: DispatchQueue

    /// Takes over a connected descriptor.
    public init(adopting descriptor: Int32) {
        self.descriptor = descriptor
        queue = DispatchQueue(label: "stream \(descriptor)")
    }

    /// Connects to a listener's path.
    ///
    /// - Throws: `SystemCallFailure` with the path; see `man 2 connect`.
    public convenience init(connectingTo path: String) throws(SystemCallFailure) {
        self.init(adopting: try UnixSocket.connect(to: path))
    }

    deinit { UnixSocket.close(descriptor) }

    /// Who is at the other end.
    public var peer: UnixSocket.Peer {
        get throws(SystemCallFailure) { try UnixSocket.peer(of: descriptor) }
    }

    /// Waits for bytes.
    ///
    /// - Returns: 1 to `count` bytes; none when the other side has ended.
    /// - Throws: `SystemCallFailure`, `CancellationError`.
    public func read(upTo count: Int = 16_384) async throws -> [UInt8] {
        while true {
            if let bytes = try UnixSocket.read(descriptor, upTo: count) { return bytes }
            try await waitUntilReady(descriptor, .input, on: queue)
        }
    }

    /// Writes all bytes, however long the other side takes to read them.
    ///
    /// - Throws: `SystemCallFailure` (`EPIPE` when the other side is gone), `CancellationError`.
    public func write(_ bytes: some Sequence<UInt8>) async throws {
        var rest = Array(bytes)[...]
        while !rest.isEmpty {
            if let count = try UnixSocket.write(rest, to: descriptor) {
                rest = rest.dropFirst(count)
            } else {
                try await waitUntilReady(descriptor, .room, on: queue)
            }
        }
    }

    /// Ends both directions; reads return no bytes from now on.
    public func shutDown() { UnixSocket.shutDown(descriptor) }
}
