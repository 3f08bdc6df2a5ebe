// SPDX-License-Identifier: GPL-3.0-or-later
import Foundation
import Linux
import Sockets
import Synchronization
import Testing
import Varlink

@testable import Suspend

@Suite("The lid, the lock and sleep")
struct SuspendTests {
    @Test("closing the lid locks at once and switches off after the time; opening it in time keeps the session")
    func lid() {
        var policy = LidPolicy("# a comment\nminutes=2\n")
        #expect(policy.step(isClosed: false, now: 0) == .wait(nil))
        #expect(policy.step(isClosed: true, now: 10) == .lock)
        #expect(policy.step(isClosed: true, now: 10) == .wait(120))
        #expect(policy.step(isClosed: true, now: 100) == .wait(30))
        #expect(policy.step(isClosed: false, now: 110) == .wait(nil))
        #expect(policy.step(isClosed: true, now: 500) == .lock)
        #expect(policy.step(isClosed: true, now: 619) == .wait(1))
        #expect(policy.step(isClosed: true, now: 620) == .powerOff)
    }

    @Test(
        "a time that makes no sense is half an hour",
        arguments: ["", "minutes=", "minutes=-1", "minutes=100000", "minutes=x", "min=3"])
    func minutes(text: String) { #expect(LidPolicy(text).minutes == 30) }

    @Test("a device that is no lid is left alone", arguments: ["", "../sda", "event", "eventx", "event999999"])
    func noLid(device: String) { #expect([0, 2].contains(LidWatch.run(device))) }

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
