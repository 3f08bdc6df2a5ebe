// SPDX-License-Identifier: GPL-3.0-or-later
import CAllocations
import Linux
import Testing

@testable import Emergency

@Suite("Only who may can ask for an emergency, and only in these words")
struct RequestTests {
    private func read(_ text: String, zero: Bool = true) -> Request {
        (Array(text.utf8) + (zero ? [0] : [])).withUnsafeBytes { Request.read($0) }
    }

    @Test func `Root and the user of the session may, nobody else`() {
        #expect(Request.isAllowed(user: 0))
        #expect(Request.isAllowed(user: 1000))
        for user: UInt32 in [1, 970, 975, 999, 1001, 65_534, 100_000, .max] { #expect(!Request.isAllowed(user: user)) }
    }

    @Test func `The two messages are understood as varlinkctl writes them`() {
        #expect(read(#"{"method":"org.needletail.Emergency.Start"}"#) == .start)
        #expect(read(#"{"method":"org.needletail.Emergency.Start","parameters":{}}"#) == .start)
        #expect(read(#"{"method":"org.needletail.Emergency.GetState"}"#) == .state)
    }

    @Test func `Nothing else is taken for one of them`() {
        for text in [
            "", "x", "{}", #"{"method":"org.needletail.Emergency.Star"}"#,
            #"{"method":"org.needletail.Emergency.Start"} "#,
            #"{"method":"org.needletail.Emergency.Start","more":true}"#, #"{"method":"org.needletail.Emergency.Stop"}"#,
            String(repeating: "{", count: 200),
        ] { #expect(read(text) == .unknown, "\(text)") }
        #expect(read(#"{"method":"org.needletail.Emergency.Start"}"#, zero: false) == .incomplete)
        #expect(read("", zero: false) == .incomplete)
        #expect(read(String(repeating: "x", count: Request.limit), zero: false) == .unknown)
    }

    @Test func `The socket says who is there, byte by byte and message by message, without allocating anything`() throws
    {
        let path = "/tmp/needletail-emergency-test-\(Program.identifier).sock"
        let listener = try UnixSocket.listen(at: path)
        defer {
            UnixSocket.close(listener)
            try? FileTree.remove(path)
        }
        let shared = UnsafeMutablePointer<Shared>.allocate(capacity: 1)
        shared.initialize(to: Shared(wipe: { _ in }))
        let bell = try LastCalls.makeBell()
        var watcher = Watcher(
            shared: shared, medium: nil, keys: .standard, events: -1, listener: listener, bell: bell, statistics: -1)

        // More than there is room for, silent; the last one asks.
        let idle = try (0..<12).map { _ in try UnixSocket.connect(to: path) }
        let asking = try UnixSocket.connect(to: path)
        let state = Array(#"{"method":"org.needletail.Emergency.GetState"}"#.utf8) + [0]
        _ = try UnixSocket.write(state[...], to: asking)
        let last = try UnixSocket.connect(to: path)
        _ = try UnixSocket.write((Array(#"{"method":"org.needletail.Emergency.Start"}"#.utf8) + [0])[...], to: last)

        let before = allocations_of_thread()
        let reason = watcher.waitForEmergency()
        let after = allocations_of_thread()
        #expect(after == before)
        #expect(reason == .request)
        let answer = try UnixSocket.read(asking, upTo: 256)
        #expect(answer == Array(#"{"parameters":{"watchesMedium":false}}"#.utf8) + [0])
        for descriptor in idle + [asking, last] { UnixSocket.close(descriptor) }
    }

    @Test func `The counter counts: an array is an allocation`() {
        let before = allocations_of_thread()
        var numbers: [Int] = []
        for number in 0..<1000 { numbers.append(number) }
        #expect(numbers.reduce(0, +) == 499_500)
        #expect(allocations_of_thread() > before)
    }

    @Test func `Another medium in its place, and none at all, are told apart`() throws {
        let shared = UnsafeMutablePointer<Shared>.allocate(capacity: 1)
        shared.initialize(to: Shared(wipe: { _ in }))
        let path = "/tmp/needletail-emergency-medium-\(Program.identifier)"
        try File(path, .create(mode: 0o600)).write([UInt8](repeating: 7, count: 8192))
        defer { try? FileTree.remove(path) }
        shared.pointee.medium = try LastCalls.openForGood(path)
        shared.pointee.look()
        #expect(shared.pointee.answer == 0)
        try File(path, .write).write([8])
        let before = allocations_of_thread()
        shared.pointee.look()
        let after = allocations_of_thread()
        #expect(after == before)
        #expect(shared.pointee.answer == Shared.different)
        LastCalls.close(shared.pointee.medium)
        shared.pointee.medium = -1
        shared.pointee.look()
        #expect(shared.pointee.answer == 9)  // EBADF
    }

    @Test func `The command asks before it acts, and says so when nobody listens`() {
        #expect(PanicCommand.run(["--help"], socket: "/nonexistent/socket") == 0)
        #expect(PanicCommand.run(["--nonsense"], socket: "/nonexistent/socket") == 2)
        #expect(PanicCommand.run([], socket: "/nonexistent/socket", answer: { "no" }) == 1)
        #expect(PanicCommand.run([], socket: "/nonexistent/socket", answer: { nil }) == 1)
        #expect(PanicCommand.run(["--yes"], socket: "/nonexistent/socket") == 2)
        #expect(PanicCommand.run(["--status"], socket: "/nonexistent/socket") == 2)
    }
}
