// SPDX-License-Identifier: GPL-3.0-or-later
import Foundation
import Linux
import Sockets
import Synchronization
import Testing
import Varlink

@testable import Suspend

@Suite("Locking and sleep when asked")
struct SuspendTests {
    /// What was done, in order.
    final class Record: Sendable {
        let steps = Mutex<[String]>([])
        func note(_ step: String) { steps.withLock { $0.append(step) } }
        var all: [String] { steps.withLock { $0 } }
    }

    func with(locks: Bool = true, sleeps: Bool = true, _ body: (VarlinkClient, Record) async throws -> Void)
        async throws
    {
        let folder = "/tmp/suspend-\(UUID().uuidString.prefix(8))"
        try FileTree.makeDirectory(folder)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let record = Record()
        let actions = SuspendInterface.Actions(
            lock: {
                record.note("lock")
                return true
            }, isLocked: { locks },
            suspend: {
                record.note("suspend")
                return sleeps
            })
        let server = VarlinkServer(try SuspendInterface.service(actions, users: [getuid()]))
        let listener = try Listener(at: "\(folder)/s.sock")
        let task = Task { await server.run([listener]) }
        defer { task.cancel() }
        try await body(VarlinkClient(path: "\(folder)/s.sock"), record)
    }

    @Test("the computer sleeps only after the user has typed the word, and locked")
    func asks() async throws {
        try await with { client, record in
            for answer in ["", "yes", "sleep now", "SLEEP"] {
                #expect(await SuspendCommand.run([], onlyLock: false, client: client, answer: { answer }) == 1)
            }
            #expect(record.all.isEmpty)
            #expect(await SuspendCommand.run([], onlyLock: false, client: client, answer: { "sleep" }) == 0)
            #expect(record.all == ["lock", "suspend"])
        }
    }

    @Test("what cannot be locked does not sleep")
    func notLocked() async throws {
        try await with(locks: false) { client, record in
            #expect(await SuspendCommand.run([], onlyLock: false, client: client, answer: { "sleep" }) == 1)
            #expect(record.all == ["lock"])
        }
    }

    @Test("locking alone asks nothing, and does not sleep")
    func lockOnly() async throws {
        try await with { client, record in
            #expect(await SuspendCommand.run([], onlyLock: true, client: client, answer: { "" }) == 0)
            #expect(record.all == ["lock"])
            #expect(await SuspendCommand.run(["x"], onlyLock: true, client: client, answer: { "" }) == 2)
        }
    }
}
