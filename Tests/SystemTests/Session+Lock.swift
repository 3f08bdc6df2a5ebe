// SPDX-License-Identifier: GPL-3.0-or-later
import Foundation
import Testbed
import Testing

/// The lock of the screen, and sleep.
extension SystemTests.Session {
    private func console() async throws -> String { try await output("cat /sys/class/tty/tty0/active") }

    private func wait(_ what: String, for script: String) async throws {
        let deadline = ContinuousClock.now + .seconds(20)
        while ContinuousClock.now < deadline {
            if try await session().machine.shell.run(script).status == 0 { return }
            try await Task.sleep(for: .milliseconds(300))
        }
        let state = try await session().machine.shell.run(
            "cat /sys/class/tty/tty0/active; journalctl --no-pager -n 30 -o cat -u 'needletail-suspend*' -u needletail-lock; tr -s ' ' < /dev/vcs10"
        )
        Issue.record("\(what) did not come to be:\n\(state.output)")
    }

    @Test(
        "the lock stays on the screen, whatever keys are pressed and also when its program is killed, until it is opened"
    )
    func lock() async throws {
        let machine = try session().machine
        let before = try await console()
        try await expectLock()
        #expect(try await output("cat /dev/vcs10").contains("THE SCREEN IS"))
        try await machine.sendKeys(["alt", "f1"])
        try await Task.sleep(for: .seconds(1))
        #expect(try await console() == "tty10")
        _ = try await output("systemctl kill -s KILL needletail-lock.service")
        try await machine.sendKeys(["alt", "f1"])
        try await wait(
            "The lock again",
            for: "systemctl is-active needletail-lock && tr -d '\\0' < /dev/vcs10 | grep -q 'THE SCREEN IS'")
        #expect(try await console() == "tty10")
        try await unlock()
        let after = try await console()
        #expect(after == before || after == "tty1")
    }

    @Test("a program that asks for its own console all the time does not keep it from the lock, nor gets it back")
    func thief() async throws {
        // What a program of the session can write to its own console: it comes to the front.
        _ = try await output(
            "(while :; do printf '\\033[12;1]' > /dev/tty1; done) </dev/null >/dev/null 2>&1 & echo $! > /run/thief")
        try await expectLock()
        // Locked means: on the screen, at every moment.
        let looks = try await output(
            "for i in 1 2 3 4 5 6 7 8 9 10; do cat /run/needletail/locked /sys/class/tty/tty0/active; sleep 0.3; done | sort -u"
        )
        _ = try await output("kill $(cat /run/thief)")
        #expect(looks == "tty10")
        try await unlock()
        #expect(try await session().machine.shell.run("test -e /run/needletail/locked").status != 0)
    }

    private func expectLock() async throws {
        let answer = try await asUser("needletail-lock")
        #expect(answer.status == 0, "\(answer)")
        try await wait("The lock", for: "grep -q tty10 /sys/class/tty/tty0/active")
    }

    private func unlock() async throws {
        let machine = try session().machine
        // In this start no password was chosen, or it was by another test of this start.
        if try await output("cat /dev/vcs10").contains("HIDDEN") {
            try await machine.sendKeys(["ret"])
        } else {
            try await machine.type("\(Self.password)\n")
        }
        try await wait("The session", for: "! grep -q tty10 /sys/class/tty/tty0/active")
    }

    @Test("the user cannot let the computer sleep but by the command that asks")
    func sleep() async throws {
        for command in ["systemctl suspend", "systemctl hibernate", "systemctl hybrid-sleep", "loginctl suspend"] {
            #expect(try await asUser(command).status != 0, "\(command)")
        }
        #expect(try await asUser("echo mem > /sys/power/state").status != 0)
        let asked = try await asUser("needletail-suspend < /dev/null")
        #expect(asked.status == 1 && asked.output.contains("everything stays in its memory"), "\(asked)")
        // Hibernation is not even root's.
        #expect(try await session().machine.shell.run("systemctl hibernate").status != 0)
        #expect(try await session().machine.shell.run("echo disk > /sys/power/state").status != 0)
        #expect(try await output("cat /proc/cmdline").contains("nohibernate"))
        #expect(try await output("ls /sys/fs/pstore 2>/dev/null | wc -l") == "0")
        #expect(try await output("ulimit -H -c; cat /proc/sys/kernel/core_pattern").hasSuffix("|/bin/false"))
    }

    @Test("the kernel's own keys neither restart the computer nor switch it off")
    func kernelKeys() async throws {
        let machine = try session().machine
        for key in ["b", "o"] { try await machine.sendKeys(["alt", "sysrq", key]) }
        try await Task.sleep(for: .seconds(1))
        #expect(machine.exitReason == nil)
        #expect(try await output("cat /proc/sys/kernel/sysrq") == "0")
    }
}
