// SPDX-License-Identifier: GPL-3.0-or-later
import Foundation
import Linux
import Sockets
import Testing
import Varlink

@testable import Administration

@Suite("The password of administration")
struct PasswordTests {
    private func withStore<Value>(_ body: (PasswordStore) throws -> Value) throws -> Value {
        let folder = "/tmp/admin-\(UUID().uuidString.prefix(8))"
        try FileTree.makeDirectory(folder, mode: 0o700)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        return try body(PasswordStore(folder: folder))
    }

    @Test("only the password itself is right, and only its hash is kept, for root alone")
    func right() throws {
        try withStore { store in
            #expect(store.check(Service.secret("x"), user: 1000, now: 0) == .off)
            try store.set(Service.secret("Grüße aus Köln"))
            #expect(store.check(Service.secret("Grüße aus Köln"), user: 1000, now: 0) == .right)
            #expect(store.check(Service.secret("Grüße aus Koeln"), user: 1000, now: 10) == .wrong)
            #expect(store.check(Service.secret(""), user: 1000, now: 20) == .wrong)
            let hash = try File.text("\(store.folder)/password")
            #expect(hash.hasPrefix("$y$") && !hash.contains("Gr"))
            #expect(try FileTree.status("\(store.folder)/password").mode & 0o777 == 0o600)
        }
    }

    @Test("it is chosen once")
    func once() throws {
        try withStore { store in
            try store.set(Service.secret("one"))
            #expect(throws: PasswordStore.Failure.alreadySet) { try store.set(Service.secret("two")) }
            #expect(store.check(Service.secret("one"), user: 1000, now: 0) == .right)
        }
    }

    @Test(
        "passwords that cannot be kept whole are refused", arguments: ["", "a\0b", String(repeating: "x", count: 501)])
    func unusable(_ password: String) throws {
        try withStore { store in
            #expect(throws: PasswordStore.Failure.notUsable) { try store.set(Service.secret(password)) }
            #expect(!store.isSet)
        }
    }

    @Test("every byte of the longest password counts")
    func longest() throws {
        try withStore { store in
            try store.set(Service.secret(String(repeating: "x", count: 500)))
            #expect(store.check(Service.secret(String(repeating: "x", count: 499) + "y"), user: 1000, now: 0) == .wrong)
            #expect(store.check(Service.secret(String(repeating: "x", count: 500)), user: 1000, now: 10) == .right)
        }
    }

