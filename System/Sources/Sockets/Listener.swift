// SPDX-License-Identifier: GPL-3.0-or-later
import Dispatch
import Linux

/// A listening socket of the Unix domain, closed when the last reference goes.
public final class Listener: Sendable {
    /// The name that its socket unit gives it (`FileDescriptorName=`), or its path.
    public let name: String
    private let descriptor: Int32
    private let queue: DispatchQueue

    /// Takes over a listening descriptor that does not block.
    public init(adopting descriptor: Int32, name: String) {
        self.descriptor = descriptor
        self.name = name
        queue = DispatchQueue(label: "listener \(name)")
    }

    /// Listens at a path; what was there is removed.
    public convenience init(at path: String) throws(SystemCallFailure) {
        self.init(adopting: try UnixSocket.listen(at: path), name: path)
    }

    /// The sockets that systemd passed to this program.
    public static func passed() -> [Listener] {
        UnixSocket.passed().map { Listener(adopting: $0.descriptor, name: $0.name) }
    }

    deinit { UnixSocket.close(descriptor) }

    /// Waits for the next connection.
    ///
    /// - Throws: `SystemCallFailure`, `CancellationError`.
    public func accept() async throws -> Stream {
        while true {
            if let connection = try UnixSocket.accept(descriptor) { return Stream(adopting: connection) }
            try await waitUntilReady(descriptor, .input, on: queue)
        }
    }
}
