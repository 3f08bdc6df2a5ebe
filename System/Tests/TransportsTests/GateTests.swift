// SPDX-License-Identifier: GPL-3.0-or-later
import Dispatch
import Linux
import Synchronization
import Testing

@testable import Transports

@Suite("Who asks for the firewall to be opened", .timeLimit(.minutes(1)))
struct GateTests {
    /// Serves one connection on a thread of its own.
    final class Service: Sendable {
        let fake = FakeWorld()
        let client: Int32
        /// What tells of changes in the network.
        let news: (reading: Int32, writing: Int32)
        private let ended = DispatchSemaphore(value: 0)
        private let outcome = Mutex<Bool?>(nil)
        /// Whether it said at its end that all is closed; `nil` before.
        var saysClosed: Bool? { outcome.withLock { $0 } }

        init(asker: UInt32? = nil) throws {
            let path = "/tmp/needletail-gate-\(Machine.uptime)"
            let listener = try UnixSocket.listen(at: path)
            client = try UnixSocket.connect(to: path)
            news = try Descriptor.pipe()
            var connection: Int32?
            while connection == nil { connection = try UnixSocket.accept(listener) }
            try? FileTree.remove(path)
            UnixSocket.close(listener)
            guard let connection else { return }
            let own = try asker ?? UnixSocket.peer(of: connection).user
            var times = Gate.Times()
            (times.patience, times.settling, times.retry, times.look) = (1, 0.01, 0.05, 0.2)
            let (world, changes, ended) = (fake.world, news.reading, ended)
            try UnixSocket.setNonBlocking(changes)
            DispatchQueue.global().async { [self, times] in
                var gate = Gate(world, asker: own, changes: changes, times: times)
                let isClosed = gate.serve(connection)
                outcome.withLock { $0 = isClosed }
                UnixSocket.close(connection)
                ended.signal()
            }
        }

        func say(_ text: String) throws { _ = try UnixSocket.write(Array(text.utf8)[...], to: client) }

        /// Has it opened.
        func open() throws {
            try say("open\n")
            #expect(try hear() == "open\n")
            #expect(!fake.isClosed)
        }

        /// What is said next; empty at the end.
        func hear() throws -> String {
            _ = Polling.wait(reading: [client], seconds: 10)
            return String(decoding: try UnixSocket.read(client, upTo: 64) ?? [], as: UTF8.self)
        }

        func hangUp() { UnixSocket.shutDown(client) }

        func hasEnded() -> Bool { ended.wait(timeout: .now() + 10) == .success }
    }

    @Test("open is answered when it is open, and close when it is closed")
    func words() throws {
        let service = try Service()
        try service.open()
        try service.say("close\n")
        #expect(try service.hear() == "closed\n")
        #expect(service.hasEnded() && service.fake.isClosed && service.saysClosed == true)
    }

    @Test("when the asker ends, all is closed")
    func end() throws {
        let service = try Service()
        try service.open()
        service.hangUp()
        #expect(service.hasEnded() && service.fake.isClosed)
    }

    @Test("another account gets nothing, not even an answer")
    func stranger() throws {
        let service = try Service(asker: 4_000_000)
        try? service.say("open\n")
        #expect(service.hasEnded())
        #expect(service.fake.state.withLock { $0.steps.isEmpty })
        #expect((try? service.hear()) ?? "" == "")
    }

    @Test(
        "other words, long ones and bytes end the talk, and all is closed",
        arguments: [
            "open 9.9.9.9\n", "OPEN\n", "\n", "\u{0}", "closed\n", String(repeating: "a", count: 5000),
            "open\nopen\nx\n",
            "öpen\n",
        ])
    func hostile(words: String) throws {
        let service = try Service()
        try service.say(words)
        #expect(service.hasEnded())
        #expect(service.fake.isClosed)
    }

    @Test("who says nothing does not stay")
    func silence() throws {
        let service = try Service()
        #expect(service.hasEnded() && service.fake.isClosed)
    }

    @Test("a network that names its server late, another one, or none is told while it is held")
    func changes() throws {
        let service = try Service()
        service.fake.state.withLock { $0.names = [] }
        try service.say("open\n")
        #expect(try service.hear() == "waiting\n")
        service.fake.state.withLock { $0.names = ["192.0.2.9"] }
        #expect(try service.hear() == "open\n")
        #expect(service.fake.state.withLock { $0.servers } == ["192.0.2.9"])
        service.fake.state.withLock { $0.hasUplink = false }
        _ = try Descriptor.write([1], to: service.news.writing)
        #expect(try service.hear() == "waiting\n")
        #expect(service.fake.isClosed)
        service.fake.state.withLock {
            $0.hasUplink = true
            $0.failsToFill = true
        }
        #expect(try service.hear() == "failed\n")
        #expect(service.hasEnded() && service.fake.isClosed)
    }

    @Test("when it cannot be closed, it is not said to be")
    func notClosed() throws {
        let service = try Service()
        try service.open()
        service.fake.state.withLock { $0.failsToEmpty = true }
        try service.say("close\n")
        #expect(try service.hear() == "failed\n")
        #expect(service.hasEnded() && service.saysClosed == false)
    }
}
