// SPDX-License-Identifier: GPL-3.0-or-later
import Linux
import Sockets
import Synchronization
import Varlink

/// A service with one method of each sort, which runs as long as a test's body.
struct TestService: Sendable {
    static let text = """
        # For tests
        interface org.example.test

        type Place (name: string, height: ?int)

        method Add(a: int, b: int) -> (sum: int)
        method Visit(places: []Place) -> (names: []string)
        method Count(to: int) -> (number: int)
        method Note(text: string) -> ()
        method Wait() -> ()
        method Break() -> ()
        method OnlyRoot() -> ()

        error TooLarge(limit: int)

        """

    struct Sum: Codable, Sendable {
        var a: Int
        var b: Int
    }
    struct Place: Codable, Sendable {
        var name: String
        var height: Int?
    }

    /// What handlers did, in order.
    final class Diary: Sendable {
        private let entries = Mutex<[String]>([])
        func add(_ entry: String) { entries.withLock { $0.append(entry) } }
        var all: [String] { entries.withLock { $0 } }
        func wait(for entry: String) async throws {
            for _ in 0..<500 where !all.contains(entry) { try await Task.sleep(for: .milliseconds(10)) }
        }
    }

    private static let count = Mutex(0)

    let path: String
    let diary: Diary

    static func with<Value: Sendable>(
        _ name: String, limits: VarlinkServer.Limits = .init(), idle: Duration? = nil,
        _ body: @Sendable (TestService) async throws -> Value
    ) async throws -> Value {
        // Tests run side by side.
        let number = count.withLock { count in
            count += 1
            return count
        }
        let test = TestService(path: "/tmp/needletail-varlink-\(name)-\(Program.identifier)-\(number)", diary: Diary())
        let listener = try Listener(at: test.path)
        defer { try? FileTree.remove(test.path) }
        let server = VarlinkServer(try test.service(), limits: limits) { test.diary.add("log: \($0)") }
        return try await withThrowingTaskGroup { group in
            group.addTask {
                await server.run([listener], idle: idle)
                test.diary.add("server ended")
            }
            let value = try await body(test)
            group.cancelAll()
            return value
        }
    }

    private func service() throws -> VarlinkService {
        let diary = diary
        var service = try VarlinkService(product: "test", version: "1")
        try service.add(try VarlinkInterface(Self.text)) { methods in
            methods.answer("Add") { (sum: Sum, _) in
                let (result, overflow) = sum.a.addingReportingOverflow(sum.b)
                guard !overflow, result < 1000 else {
                    throw VarlinkError("org.example.test.TooLarge", ["limit": .int(1000)])
                }
                return ["sum": result]
            }
            methods.answer("Visit") { (visit: [String: [Place]], _) in
                ["names": (visit["places"] ?? []).map { "\($0.name)/\($0.height.map(String.init) ?? "-")" }]
            }
            methods.observe("Count") { (end: [String: Int], _, updates) in
                let end = end["to"] ?? 0
                if end == 0 {
                    diary.add("counting")
                    defer { diary.add("counting ended") }
                    var number = 0
                    while true {
                        try await updates.send(["number": number])
                        number += 1
                        try await Task.sleep(for: .milliseconds(5))
                    }
                }
                for number in 1..<end { try await updates.send(["number": number]) }
                return ["number": end]
            }
            methods.answer("Note") { (note: [String: String], _) in
                diary.add(note["text"] ?? "")
                return Nothing()
            }
            methods.answer("Wait") { (_: Nothing, _) in
                diary.add("waiting")
                do { try await Task.sleep(for: .seconds(60)) } catch { diary.add("cancelled") }
                return Nothing()
            }
            methods.answer("Break") { (_: Nothing, _) -> Nothing in
                struct Inside: Error {}
                throw Inside()
            }
            methods.answer("OnlyRoot") { (_: Nothing, caller) in
                try caller.require(users: [4_000_000])
                return Nothing()
            }
        }
        return service
    }

    /// Sends bytes as they are, and returns all that comes back until the service closes, or until so many replies are there.
    func exchange(_ text: String, replies: Int) async throws -> [String] {
        try await exchange(Array(text.utf8), replies: replies)
    }

    func exchange(_ bytes: [UInt8], replies: Int) async throws -> [String] {
        let stream = try Stream(connectingTo: path)
        let alarm = Task {
            try await Task.sleep(for: .seconds(50))
            stream.shutDown()
        }
        defer { alarm.cancel() }
        do {
            try await stream.write(bytes)
        } catch is SystemCallFailure {}
        var received: [UInt8] = []
        while received.count(where: { $0 == 0 }) < replies {
            guard let more = try? await stream.read(), !more.isEmpty else { break }
            received += more
        }
        return received.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
    }
}
