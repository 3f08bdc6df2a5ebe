// SPDX-License-Identifier: GPL-3.0-or-later
import Linux
import Sockets
import Testing

@Suite("Stream sockets")
struct StreamTests {
    private func path(_ name: String) -> String { "/tmp/needletail-\(name)-\(Program.identifier)" }

    @Test("what one side writes the other reads, also when it is more than fits the socket at once")
    func roundTrip() async throws {
        let path = path("round")
        let listener = try Listener(at: path)
        defer { try? FileTree.remove(path) }
        let sent = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        async let received: [UInt8] = {
            let server = try await listener.accept()
            var all: [UInt8] = []
            while true {
                let bytes = try await server.read()
                if bytes.isEmpty { return all }
                all += bytes
            }
        }()
        let client = try Stream(connectingTo: path)
        try await client.write(sent)
        client.shutDown()
        #expect(try await received == sent)
    }

    @Test("the peer of a connection is this process")
    func peer() async throws {
        let path = path("peer")
        let listener = try Listener(at: path)
        defer { try? FileTree.remove(path) }
        let client = try Stream(connectingTo: path)
        let server = try await listener.accept()
        #expect(try server.peer.process == Program.identifier)
        #expect(try client.peer.process == Program.identifier)
    }

    @Test("a cancelled task does not wait for bytes that never come")
    func cancelled() async throws {
        let path = path("cancel")
        let listener = try Listener(at: path)
        defer { try? FileTree.remove(path) }
        let client = try Stream(connectingTo: path)
        let waiting = Task { try await client.read() }
        try await Task.sleep(for: .milliseconds(50))
        waiting.cancel()
        await #expect(throws: CancellationError.self) { try await waiting.value }
        _ = listener
    }

    @Test("writing to somebody who has gone is an error, not the end of this program")
    func gone() async throws {
        let path = path("gone")
        let listener = try Listener(at: path)
        defer { try? FileTree.remove(path) }
        let client = try Stream(connectingTo: path)
        let server = try await listener.accept()
        server.shutDown()
        await #expect(throws: SystemCallFailure.self) {
            for _ in 0..<100 { try await client.write([UInt8](repeating: 0, count: 65_536)) }
        }
    }

    @Test("a path that is too long, and one where nobody listens, are errors with the path in them")
    func badPaths() {
        #expect(throws: SystemCallFailure.self) { try Stream(connectingTo: String(repeating: "x", count: 200)) }
        let error = #expect(throws: SystemCallFailure.self) { try Stream(connectingTo: "/tmp/nobody-listens-here") }
        #expect("\(String(describing: error))".contains("nobody-listens-here"))
    }
}
