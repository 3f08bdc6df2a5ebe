// SPDX-License-Identifier: GPL-3.0-or-later
import Foundation
import Linux
import Testing

@testable import Administration

@Suite("The session cannot keep the owner out of the lock")
struct QuotaTests {
    private func with(_ body: (Administrator, PasswordStore) async throws -> Void) async throws {
        let folder = "/tmp/admin-\(UUID().uuidString.prefix(8))"
        try FileTree.makeDirectory(folder, mode: 0o700)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let store = PasswordStore(folder: folder)
        try store.set(Service.secret("right"))
        let administrator = Administrator(store: store, makeRoom: { throw Gone() }, log: { _ in })
        try await body(administrator, store)
    }

    private struct Gone: Error {}

    @Test("one user's tickets leave the other's alone, and there is an end to them")
    func tickets() async throws {
        try await with { administrator, _ in
            for _ in 0..<100 { _ = try await administrator.prepare(nil, user: 1000) }
            #expect(try await administrator.prepare(nil, user: 1000) == nil)
            for _ in 0..<8 { #expect(try await administrator.prepare(nil, user: 0) != nil) }
            #expect(try await administrator.prepare(nil, user: 0) == nil)
        }
    }

    @Test("one user's places at the door leave the other's alone, and are given back")
    func places() async throws {
        try await with { administrator, _ in
            let door = TerminalDoor(administrator)
            for _ in 0..<TerminalDoor.most { #expect(door.enter(1000)) }
            #expect(!door.enter(1000))
            #expect(door.enter(0) && door.isInUse)
            door.leave(1000)
            #expect(door.enter(1000) && !door.enter(1000))
            for _ in 0..<TerminalDoor.most { door.leave(1000) }
            door.leave(0)
            #expect(!door.isInUse)
        }
    }

    @Test("wrong tries in the session do not let the lock wait, nor the other way round; each has its pauses")
    func tries() throws {
        let folder = "/tmp/admin-\(UUID().uuidString.prefix(8))"
        try FileTree.makeDirectory(folder, mode: 0o700)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let store = PasswordStore(folder: folder)
        try store.set(Service.secret("right"))
        for (one, other) in [(1000, 0), (0, 1000)] as [(UInt32, UInt32)] {
            for index in 0..<12 {
                #expect(store.check(Service.secret("wrong"), user: one, now: 1000 * Double(index + 1)) == .wrong)
            }
            #expect(store.check(Service.secret("right"), user: one, now: 12_001) == .tooEarly(599))
            #expect(store.check(Service.secret("right"), user: other, now: 12_001) == .right)
            // That was no pardon.
            #expect(store.check(Service.secret("right"), user: one, now: 12_002) == .tooEarly(598))
            #expect(store.check(Service.secret("right"), user: one, now: 12_600) == .right)
        }
    }

    @Test("the lock's password is taken right after a wrong one of the session")
    func lockAfterSession() async throws {
        try await with { administrator, store in
            for index in 0..<8 {
                let now = Machine.uptime - 2000 + 200 * Double(index)
                #expect(store.check(Service.secret("wrong"), user: 1000, now: now) == .wrong)
            }
            func redeem(_ user: UInt32, _ password: String) async throws -> Frame? {
                let ticket = try #require(try await administrator.prepare(nil, user: user))
                return await administrator.redeem(
                    ticket, user: user, password: Service.secret(password), connection: -1)
            }
            let wrong = try await redeem(1000, "wrong")
            #expect(wrong == Refusal.wrongPassword.frame())
            let early = try await redeem(1000, "right")
            #expect(early?.payload.first == Refusal.tooManyTries.rawValue)
            let lock = try await redeem(0, "right")
            #expect(lock == Frame(.ended, [0]))
        }
    }

    @Test("a hash that cannot be read is a failure, and never means that there is no password")
    func unreadable() async throws {
        try await with { administrator, store in
            let path = "\(store.folder)/password"
            func expectFailure() async throws {
                #expect(store.isSet)
                #expect(store.check(Service.secret("right"), user: 0, now: 0) == .failed)
                #expect(await administrator.state == .ready)
                let ticket = try #require(try await administrator.prepare(nil, user: 0))
                let answer = await administrator.redeem(
                    ticket, user: 0, password: Service.secret("right"), connection: -1)
                #expect(answer == Refusal.failed.frame())
                try? FileTree.remove("\(store.folder)/tries-lock")
            }
            try FileTree.remove(path)
            #expect(!store.isSet && store.check(Service.secret("right"), user: 0, now: 0) == .off)
            try File.make(path, mode: 0o600)
            try await expectFailure()
            try File.replace(path, mode: 0o600, Array("$y$no hash".utf8))
            try await expectFailure()
            try FileTree.remove(path)
            try FileTree.makeDirectory(path)
            try await expectFailure()
            // A link to itself, and a folder that is none: neither is "not there".
            try FileManager.default.removeItem(atPath: path)
            try FileTree.makeLink(path, to: path)
            try await expectFailure()
            let noFolder = PasswordStore(folder: "/dev/null")
            #expect(noFolder.isSet && noFolder.check(Service.secret("x"), user: 0, now: 0) == .failed)
        }
    }

    @Test("tries that cannot be counted are not made")
    func uncounted() async throws {
        try await with { _, store in
            // Nothing can be written where the count would be.
            try FileTree.makeDirectory("\(store.folder)/tries.new")
            try File.make("\(store.folder)/tries.new/x", mode: 0o600)
            #expect(store.check(Service.secret("right"), user: 1000, now: 0) == .failed)
        }
    }

    @Test("what a set password left half done by a crash is neither a password nor in the way of one")
    func halfDone() throws {
        let folder = "/tmp/admin-\(UUID().uuidString.prefix(8))"
        try FileTree.makeDirectory(folder, mode: 0o700)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try File.make("\(folder)/password.new", mode: 0o600, Array("$y$j9T$ab".utf8))
        let store = PasswordStore(folder: folder)
        #expect(!store.isSet)
        try store.set(Service.secret("right"))
        #expect(store.check(Service.secret("right"), user: 0, now: 0) == .right)
        #expect(Set(FileTree.names(in: folder)) == ["password", "tries-lock"])
    }
}
