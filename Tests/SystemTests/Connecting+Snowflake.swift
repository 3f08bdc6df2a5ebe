// SPDX-License-Identifier: GPL-3.0-or-later
import Foundation
import Testbed
import Testing

extension SystemTests.Connecting {
    /// A question for an address, asked in clear by Tor's own account beside the network cards.
    func ask(_ name: String, in trial: Trial) async throws -> GuestShell.Answer {
        let labels = name.split(separator: ".").map { String(format: "\\x%02x", $0.utf8.count) + $0 }.joined()
        return try await trial.machine.shell.run(
            "runuser -u debian-tor -- bash -c "
                + "'printf \"\\x12\\x34\\x01\\0\\0\\x01\\0\\0\\0\\0\\0\\0\(labels)\\0\\0\\x01\\0\\x01\" > /dev/udp/192.0.2.1/53'; sleep 1"
        )
    }

    /// The two sets of the firewall.
    func sets(_ trial: Trial) async throws -> String {
        let lists = ["udp_transports", "resolvers"].map { "nft --numeric list set inet needletail \($0)" }
        return try await trial.machine.shell.output(lists.joined(separator: "; "))
    }

    func isOpen(_ trial: Trial) async throws -> Bool {
        let (sets, user) = (try await sets(trial), try await trial.machine.shell.output("id -u debian-tor"))
        let number = user.filter(\.isNumber)
        return sets.contains("{ \(number) }") && sets.contains("{ 192.0.2.1 }")
    }

    func waitUntilOpen(_ trial: Trial, _ wanted: Bool) async throws {
        for _ in 0..<60 {
            let text = try await sets(trial)
            if wanted ? try await isOpen(trial) : !text.contains("elements") { return }
            try await Task.sleep(for: .milliseconds(500))
        }
        Issue.record("The firewall did not become \(wanted ? "open" : "closed"): \(try await sets(trial))")
    }

    /// A way through volunteers, of whom there are none here.
    func snowflake(_ all: BridgeTrial) async throws {
        let trial = all.trial
        #expect(try await !sets(trial).contains("elements"))
        let shell = trial.machine.shell

        // It takes a minute and a half until nobody is found; the rest is looked at meanwhile.
        _ = try await asUser(
            "(echo \"\(SnowflakeBroker.line)\" | needletail-connect --hide -; echo ended with $?) > /tmp/flakes 2>&1 < /dev/null &",
            in: trial)
        try await waitUntilOpen(trial, true)
        // What transports see, and nobody else does.
        let seen = try await shell.run(
            "nsenter --mount --target $(systemctl show -P MainPID tor@default) cat /etc/resolv.conf; cat /etc/resolv.conf"
        )
        #expect(
            seen.output.contains("nameserver 192.0.2.1\n") && seen.output.contains("nameserver 10.77.0.1"), "\(seen)")

        // Nobody but the connection service has it opened: not the user, who cannot connect, and not root, who is not answered.
        let curl = "curl -sS --max-time 5 --unix-socket /run/needletail/transports.sock http://x/"
        #expect(
            try await asUser("\(curl); ls -l /run/needletail/transports.sock", in: trial).output.contains("srw-------"))
        #expect(try await asUser(curl, in: trial).status == 7)
        #expect(try await shell.run(curl).status != 0)

        // When the opener dies the firewall is closed, and opened again for the service that still wants it.
        _ = try await shell.run("systemctl kill -s KILL needletail-transports")
        try await waitUntilOpen(trial, true)

        try await wait(for: "bridgeUnreachable", in: trial, within: .seconds(120))
        let told = try await asUser(
            "for i in 1 2 3 4 5; do grep ended /tmp/flakes && break; sleep 1; done; cat /tmp/flakes", in: trial)
        #expect(
            told.output.contains("ended with 1") && told.output.contains("snowflake has found no volunteer"), "\(told)")
        #expect(try all.broker.connections() > 0)
        let names = Set(try trial.network.router.questions().map(\.name))
        #expect(names == [Address.brokerNames.front, Address.brokerNames.stun])

        // The same for the service that wants it; without it all is closed.
        _ = try await shell.run("systemctl kill -s KILL needletail-connection; sleep 1")
        try await waitUntilOpen(trial, true)
        _ = try await shell.run("systemctl stop needletail-connection.socket needletail-connection.service")
        try await waitUntilOpen(trial, false)
        _ = try await shell.run("systemctl start needletail-connection.socket needletail-connection.service")
        try await waitUntilOpen(trial, true)

        // The positive of what is shown afterwards: this question arrives.
        let before = try trial.network.router.questions().count
        _ = try await ask(Address.brokerNames.front, in: trial)
        #expect(try trial.network.router.questions().count > before)
    }

    /// What is left of it after another choice.
    func afterSnowflake(_ all: BridgeTrial) async throws {
        let trial = all.trial
        #expect(try await !sets(trial).contains("elements"))
        #expect(try await trial.machine.shell.run("pgrep -x snowflake-clien").status != 0)
        let before = try trial.network.router.questions().count
        let answer = try await ask("after.example", in: trial)
        #expect(try trial.network.router.questions().count == before, "\(answer)")
    }
}
