// SPDX-License-Identifier: GPL-3.0-or-later
import Testbed
import Testing

extension GuestShell {
    /// Waits half a minute at most for a script to succeed. When it does not, that is an issue with what another script shows.
    func expect(_ what: String, by script: String, otherwiseShow state: String) async throws {
        let deadline = ContinuousClock.now + .seconds(30)
        while ContinuousClock.now < deadline {
            if try await run(script).status == 0 { return }
            try await Task.sleep(for: .milliseconds(500))
        }
        Issue.record("\(what) did not come to be:\n\(try await run(state).output)")
    }

    /// Lets the second pass in which no password is looked at after a wrong one.
    func waitAfterWrongPassword() async throws { _ = try await output("sleep 1.5") }
}
