// SPDX-License-Identifier: GPL-3.0-or-later
import Foundation
import Testbed
import Testing

extension SystemTests.Session {
    /// A shell command of the session's user, in the session's namespace. The guest has no tool that speaks to Unix sockets but
    /// curl, whose telnet takes lines from its standard input.
    private func asSessionUser(_ script: String, account: String = "user") async throws -> GuestShell.Answer {
        let quoted = script.replacing("'", with: "'\\''")
        return try await session().machine.shell.run(
            "nsenter --net=/run/netns/session runuser -u \(account) -- sh -c '\(quoted)'", timeout: .seconds(60))
    }

    private func askControl(_ lines: [String], socket: String, account: String = "user") async throws
        -> GuestShell.Answer
    {
        let said = lines.map { "echo '\($0)'; sleep 0.3" }.joined(separator: "; ")
        return try await asSessionUser(
            "(\(said); sleep 0.5) | timeout 20 curl -s --unix-socket \(socket) telnet://tor", account: account)
    }

    @Test("needletail-status says that Tor is connected, and through which relays")
    func status() async throws {
        let text = try await asSessionUser("needletail-status")
        #expect(text.status == 0 && text.output.hasPrefix("Tor is connected."), "\(text)")
        #expect(text.output.contains(" → "), "\(text)")
        let json = try await asSessionUser("needletail-status --json")
        #expect(json.output.contains("\"progress\" : 100"), "\(json)")
    }

    @Test("the session may ask for new circuits, and gets neither the computer's address nor any setting of Tor")
    func filtered() async throws {
        let socket = "/run/needletail/control/session.sock"
        let answer = try await askControl(
            [
                "AUTHENTICATE", "GETINFO address", "getinfo ADDRESS", "SETCONF DisableNetwork=0", "GETCONF Bridge",
                "SIGNAL NEWNYM", "QUIT",
            ],
            socket: socket)
        let lines = answer.output.split(whereSeparator: \.isNewline).map(String.init)
        #expect(
            lines == [
                "250 OK", "510 Command filtered", "510 Command filtered", "510 Command filtered",
                "510 Command filtered", "250 OK",
                "250 closing connection",
            ], "\(answer)")
    }

    @Test("each control socket is open to its own client only, and Tor's own to none of the session")
    func sockets() async throws {
        let folder = "/run/needletail/control"
        #expect(
            try await output("stat -c '%n %a %U:%G' \(folder)/*.sock") == """
                \(folder)/clock.sock 660 root:needletail-clock
                \(folder)/session.sock 660 root:user
                \(folder)/status.sock 660 root:user
                """)
        for socket in ["\(folder)/clock.sock", "/run/tor/control"] {
            let answer = try await askControl(["GETINFO version"], socket: socket)
            #expect(answer.status != 0 && answer.output.isEmpty, "\(socket): \(answer)")
        }
        let other = try await askControl(["GETINFO version"], socket: "\(folder)/status.sock", account: "nobody")
        #expect(other.status != 0 && other.output.isEmpty, "\(other)")
        #expect(try await asSessionUser("cat /run/tor/control.authcookie").status != 0)
        // The anti-test: where it may ask, it is answered, so that silence above means something.
        let own = try await askControl(["GETINFO version", "QUIT"], socket: "\(folder)/status.sock")
        #expect(own.output.contains("250-version="), "\(own)")
    }
}
