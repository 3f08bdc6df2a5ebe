// SPDX-License-Identifier: GPL-3.0-or-later
import Foundation
import SystemPackage
import Testbed
import Testing

extension SystemTests {
    @Suite("Connecting", .serialized, .turn)
    struct Connecting {
        /// What the command in the session says.
        struct State: Decodable {
            let code: String
            let mode: String?
            let sentence: String
        }

        /// Runs a shell command as the session's user, where the user is.
        func asUser(_ script: String, in trial: Trial, timeout: Duration = .seconds(150)) async throws
            -> GuestShell.Answer
        {
            let quoted = script.replacing("'", with: "'\\''")
            return try await trial.machine.shell.run(
                "nsenter --net=/run/netns/session runuser -u user -- sh -c '\(quoted)'", timeout: timeout)
        }

        func state(_ trial: Trial) async throws -> State {
            let answer = try await asUser("needletail-connect --status --json", in: trial)
            return try JSONDecoder().decode(State.self, from: Data(answer.output.utf8))
        }

        func wait(for code: String, in trial: Trial, within limit: Duration = .seconds(90)) async throws {
            let deadline = ContinuousClock.now + limit
            var last = ""
            while ContinuousClock.now < deadline {
                last = try await state(trial).code
                if last == code { return }
                try await Task.sleep(for: .milliseconds(500))
            }
            Issue.record("The state is \(last) and not \(code) after \(limit).")
        }

