// SPDX-License-Identifier: GPL-3.0-or-later
import Foundation
import Linux
import Sockets
import Testing
import Varlink

@testable import Administration

@Suite("The room of administration", .serialized, .enabled(if: Service.canMakeRooms))
struct RoomTests {
    @Test("a command runs as root of the room, with input, output, errors and exit status of its own")
    func command() async throws {
        try await Service.with { service in
            let outcome = try await service.run(
                ["sh", "-c", "id -u; cat; echo problem >&2; exit 3"], input: "from the user\n")
            #expect(outcome.output == "0\nfrom the user\n")
            #expect(outcome.error == "problem\n")
            #expect(outcome.status == 3)
        }
    }

    @Test("its users are nobody's outside")
    func users() async throws {
        try await Service.with { service in
            let outcome = try await service.run(["cat", "/proc/self/uid_map", "/proc/self/gid_map"])
            let lines = outcome.output.split(separator: "\n").map { $0.split(separator: " ") }
            #expect(lines == Array(repeating: ["0", "1879048192", "65536"], count: 2), "\(outcome)")
        }
    }

    @Test("several commands see the same changes, which are gone at the end and never outside")
    func changes() async throws {
        try await Service.with { service in
            let mark = "/usr/bin/needletail-mark"
            #expect(
                try await service.run(["sh", "-c", "printf '#!/bin/sh\necho here\n' > \(mark); chmod 4755 \(mark)"])
                    .status == 0)
            #expect(try await service.run([mark]).output == "here\n")
            #expect(!FileTree.exists(mark))
            #expect(
                try await service.client.call(
                    "\(AdministrationInterface.name).GetState", returning: AdministrationInterface.StateReply.self
                ).state == .running)
            _ = try await service.client.call("\(AdministrationInterface.name).End")
            #expect(try await service.run([mark]).status == 127)
        }
    }

    @Test("a terminal has the size and the kind that were asked for, and Ctrl-C ends what runs in it")
    func terminal() async throws {
        try await Service.with { service in
            let window = AdministrationInterface.PrepareParameters.Window(kind: "xterm", rows: 31, columns: 97)
            let outcome = try await service.run(["sh", "-c", "stty size; echo $TERM; tty"], terminal: window)
            #expect(outcome.output == "31 97\r\nxterm\r\n/dev/pts/0\r\n")
            let interrupted = try await service.run(["sleep", "60"], input: "\u{3}", terminal: window)
            #expect(interrupted.status == 130)
        }
    }

    @Test("what fills the pipe in both directions arrives whole")
    func volume() async throws {
        try await Service.with { service in
            let outcome = try await service.run(["sh", "-c", "head -c 3000000 /dev/zero | tr '\\0' x"])
            #expect(outcome.output.utf8.count == 3_000_000)
            #expect(outcome.status == 0)
        }
    }

    @Test("when the user goes, so does the command")
    func hangUp() async throws {
        try await Service.with { service in
            _ = try await service.begin(["sleep", "4321"])
            var left = ""
            for _ in 0..<40 {
                left = try await service.run(["sh", "-c", "cat /proc/[0-9]*/cmdline | tr '\\0' ' '"]).output
                if !left.contains("4321") { break }
                try await Task.sleep(for: .milliseconds(100))
            }
            #expect(!left.contains("4321"), "\(left)")
        }
    }

    @Test("one command more than there may be is refused, and the others and the room stay")
    func busy() async throws {
        try await Service.with { service in
            #expect(try await service.run(["touch", "/root/mark"]).status == 0)
            var streams: [Sockets.Stream] = []
            for _ in 0..<Room.commands { streams.append(try await service.begin(["sleep", "4321"])) }
            #expect(try await service.run(["true"]).refusal == .busy)
            streams.removeLast()
            var outcome = Service.Outcome()
            for _ in 0..<40 {
                outcome = try await service.run(["test", "-e", "/root/mark"])
                if outcome.refusal != .busy { break }
                try await Task.sleep(for: .milliseconds(100))
            }
            #expect(outcome.status == 0, "\(outcome)")
            #expect(streams.count == Room.commands - 1)
        }
    }

    @Test("when there can be no further process in the room, a command is refused, and nothing in the room is lost")
    func noProcess() async throws {
        try await Service.with { service in
            #expect(try await service.run(["touch", "/root/mark"]).status == 0)
            let rescue = try await service.begin(["sh", "-c", "read line; exec prlimit --pid 1 --nproc=4096:4096"])
            #expect(try await service.run(["prlimit", "--pid", "1", "--nproc=1:4096"]).status == 0)
            #expect(try await service.run(["true"]).refusal == .busy)
            try await rescue.write(Frame(.input, [0x0a]).bytes)
            var outcome = Service.Outcome()
            for _ in 0..<40 {
                outcome = try await service.run(["test", "-e", "/root/mark"])
                if outcome.refusal != .busy { break }
                try await Task.sleep(for: .milliseconds(100))
            }
            #expect(outcome.status == 0, "\(outcome)")
        }
    }

    @Test("when the service ends, so does everything in the room")
    func leash() async throws {
        let mark = "7\(Int.random(in: 100_000...999_999))"
        try await Service.with { service in
            let room = try await Blocking.run { try Service.makeRoom() }
            let (ours, theirs) = try PacketSocket.pair()
            let request = try #require(CommandRequest(arguments: ["sleep", mark], terminal: nil))
            try room.run(request, connection: theirs)
            Descriptor.close(theirs)
            for _ in 0..<50 where !Self.processes().contains(mark) { try await Task.sleep(for: .milliseconds(100)) }
            #expect(Self.processes().contains(mark))
            room.end()
            room.waitForEnd()
            Descriptor.close(ours)
            #expect(!Self.processes().contains(mark))
        }
    }

    /// The command lines of all processes.
    static func processes() -> String {
        FileTree.names(in: "/proc").filter { Int($0) != nil }
            .compactMap { (try? File("/proc/\($0)/cmdline").readAll()).map { String(decoding: $0, as: UTF8.self) } }
            .joined(separator: "\n")
    }

    /// Shell commands that must fail.
    static let attempts: [(what: String, script: String)] = [
        ("a user namespace", "unshare -U true"),
        ("a mount namespace", "unshare -m true"),
        ("a network namespace", "unshare -n true"),
        ("a mount", "mount -t tmpfs x /mnt"),
        ("a bind mount", "mount --bind / /mnt"),
        ("an unmount", "umount /proc/sys"),
        ("the first process's namespaces", "nsenter -t 1 -m true"),
        ("the keeper's root", "ls /proc/1/root/"),
        ("a disk", "mknod /tmp/d b 8 0"),
        ("kernel memory", "mknod /tmp/m c 1 1"),
        ("the core pattern", "echo '|/bin/true' > /proc/sys/kernel/core_pattern"),
        ("the module helper", "echo /tmp/x > /proc/sys/kernel/modprobe"),
        ("SysRq", "echo h > /proc/sysrq-trigger"),
        ("the host name", "hostname other"),
        ("the clock", "date -s @1000000000"),
        ("a route", "ip route add 203.0.113.0/24 dev lo"),
        ("an interface", "ip link add x type dummy"),
        ("an address", "ip address add 203.0.113.1/32 dev lo"),
        ("a raw socket", "exec 3<>/dev/null; ping -c 1 -W 1 127.0.0.1"),
        ("the kernel's log", "dmesg"),
        ("a module", "modprobe dummy"),
        ("priorities of others", "renice -n -5 -p 1"),
        ("sysfs", "ls /sys/class"),
    ]

    @Test("nothing but the room can be changed from it", arguments: attempts.map(\.what))
    func refused(_ what: String) async throws {
        let script = try #require(Self.attempts.first { $0.what == what }).script
        try await Service.with { service in
            let outcome = try await service.run(["sh", "-c", script])
            #expect(outcome.status != 0, "\(what): \(outcome)")
        }
    }

    /// Makes system calls by number with arguments that are wrong, and prints how each ends. Python, because it can.
    private static let calls = """
        import ctypes, sys
        libc = ctypes.CDLL(None, use_errno=True)
        for word in sys.argv[1:]:
            number, *arguments = [int(part, 0) for part in word.split(",")]
            ctypes.set_errno(0)
            libc.syscall(number, *[ctypes.c_long(value) for value in arguments])
            print(word, ctypes.get_errno())
        """

    @Test(
        "system calls that administration does not need do not reach the kernel",
        .enabled(if: FileTree.exists("/usr/bin/python3")))
    func systemCalls() async throws {
        // Numbers of x86-64: asm/unistd_64.h. With these arguments a call that gets through fails otherwise than with EPERM (1), or
        // does nothing.
        let refused = [
            "246,0,0,0,4294967295", "320,-1,-1,0,0,0", "175,0,0,0", "313,-1,0,0", "321,99,0,0", "298,0,0,-1,-1,0",
            "323,0xffff", "425,0,0", "426,-1,0,0,0,0,0", "427,-1,0,0,0", "248,0,0,0,0,0", "249,0,0,0,0",
            "250,99,0,0,0,0",
            "304,-1,0,0", "303,-1,0,0,0,0", "300,0xffffff,0", "101,99,-1,0,0", "310,1,0,0,0,0,0xff", "438,-1,0,0",
            "165,0,0,0,0,0", "428,-1,0,0", "429,-1,0,-1,0,0", "430,0,0xff", "431,-1,0,0,0,0", "432,-1,0,0",
            "442,-1,0,0,0,0",
            "308,-1,0", "272,0x10000000", "272,0x40000000", "56,0x10000011,0,0,0,0", "16,0,0x5412,0", "16,0,0x541c,0",
            "0x40000027",
        ]
        try await Service.with { service in
            let outcome = try await service.run(["python3", "-c", Self.calls] + refused)
            let lines = outcome.output.split(separator: "\n")
            #expect(lines.count == refused.count, "\(outcome)")
            for line in lines { #expect(line.hasSuffix(" 1"), "not refused: \(line)") }
            // The C library takes clone when there is no clone3.
            #expect(try await service.run(["python3", "-c", Self.calls, "435,0,0"]).output == "435,0,0 38\n")
        }
        // The same calls outside are not refused for what they are.
        let outside = try Program.run("/usr/bin/python3", ["-c", Self.calls, "321,99,0,0", "323,0xffff", "438,-1,0,0"])
        for line in outside.output.split(separator: "\n") { #expect(!line.hasSuffix(" 1"), "\(line)") }
    }
}
