// SPDX-License-Identifier: GPL-3.0-or-later
import Foundation
import Testbed
import Testing

/// Administration, and attempts to get out of the session from it and from the user's account.
extension SystemTests.Session {
    static let password = "a long way home"
    private static let socket = "/run/needletail/administration.sock"

    /// Switches administration on, once for the boot.
    private func switchAdministrationOn() async throws {
        let state = try await output("varlinkctl call \(Self.socket) org.needletail.Administration.GetState '{}'")
        guard state.contains("\"off\"") else { return }
        let status = try await asUser("needletail-admin --status")
        #expect(status.output.contains("off in this session"), "\(status)")
        _ = try await output(
            "varlinkctl call \(Self.socket) org.needletail.Administration.SetPassword '{\"password\":\"\(Self.password)\"}'"
        )
    }

    /// Runs a script as root of the room.
    private func inRoom(_ script: String, timeout: Duration = .seconds(60)) async throws -> GuestShell.Answer {
        let text = Data("\(Self.password)\n\(script)".utf8).base64EncodedString()
        return try await session().machine.shell.run(
            "echo \(text) | base64 -d | \(Trial.asUser) needletail-admin --password-stdin sh -s", timeout: timeout)
    }

    /// Lets somebody make attempts.
    private func attempt(_ attempts: [Escape], _ who: Escape.Who) async throws -> (
        succeeded: [String], made: Set<String>
    ) {
        let script = Escape.script(attempts)
        let text: String
        switch who {
        case .room: text = try await inRoom(script, timeout: .seconds(120)).output
        case .user:
            let encoded = Data(script.utf8).base64EncodedString()
            text = try await session().machine.shell.run(
                "echo \(encoded) | base64 -d | \(Trial.asUser) sh -s", timeout: .seconds(120)
            ).output
        }
        return Escape.results(in: text)
    }

    @Test("no attempt to leave the session succeeds, and nothing outside has changed", arguments: Escape.Who.allCases)
    func escapes(_ who: Escape.Who) async throws {
        try await switchAdministrationOn()
        let attempts = Escape.all.filter { $0.who.contains(who) }
        let before = try await output(Escape.evidence)
        let (succeeded, made) = try await attempt(attempts, who)
        #expect(succeeded.isEmpty, "These succeeded: \(succeeded)")
        #expect(made.count == attempts.count, "Not made: \(Set(attempts.map(\.what)).subtracting(made))")
        let after = try await output(Escape.evidence)
        #expect(before == after, "Something changed: \(after.split(separator: "\n").filter { !before.contains($0) })")
    }

    @Test("the attempts are no blanks: the real root succeeds with the same words")
    func escapesAreReal() async throws {
        let attempts = Escape.all.filter { $0.undo != nil }
        let encoded = Data(Escape.script(attempts, undoing: true).utf8).base64EncodedString()
        let text = try await session().machine.shell.run(
            "echo \(encoded) | base64 -d | sh -s", timeout: .seconds(120)
        ).output
        let (succeeded, made) = Escape.results(in: text)
        #expect(made.count == attempts.count)
        let failed = Set(attempts.map(\.what)).subtracting(succeeded)
        #expect(failed.isEmpty, "The real root did not succeed with: \(failed)")
    }

    @Test("administration installs a package and runs its program, and the system stays as it was")
    func install() async throws {
        try await switchAdministrationOn()
        let answer = try await inRoom(
            """
            set -e
            mkdir -p /tmp/p/DEBIAN /tmp/p/usr/bin
            printf 'Package: guest\\nVersion: 1\\nArchitecture: all\\nMaintainer: T <t@example.org>\\nDescription: t\\n' > /tmp/p/DEBIAN/control
            printf '#!/bin/sh\\necho installed\\n' > /tmp/p/usr/bin/guest-program
            chmod 755 /tmp/p/usr/bin/guest-program
            dpkg-deb --build /tmp/p /tmp/guest.deb > /dev/null
            apt-get install -y /tmp/guest.deb > /dev/null 2>&1
            guest-program
            """)
        #expect(answer.status == 0 && answer.output.contains("installed"), "\(answer)")
        // The next command sees it; the system does not.
        #expect(try await inRoom("guest-program").output.contains("installed"))
        #expect(try await output("ls /usr/bin/guest-program 2>&1 || true").contains("No such file"))
        // Its network is the session's: Tor.
        let page = try await inRoom("curl -sS --max-time 60 http://\(Address.web)/")
        #expect(page.status == 0, "\(page)")
        let exits = try session().tor.exitAddresses
        let visits = try session().network.web.visits()
        #expect(visits.allSatisfy { exits.contains($0.address) })
        // Gone at the end.
        #expect(try await asUser("needletail-admin --end").status == 0)
        #expect(try await inRoom("guest-program").status == 127)
    }

    @Test("when the service of administration ends, so does everything in the room, and it can be had again")
    func roomEnds() async throws {
        try await switchAdministrationOn()
        #expect(try await inRoom("sleep 54321 > /dev/null 2>&1 & true").status == 0)
        #expect(try await output("pgrep -cx sleep || true") != "0")
        _ = try await output("systemctl kill -s KILL needletail-administration.service; sleep 3")
        #expect(try await output("pgrep -fc 'sleep 5432[1]' || true") == "0")
        #expect(try await inRoom("echo again").output.contains("again"))
    }

    /// Set-user-id and set-group-id programs, with the reason for each.
    private static let justified: [String: String] = [:]

    @Test("no program gives more rights to who starts it")
    func setIdentity() async throws {
        let found = try await output("find / -xdev -perm /6000 -type f").split(separator: "\n").map(String.init)
        #expect(found.filter { Self.justified[$0] == nil }.isEmpty, "\(found)")
    }
}