        /// One start serves all of it: what an observer sees is judged by parts of time.
        @Test(
            "nothing is sent to Tor before the choice, to nobody but the bridge or snowflake's broker while hiding, and then directly"
        )
        func choices() async throws {
            let image = try ShippedImage.find()
            try await withWork { work in
                var plan = Trial.Plan(image: image.stick, firmware: .bios, memory: 1024)
                plan.card = .e1000
                let (times, evidence) = try await BridgeTrial.with(plan, menu: ["b"], work: work.appending("t")) {
                    all in
                    let trial = all.trial
                    try await trial.machine.shell.waitUntilReady(within: .seconds(240))
                    var times = [CaptiveTrial.now]

                    // Before the choice. The network is there, and nothing happens.
                    try await wait(for: "notChosen", in: trial)
                    let address = try await trial.machine.shell.run(
                        "for i in $(seq 60); do ip -4 route | grep -q default && break; sleep 1; done; ip -4 route | grep default",
                        timeout: .seconds(90)
                    )
                    #expect(address.status == 0, "\(address)")
                    try await Task.sleep(for: .seconds(3))
                    #expect(try await state(trial).code == "notChosen")
                    times.append(CaptiveTrial.now)

                    // A bridge that is not there.
                    let missing = try await asUser(
                        "echo '\(all.bridge.unreachableLine)' | needletail-connect --hide -", in: trial)
                    #expect(missing.status == 1 && missing.output.contains("The bridge does not answer."), "\(missing)")
                    #expect(try await state(trial).code == "bridgeUnreachable")

                    // A line with a typing mistake changes nothing.
                    let typo = try await asUser("echo 'obfs5 192.0.2.1:1' | needletail-connect --hide -", in: trial)
                    #expect(typo.status == 1 && typo.output.contains("“obfs5”"), "\(typo)")

                    // obfs4.
                    let hidden = try await asUser(
                        "echo '\(all.bridge.obfs4Line)' | needletail-connect --hide -", in: trial)
                    #expect(hidden.status == 0 && hidden.output.contains("You are connected to Tor."), "\(hidden)")
                    let page = try await asUser("curl -sS --max-time 60 \(WebServer.page)", in: trial)
                    #expect(
                        trial.tor.exitAddresses.contains(page.output.trimmingCharacters(in: .whitespacesAndNewlines)))

                    // Tor crashes, reads its files again, and the service crashes: it stays hidden.
                    _ = try await trial.machine.shell.run(
                        "systemctl kill -s KILL tor@default needletail-connection; sleep 2")
                    try await wait(for: "connected", in: trial)
                    _ = try await trial.machine.shell.run("systemctl kill -s HUP tor@default; sleep 2")
                    try await wait(for: "connected", in: trial)
                    #expect(try await state(trial).mode == "hide")

                    // The cable out and in.
                    try await trial.machine.setCable(plugged: false)
                    try await wait(for: "noCable", in: trial)
                    try await trial.machine.setCable(plugged: true)
                    try await wait(for: "connected", in: trial)

                    // Another choice while the last one is half-way: a plain bridge as the text of a QR code.
                    let code = "[\"\(all.bridge.plainLine)\"]"
                    let plain = try await asUser(
                        "echo '\(all.bridge.obfs4Line)' | timeout 1.5 needletail-connect --hide -; "
                            + "echo '\(code)' | needletail-connect --hide -", in: trial)
                    let journal = try await trial.machine.shell.run(
                        "journalctl --no-pager -o short-monotonic -u tor@default -u needletail-connection | tail -n 60")
                    #expect(plain.status == 0, "\(plain.output)\n\(journal.output)")
                    _ = try await asUser("needletail-connect --disconnect; sleep 2", in: trial)
                    times.append(CaptiveTrial.now)

                    // Through volunteers, and back to the bridge: nothing of it is left.
                    try await snowflake(all)
                    _ = try await asUser("needletail-connect --disconnect; sleep 2", in: trial)
                    times.append(CaptiveTrial.now)
                    try await afterSnowflake(all)
                    let back = try await asUser(
                        "echo '\(all.bridge.obfs4Line)' | needletail-connect --hide -", in: trial)
                    #expect(back.status == 0, "\(back)")
                    try await afterSnowflake(all)
                    times.append(CaptiveTrial.now)

                    // Directly.
                    let direct = try await asUser("needletail-connect --direct", in: trial)
                    #expect(direct.status == 0, "\(direct)")
                    let again = try await asUser("curl -sS --max-time 60 \(WebServer.page)", in: trial)
                    #expect(
                        trial.tor.exitAddresses.contains(again.output.trimmingCharacters(in: .whitespacesAndNewlines)))

                    // Off.
                    let off = try await asUser("needletail-connect --disconnect", in: trial)
                    #expect(off.status == 0, "\(off)")
                    #expect(try await state(trial).code == "disconnected")
                    return times
                }
                let (start, chosen, volunteers, back, direct) = (times[0], times[1], times[2], times[3], times[4])
                let before = try evidence.verdict(on: .init(from: 0, to: chosen), mayReach: .nobody)
                #expect(before.isClean, "before the choice:\n\(before)")
                #expect(before.frames > 0 && start < chosen)
                let hidden = try evidence.verdict(on: .init(from: chosen, to: volunteers), mayReach: .bridge)
                #expect(hidden.isClean, "while hiding:\n\(hidden)")
                #expect((hidden.allowed["Tor"] ?? 0) > 50, "\(hidden)")
                let window = CaptiveTrial.Window(from: volunteers, to: back)
                let flakes = try evidence.verdict(on: window, mayReach: .snowflake)
                #expect(flakes.isClean, "with snowflake:\n\(flakes)")
                for name in ["Tor", "Snowflake's names", "Snowflake's own address"] {
                    #expect((flakes.allowed[name] ?? 0) > 0, "\(name):\n\(flakes)")
                }
                let after = try evidence.verdict(on: .init(from: back, to: direct), mayReach: .bridge)
                #expect(after.isClean, "after snowflake:\n\(after)")
                #expect(try !evidence.verdict(on: window, mayReach: .bridge).isClean)
                // The anti-tests: the same judge sees what a direct connection, and what hiding sends.
                let rest = CaptiveTrial.Window(from: direct, to: .max)
                #expect(try !evidence.verdict(on: rest, mayReach: .bridge).isClean)
                #expect(try !evidence.verdict(on: .init(from: chosen, to: volunteers), mayReach: .nobody).isClean)
                #expect(try evidence.verdict(on: .init(from: 0, to: volunteers), mayReach: .everybody).isClean)
                #expect(try evidence.verdict(on: .init(from: back, to: .max), mayReach: .everybody).isClean)
                print("Before the choice:\n\(before)\nHiding:\n\(hidden)\nWith snowflake:\n\(flakes)")
            }
        }
    }
}
