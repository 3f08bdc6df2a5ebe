// SPDX-License-Identifier: GPL-3.0-or-later
import Linux
import Testing

@testable import Amnesia

@Suite("What the kernel tells of itself")
struct ParserTests {
    @Test(
        "the verb says how the computer stops, and an unknown one switches it off",
        arguments: [
            (["reboot", "--timeout", "90s"], PowerCommand.restart), (["halt"], .halt), (["kexec"], .kernel),
            (["poweroff", "--log-level", "6"], .powerOff), (["exit"], .powerOff), (["nonsense"], .powerOff),
            (["--timeout", "90000000us", "--log-level", "6", "--log-target", "console", "reboot"], .restart),
            ([], .powerOff), ([""], .powerOff),
        ])
    func verbs(_ arguments: [String], _ command: PowerCommand) {
        #expect(Shutdown.command(arguments) == command)
    }

    @Test("a process may have any name")
    func processes() throws {
        let process = try #require(
            RunningProcesses.Process(parsing: "42 (a) b (1 2 ) S 1 42 42 0 -1 4194560 1 2 3\n"))
        #expect(process.number == 42 && process.name == "a) b (1 2 " && process.state == "S" && !process.isKernel)
        // proc_pid_stat(5): its first thread has ended, and it has two.
        let half = "9 (half) Z 1 9 9 0 -1 4194560 1 2 3 4 5 6 7 8 20 0"
        #expect(RunningProcesses.Process(parsing: half + " 2 0 100")?.state == "D")
        #expect(RunningProcesses.Process(parsing: half + " 1 0 100")?.state == "Z")
        let thread = RunningProcesses.Process(parsing: "2 (kthreadd) S 0 0 0 0 -1 2129984 0")
        #expect(thread?.isKernel == true)
        for text in ["", "1", "1 (x", "1 x) S", ") (", "1 (x) ", "x (x) S 1 1 1 1 1 1", "1 (x) S 1 1 1 1 1 f"] {
            #expect(RunningProcesses.Process(parsing: text) == nil, "\(text)")
        }
    }

    @Test("a mount may lie at any path")
    func mounts() {
        let table = MountTable(
            parsing: """
                22 1 254:1 / / ro,nodev shared:1 master:2 - erofs /dev/dm-1 ro
                23 22 0:21 / /a\\040b\\134\\012c rw,nosuid - tmpfs tmpfs rw
                24 22 0:22 / /home/user/doc rw - fuse.portal portal rw
                25 22 8:1 / /mnt rw,noexec shared:1 - ext4 /dev/sda1 rw
                broken line
                26 22 8:1 / /x rw shared:1
                27 22 8:1 / /y rw shared:1 - ext4

                """)
        #expect(table.entries.map(\.path) == ["/", "/a b\\\nc", "/home/user/doc", "/mnt"])
        #expect(table.entries.map(\.type) == ["erofs", "tmpfs", "fuse.portal", "ext4"])
        #expect(table.entries.map(\.isWritable) == [false, true, true, true])
        #expect(table.entries.map(\.isServed) == [false, false, true, false])
        #expect(table.entries.map(\.isOnDevice) == [true, false, false, true])
        #expect(MountTable.plain("\\04") == "\\04" && MountTable.plain("\\777") == MountTable.plain("\\377"))
    }

    @Test("secrets are told from the kernel's own keys, and keys that hold nothing any more are passed over")
    func keys() {
        let list = KeyList(
            parsing: """
                00f1d3c6 I--Q---     1 perm 1f3f0000  1000 65534 keyring   _uid_ses.1000: 1
                0dd3a4b1 I--Q---     2 perm 3f010000  1000  1000 user      secret: 6
                ffd3a4b2 I------     1 perm 3f010000     0     0 logon     cryptsetup:1-d0: 64
                1dd3a4b3 IR-Q---     2 perm 3f010000  1000  1000 user      revoked: 6
                2dd3a4b4 I-----i     2 perm 3f010000  1000  1000 user      invalid: 6
                3dd3a4b5 I------     1 perm 1f030000     0     0 asymmetri Debian Secure Boot CA: X509.rsa
                nonsense

                """)
        #expect(list.keys.count == 4)
        #expect(list.secrets.map(\.type) == ["user", "logon"])
        #expect(list.secrets.last?.number == Int32(bitPattern: 0xffd3_a4b2))
        let users = "    0:    12 11/11 6/1000000 82/25000000\n 1000:  4 4/4 4/200 63/20000\nx\n"
        #expect(KeyList.users(users) == [0, 1000])
    }
}