    @Test(
        "each wrong try makes the next wait longer, also for who knows the password, and across restarts of the service"
    )
    func pauses() throws {
        try withStore { store in
            try store.set(Service.secret("right"))
            var now = 100.0
            for _ in 0..<6 {
                #expect(store.check(Service.secret("wrong"), user: 1000, now: now) == .wrong)
                now += 20
            }
            now -= 20
            #expect(
                PasswordStore(folder: store.folder).check(Service.secret("right"), user: 1000, now: now + 1)
                    == .tooEarly(15))
            #expect(
                PasswordStore(folder: store.folder).check(Service.secret("right"), user: 1000, now: now + 16) == .right)
            #expect(store.check(Service.secret("wrong"), user: 1000, now: now + 16) == .wrong)
        }
        #expect(PasswordStore.pause(after: 1_000_000) == 600)
    }

    @Test("a wrong password runs nothing, and a right one right after it has to wait")
    func door() async throws {
        try await Service.with { service in
            // Earlier tries, so that the wait is longer than a busy machine takes for the next one.
            for index in 0..<8 {
                let now = Machine.uptime - 2000 + 200 * Double(index)
                #expect(service.store.check(Service.secret("wrong"), user: getuid(), now: now) == .wrong)
            }
            let wrong = try await service.run(["id"], password: "wrong")
            #expect(wrong.refusal == .wrongPassword && wrong.output.isEmpty && wrong.status == nil)
            let early = try await service.run(["id"])
            #expect(early.refusal == .tooManyTries && (2...128).contains(early.wait), "\(early)")
        }
    }

    @Test("a ticket is good for one try")
    func ticket() async throws {
        try await Service.with { service in
            let ticket = try await service.client.call(
                "\(AdministrationInterface.name).Prepare",
                AdministrationInterface.PrepareParameters(arguments: ["id"], terminal: nil),
                returning: AdministrationInterface.Ticket.self
            ).ticket
            #expect(try await service.redeem(ticket, password: "wrong").refusal == .wrongPassword)
            #expect(try await service.redeem(ticket).refusal == .noTicket)
            #expect(try await service.redeem(String(repeating: "0", count: 32)).refusal == .noTicket)
        }
    }

    @Test("without a password chosen at the start there is no administration")
    func off() async throws {
        _ = try await Service.with(password: nil) { service in
            await #expect(throws: AdministrationInterface.error("Off")) { try await service.run(["id"]) }
        }
    }

    @Test("the interface sets a password once")
    func setPassword() async throws {
        try await Service.with(password: nil) { service in
            let method = "\(AdministrationInterface.name).SetPassword"
            let parameters = AdministrationInterface.PasswordParameters(password: "over the wire")
            if getuid() == 0 {
                try await service.client.call(method, parameters)
                await #expect(throws: AdministrationInterface.error("AlreadySet")) {
                    try await service.client.call(method, parameters)
                }
            }
        }
    }

    @Test(
        "commands that cannot be given to a program are refused",
        arguments: [[""], ["a\0b"], Array(repeating: "x", count: 1025), [String(repeating: "x", count: 65_536)]])
    func arguments(_ arguments: [String]) async throws {
        #expect(CommandRequest(arguments: arguments, terminal: nil) == nil)
    }

    @Test("a request survives its way to the room", arguments: [[], ["sh", "-c", "a b\nc"], ["x", "", "\u{1F426}"]])
    func request(_ arguments: [String]) throws {
        for terminal in [
            nil, CommandRequest.TerminalRequest(kind: "xterm-256color", window: .init(rows: 5, columns: 6)),
        ] {
            let request = try #require(CommandRequest(arguments: arguments, terminal: terminal))
            #expect(CommandRequest(request.bytes) == request)
        }
    }

    @Test(
        "hostile bytes give no request",
        arguments: ["", "run", "run\0", "run\0\0x\0y\0", "run\0../../x\0001\0001\0", "stop\0\0001\0001\0"])
    func hostile(_ text: String) { #expect(CommandRequest(Array(text.utf8)) == nil) }

    @Test("a frame that is too long or unknown ends the connection, and pieces are put together at any cut")
    func frames() throws {
        var reader = FrameReader()
        #expect(throws: BrokenFrame.self) { try reader.add([99, 0, 0]) }
        reader = FrameReader()
        #expect(throws: BrokenFrame.self) { try reader.add([1, 0xff, 0xff]) }
        reader = FrameReader()
        let frames = [Frame(.input, [1, 2, 3]), Frame(.endOfInput), Frame.window(.init(rows: 300, columns: 2))]
        var seen: [Frame] = []
        for byte in frames.flatMap(\.bytes) { seen += try reader.add([byte]) }
        #expect(seen == frames)
        #expect(seen[2].window == .init(rows: 300, columns: 2))
    }

    @Test(
        "arguments of the command",
        arguments: [
            (["apt-get", "-y", "update"], AdministrationUse.What.run(["apt-get", "-y", "update"])),
            ([], .run([])), (["--", "-x"], .run(["-x"])), (["--end"], .end),
            (["--copy", "a", "b"], .copy(["a", "b"])),
            (["--password-stdin", "id"], .run(["id"])),
        ])
    func use(_ arguments: [String], _ what: AdministrationUse.What) {
        #expect(AdministrationUse(arguments, terminalKind: "../x")?.what == what)
        #expect(AdministrationUse(arguments, terminalKind: "../x")?.terminalKind == "linux")
    }

    @Test("unknown options are not run", arguments: [["--sudo"], ["--end", "x"], ["--copy"]])
    func wrongUse(_ arguments: [String]) { #expect(AdministrationUse(arguments) == nil) }
}

@Suite("The password as the answer to another service's question")
struct ConfirmationTests {
    private struct User: Codable, Sendable { var user: UInt32 }

    @Test("a ticket is confirmed by the right password only, once, and not for another user")
    func confirmed() async throws {
        try await Service.with { service in
            let name = AdministrationInterface.name
            func prepare(_ user: UInt32) async throws -> AdministrationInterface.Ticket {
                try await service.client.call(
                    "\(name).PrepareConfirmation", User(user: user), returning: AdministrationInterface.Ticket.self)
            }
            func take(_ ticket: AdministrationInterface.Ticket) async throws -> Bool {
                try await service.client.call(
                    "\(name).TakeConfirmation", ticket, returning: AdministrationInterface.ConfirmationReply.self
                ).confirmed
            }
            let unused = try await prepare(0)
            #expect(try await !take(unused))
            // The test's own user is root; somebody else's ticket is no ticket.
            #expect(try await service.redeem(prepare(1000).ticket).refusal == .noTicket)
            let right = try await prepare(0)
            #expect(try await service.redeem(right.ticket).status == 0)
            #expect(try await take(right))
            #expect(try await !take(right))
            let wrong = try await prepare(0)
            #expect(try await service.redeem(wrong.ticket, password: "wrong").refusal == .wrongPassword)
            #expect(try await !take(wrong))
        }
    }
}
