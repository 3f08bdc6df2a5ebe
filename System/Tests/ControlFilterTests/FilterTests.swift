// SPDX-License-Identifier: GPL-3.0-or-later
import ControlFilter
import Linux
import Sockets
import Testing
import TorControl

@Suite("The control filter on real sockets", .timeLimit(.minutes(1)))
struct FilterTests {
    private static let phase =
        "250-status/bootstrap-phase=NOTICE BOOTSTRAP PROGRESS=100 TAG=done SUMMARY=\"Done\"\r\n250 OK\r\n"

    /// A Tor that behaves.
    private static let good: @Sendable (String) -> [UInt8]? = { line in
        switch line {
        case "GETINFO status/bootstrap-phase": Array(phase.utf8)
        case "GETINFO version": Array("250-version=0.4.9.11\r\n250 OK\r\n".utf8)
        case "GETINFO address": Array("250-address=192.0.2.1\r\n250 OK\r\n".utf8)
        case _ where line.hasPrefix("SETEVENTS") || line.hasPrefix("SIGNAL"): Array("250 OK\r\n".utf8)
        default: Array("510 Unrecognized command\r\n".utf8)
        }
    }

    @Test("nothing that is forbidden reaches Tor, one by one or all in one go")
    func forbidden() async throws {
        for name in Shipped.names {
            try await Setting.with(name, tor: Self.good) { setting in
                let visitor = try setting.connect()
                for line in Forbidden.lines {
                    #expect(try await visitor.ask(line) == "510 Command filtered", "\(line)")
                }
                try await visitor.say(Forbidden.lines.map { $0 + "\r\n" }.joined())
                for _ in Forbidden.lines { #expect(try await visitor.line() == "510 Command filtered") }
                #expect(try await visitor.ask("GETINFO status/bootstrap-phase") == "250 OK")
                #expect(setting.tor.lines == ["AUTHENTICATE", "GETINFO status/bootstrap-phase"])
                // The log says that something was refused, and nothing of what it was.
                #expect(!setting.log.all.isEmpty && setting.log.all.count < 20)
                #expect(!setting.log.all.contains { $0.contains("DisableNetwork") || $0.contains("address") })
            }
        }
    }

    @Test("a program that authenticates first, as programs do, is content")
    func ordinary() async throws {
        try await Setting.with("session", tor: Self.good) { setting in
            let visitor = try setting.connect()
            try await visitor.say("PROTOCOLINFO 1\r\n")
            #expect(try await visitor.line() == "250-PROTOCOLINFO 1")
            #expect(try await visitor.line() == "250-AUTH METHODS=NULL")
            #expect(try await visitor.line() == "250-VERSION Tor=\"0.4.9.11\"")
            #expect(try await visitor.line() == "250 OK")
            #expect(try await visitor.ask("AUTHENTICATE") == "250 OK")
            #expect(try await visitor.ask("USEFEATURE VERBOSE_NAMES") == "250 OK")
            #expect(try await visitor.ask("SETEVENTS SIGNAL CONF_CHANGED") == "250 OK")
            #expect(try await visitor.ask("signal newnym") == "250 OK")
            #expect(try await visitor.ask("QUIT") == "250 closing connection")
            #expect(try await visitor.line() == nil)
            #expect(setting.tor.lines.contains("SIGNAL NEWNYM"))
        }
    }

    @Test("the library's own client works through the filter, events included")
    func client() async throws {
        let events =
            "650 STATUS_CLIENT NOTICE BOOTSTRAP PROGRESS=80 TAG=ap_conn SUMMARY=\"Connecting\" HOSTADDR=192.0.2.7:1\r\n"
            + "650 NOTICE 192.0.2.1\r\n650 BW 1 2\r\n650 NETWORK_LIVENESS UP\r\n"
        try await Setting.with(
            "session", tor: { $0.hasPrefix("SETEVENTS") ? Array(("250 OK\r\n" + events).utf8) : Self.good($0) }
        ) {
            let client = try await Client.connect(socket: $0.door, cookie: nil)
            #expect(try await client.bootstrap().isDone)
            try await client.setEvents([.statusClient, .networkLiveness])
            var seen: [Event] = []
            for await event in client.events {
                seen.append(event)
                if seen.count == 2 { break }
            }
            #expect(seen.last == .networkLiveness(isUp: true))
            if case .status(let status) = seen[0], case .bootstrap(let bootstrap) = status.report {
                #expect(bootstrap.progress == 80 && bootstrap.hostAddress == nil)
            } else {
                Issue.record("\(seen)")
            }
        }
    }

    @Test("without Tor the client is told so, and the next question is asked again")
    func noTor() async throws {
        try await Setting.with("session", tor: Self.good) { setting in
            try FileTree.remove(setting.tor.path)
            let visitor = try setting.connect()
            #expect(try await visitor.ask("AUTHENTICATE") == "250 OK")
            #expect(try await visitor.ask("GETINFO version") == "551 Tor is not running")
            #expect(try await visitor.ask("SETEVENTS") == "250 OK")
            #expect(try await visitor.ask("SIGNAL NEWNYM") == "551 Tor is not running")
        }
    }

    @Test(
        "whatever Tor answers, the client gets an error or nothing of it, and others are served",
        arguments: [
            "garbage\r\n", "250\r\n", "999 x\r\n", "250-version=1\n", "250 OK", "\0\0\0\0\r\n", "250_OK\r\n",
            "250 OK\r\n250 OK\r\n",
            "650 CIRC\r\n650-X\r\n250 OK\r\n", "250+version=\r\nA\r\n.\r\n250-other=1\r\n250 OK\r\n",
            "250-version\r\n250 OK\r\n",
            "250-address=192.0.2.1\r\n250 OK\r\n", "550 192.0.2.1\r\n", "250-\u{1b}[2J=192.0.2.1\r\n250 OK\r\n", "",
        ])
    func hostile(answer: String) async throws {
        try await Setting.with(
            "session", patience: .milliseconds(500),
            tor: { $0 == "GETINFO version" ? Array(answer.utf8) : Self.good($0) }
        ) {
            setting in
            let visitor = try setting.connect()
            try await visitor.say("GETINFO version\r\nQUIT\r\n")
            var all = ""
            while let line = try await visitor.line() { all += line + "\n" }
            #expect(!all.contains("192.0.2.1") && !all.contains("\u{1b}"), "\(all)")
            #expect(all.hasPrefix("5") || all.hasPrefix("250-version=A\n250 OK") || all.hasPrefix("250 "), "\(all)")
            // On a busy machine this Tor may answer later than the half second that it is given.
            var served: String?
            for _ in 0..<50 where served != "250 OK" {
                served = try await setting.connect().ask("GETINFO status/bootstrap-phase")
            }
            #expect(served == "250 OK")
        }
    }

    @Test("an answer without end is cut off")
    func endless() async throws {
        for piece in [
            String(repeating: "A", count: 1 << 20), "250-version=1\r\n",
            "250+version=\r\n" + String(repeating: "A\r\n", count: 1000),
        ] {
            let flood = Array(String(repeating: piece, count: (3 << 20) / piece.utf8.count).utf8)
            try await Setting.with("session", tor: { $0 == "GETINFO version" ? flood : Self.good($0) }) { setting in
                let visitor = try setting.connect()
                #expect(try await visitor.ask("GETINFO version") == "551 Tor's answer is not understood")
                #expect(try await visitor.line() == nil)
            }
        }
    }

    @Test("when Tor ends, so does the connection, after an answer")
    func torEnds() async throws {
        try await Setting.with("session", tor: { $0 == "SIGNAL NEWNYM" ? nil : Self.good($0) }) { setting in
            let visitor = try setting.connect()
            #expect(try await visitor.ask("GETINFO version") == "250 OK")
            #expect(try await visitor.ask("SIGNAL NEWNYM") == "551 Tor stopped")
            #expect(try await visitor.line() == nil)
        }
    }

    @Test("ten thousand quick connections, many idle ones and endless lines leave room for others")
    func flood() async throws {
        try await Setting.with("status", tor: Self.good) { setting in
            var held: [Visitor] = []
            for number in 0..<10_000 {
                guard let visitor = try? setting.connect() else {
                    // The queue is full: what a client sees then.
                    try await Task.sleep(for: .milliseconds(1))
                    continue
                }
                if number % 1000 == 0 { held.append(visitor) }
                if number % 100 == 0 { try? await visitor.say(String(repeating: "A", count: 5000)) }
            }
            let open = FileTree.names(in: "/proc/self/fd").count
            #expect(open < 300, "\(open) descriptors are open")
            held = []
            var answer: String?
            for _ in 0..<100 where answer == nil {
                try await Task.sleep(for: .milliseconds(20))
                answer = try? await setting.connect().ask("GETINFO status/bootstrap-phase")
            }
            #expect(answer == "250 OK")
        }
    }

    @Test("no more connections at once than the file allows")
    func places() async throws {
        try await Setting.with("status", tor: Self.good) { setting in
            var held: [Visitor] = []
            for _ in 0..<8 {
                let visitor = try setting.connect()
                #expect(try await visitor.ask("AUTHENTICATE") == "250 OK")
                held.append(visitor)
            }
            #expect((try? await setting.connect().ask("AUTHENTICATE")) == nil)
            held.removeLast()
            try await Task.sleep(for: .milliseconds(100))
            #expect(try await setting.connect().ask("AUTHENTICATE") == "250 OK")
        }
    }

    @Test("who may not connect is turned away whatever the socket's permissions say")
    func stranger() async throws {
        // The shipped file names the user's account and not the one of the tests.
        try await Setting.with("clock", policy: try Shipped.policy("clock"), tor: Self.good) { setting in
            #expect((try? await setting.connect().ask("AUTHENTICATE")) == nil)
            #expect(setting.log.all.count == 1)
        }
    }

    @Test("what is kept for a client that reads nothing does not fill the memory")
    func deaf() async throws {
        let events = Array(String(repeating: "650 BW 1 2\r\n", count: 400_000).utf8)
        try await Setting.with(
            "status", tor: { $0.hasPrefix("SETEVENTS") ? Array("250 OK\r\n".utf8) + events : Self.good($0) }
        ) { setting in
            let visitor = try setting.connect()
            try await visitor.say("SETEVENTS BW\r\n")
            try await Task.sleep(for: .seconds(2))
            // What is still there now is all that was kept for it; whether it was cut off too depends on who was quicker.
            let end = Task { [stream = visitor.stream] in
                try await Task.sleep(for: .seconds(2))
                stream.shutDown()
            }
            defer { end.cancel() }
            var count = 0
            while let line = try await visitor.line() { count += line.isEmpty ? 0 : 1 }
            #expect(count < 200_000)
        }
    }
}
