// SPDX-License-Identifier: GPL-3.0-or-later
import Linux
import Testing

@testable import Emergency

/// Only root may.
private var isPossible: Bool {
    FileTree.exists("/usr/bin/unshare") && FileTree.exists("/usr/bin/python3") && (try? File.text("/etc/shadow")) != nil
}

/// The program itself, in namespaces of processes, mounts, networks and control groups, where `reboot(2)` ends process 1 of the
/// namespace and nothing else. What it could do to this computer is out of its reach: `/sys` is read-only, the SysRq and cache files of
/// `/proc` are `/dev/null`, and `/dev` has no devices.
@Suite("The real program ends everything", .serialized, .enabled(if: isPossible))
struct RealRunTests {
    /// `TRIGGER` is a command that begins the emergency; it runs as a process of the namespace.
    private static let script = #"""
        set -eu
        [ $$ = 1 ] || exit 90
        mount -t proc proc /proc
        mount -t sysfs -o ro sysfs /sys
        mkdir -p /sys/fs/cgroup 2>/dev/null || true
        mount -t cgroup2 cgroup2 /sys/fs/cgroup
        mkdir "$WORK/dev"
        mount -t tmpfs -o mode=755 tmpfs "$WORK/dev"
        for node in null zero urandom; do : > "$WORK/dev/$node"; mount --bind "/dev/$node" "$WORK/dev/$node"; done
        mkdir "$WORK/dev/input"
        : > "$WORK/words"; : > "$WORK/log"; : > "$WORK/dev/kmsg"; mount --bind "$WORK/log" "$WORK/dev/kmsg"
        # This computer writes to its disks all the time.
        printf 'Dirty: 0 kB\nWriteback: 0 kB\n' > "$WORK/memory"; mount --bind "$WORK/memory" /proc/meminfo
        for file in /proc/sysrq-trigger /proc/sys/vm/drop_caches; do
            [ ! -e $file ] || mount --bind /dev/null $file
        done
        mount -t tmpfs -o mode=755 own-run /run
        grep -q '^own-run /run ' /proc/self/mounts || exit 91
        mkdir -p /run/needletail/deep/er /run/initramfs
        cp "$PROGRAM" "$WORK/emergency"
        mount -t tmpfs initramfs /run/initramfs
        cp "$PROGRAM" /run/initramfs/emergency
        echo secret > /run/needletail/deep/er/file; : > /run/with:strange' 'name; ln -s / /run/link
        mount -t tmpfs secret "$WORK/home"; echo secret > "$WORK/home/file"
        mount -t tmpfs secret /run/needletail/deep; echo secret > /run/needletail/deep/file
        # Something in it that is not in memory alone.
        mkdir "$WORK/home/other"; mount -t proc secret "$WORK/home/other"
        ip link add cable0 type veth peer name cable1; ip link set cable0 up; ip link set cable1 up
        mkdir /sys/fs/cgroup/init.scope /sys/fs/cgroup/system.slice /sys/fs/cgroup/"$SLICE"
        echo 0 > /sys/fs/cgroup/init.scope/cgroup.procs
        # Work that goes on: one that ignores what can be ignored, and one that makes children.
        ( echo 0 > /sys/fs/cgroup/system.slice/cgroup.procs; trap '' INT TERM HUP; while :; do date +%s%N > "$WORK/alive"; sleep 0.02; done ) &
        ( while :; do sleep 0.01 & wait; done ) &
        mount --rbind "$WORK/dev" /dev
        [ -z "$RECORD" ] || printf "$RECORD" > /run/needletail/medium
        mkdir "$WORK/lib"; mount -t tmpfs own-lib "$WORK/lib"; mkdir -p "$WORK"/lib/upper/{needletail,systemd} "$WORK/lib/work"
        [ -z "$LIMIT" ] || printf "$LIMIT" > "$WORK/lib/upper/needletail/longest-end"
        # Ends the session, which nobody may before memory is erased.
        printf '#!/bin/sh\necho "the session was ended" >> "$WORK/words"\nkill -s KILL -1\nexit 95\n' \
            > "$WORK/lib/upper/systemd/systemd-shutdown"
        chmod 700 "$WORK/lib/upper/systemd/systemd-shutdown"
        mount -t overlay -o "lowerdir=/usr/lib,upperdir=$WORK/lib/upper,workdir=$WORK/lib/work" own-lib /usr/lib
        # Waits without a child, and buries the dead as process 1 does.
        mkfifo "$WORK/never"; exec 9<> "$WORK/never"
        pause() { read -r -t "$1" -u 9 line || :; }
        ( echo 0 > /sys/fs/cgroup/"$SLICE"/cgroup.procs
          exec "$WORK/launch" ) &
        for turn in {1..100}; do [ -S /run/needletail/emergency.sock ] && break; pause 0.1; done
        pause 0.3
        # An emergency may be over this already.
        date +%s%N > "$WORK/begun" || :
        eval "$TRIGGER"
        for turn in {1..25}; do pause 1; done
        exit 92
        """#

    /// Runs the program until the namespace has ended.
    ///
    /// - Returns: how it ended, what the program wrote, and seconds from the trigger to the end.
    private func run(
        trigger: String, record: String = "", limit: String = "", slice: String = "emergency.slice"
    ) throws -> (status: Int32, log: String, seconds: Double) {
        let work = "/tmp/needletail-emergency-\(Program.identifier)-\(UInt32.random(in: 0...UInt32.max))"
        for folder in ["", "/home"] { try FileTree.makeDirectory(work + folder, mode: 0o700) }
        defer { _ = try? Program.run("/bin/rm", ["-rf", work]) }
        let folder = "/\(CommandLine.arguments[0].split(separator: "/").dropLast().joined(separator: "/"))"
        // systemd would pass the socket.
        try File("\(work)/launch", .create(mode: 0o700)).write(
            Array(
                """
                #!/usr/bin/python3
                import os, socket
                s = socket.socket(socket.AF_UNIX); s.bind('/run/needletail/emergency.sock'); s.listen(8)
                os.dup2(s.fileno(), 3); os.set_inheritable(3, True)
                os.environ.update(LISTEN_FDS='1', LISTEN_PID=str(os.getpid()), LISTEN_FDNAMES='emergency')
                os.execv('/run/initramfs/emergency', ['/run/initramfs/emergency'])
                """.utf8))
        try File("\(work)/script", .create(mode: 0o700)).write(Array(Self.script.utf8))
        let group = "\(work)/group"
        try FileTree.makeDirectory(group)
        let outer = """
            mount -t cgroup2 cgroup2 \(group) || exit 93
            mkdir \(group)/needletail-$$ && echo 0 > \(group)/needletail-$$/cgroup.procs || exit 94
            unshare --pid --fork --mount --net --ipc --uts --cgroup --kill-child /bin/bash \(work)/script
            status=$?
            echo "end $(date +%s%N) begun $(cat \(work)/begun) alive $(cat \(work)/alive)"
            cat \(work)/log \(work)/words
            echo 0 > \(group)/cgroup.procs
            for d in \(group)/needletail-$$/*/; do rmdir $d; done; rmdir \(group)/needletail-$$; umount \(group)
            exit $status
            """
        let outcome = try Program.run(
            "/usr/bin/unshare", ["--mount", "/bin/bash", "-c", outer],
            environment: [
                "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "WORK=\(work)", "PROGRAM=\(folder)/emergency-observed",
                "TRIGGER=\(trigger)", "RECORD=\(record)", "LIMIT=\(limit)", "SLICE=\(slice)",
            ], seconds: 40)
        let words = outcome.output.split(whereSeparator: \.isWhitespace)
        func number(_ word: Substring) -> Double? {
            words.firstIndex(of: word).flatMap { $0 + 1 < words.count ? Double(words[$0 + 1]) : nil }
        }
        let begun = number("begun") ?? 0
        return (outcome.status, outcome.output, ((number("end") ?? 0) - begun) / 1e9)
    }

    private func number(_ what: String, _ log: String) -> Int? {
        log.split(separator: "\n").first { $0.contains(what) }.flatMap { $0.split(separator: " ").last }.flatMap {
            Int($0)
        }
    }

    /// Asks for an emergency.
    private static let send =
        #"python3 -c "import socket,time; s=socket.socket(socket.AF_UNIX); s.connect('/run/needletail/emergency.sock'); s.send(b'{\"method\":\"org.needletail.Emergency.Start\"}\0'); time.sleep(30)" &"#

    @Test func `Asked by the user, everything is frozen, killed, unmounted and off`() throws {
        let (status, log, seconds) = try run(trigger: Self.send)
        // reboot(2) in a namespace: process 1 ends by SIGINT for "off".
        #expect(status == 130, "\(log)")
        #expect(seconds < 6, "\(log)")
        #expect((number("dark after", log) ?? .max) < 2000, "\(log)")
        #expect((number("frozen after", log) ?? .max) < 1000, "\(log)")
        #expect((number("keys gone after", log) ?? .max) < 2000, "\(log)")
        #expect(number("seen: programs that live", log) == 0, "\(log)")
        #expect(number("seen: dead that are not buried", log) == 0, "\(log)")
        #expect(number("seen: interface is up", log) == 0, "\(log)")
        #expect(number("seen: file systems in memory", log) == 0, "\(log)")
        #expect(number("seen: process 1 is frozen", log) == 1, "\(log)")
        // The folder that was a mount point and its parents may stay; no file does.
        #expect((number("seen: files in /run", log) ?? .max) == 0, "\(log)")
    }

    @Test func `In a group with others it leaves that, and all is as usual`() throws {
        let (status, log, _) = try run(trigger: Self.send, slice: "other.slice")
        #expect(status == 130, "\(log)")
        #expect(number("seen: programs that live", log) == 0, "\(log)")
        #expect(number("seen: process 1 is frozen", log) == 1, "\(log)")
    }

    @Test func `Process 1 starts programs again and waits for them, and still buries the dead`() throws {
        // As systemd: a child in a group that is frozen by then, and no way on before that has become a program.
        let start = #"""
            exec python3 -c "
            import os, socket, subprocess, time
            def move():
                open('/sys/fs/cgroup/system.slice/cgroup.procs', 'w').write('0')
            s = socket.socket(socket.AF_UNIX)
            s.connect('/run/needletail/emergency.sock')
            s.send(b'{\"method\":\"org.needletail.Emergency.Start\"}\0')
            again = 0
            while True:
                try:
                    dead = os.waitpid(-1, os.WNOHANG)[0]
                except ChildProcessError:
                    dead = 0
                if dead and again < 5:
                    again += 1
                    try:
                        subprocess.Popen(['/bin/sleep', '100'], preexec_fn=move)
                    except Exception:
                        pass
                time.sleep(0 if dead else 0.005)"
            """#
        let (status, log, _) = try run(trigger: start)
        #expect(status == 130, "\(log)")
        #expect(log.contains("emergency: all ended after"), "\(log)")
        #expect(number("seen: dead that are not buried", log) == 0, "\(log)")
    }

    /// Process 1 that asks for an emergency and, as soon as it may run again, becomes systemd-shutdown, as systemd does when it is told to
    /// or was about to end the session; or, when it cannot, buries the dead as it does then.
    private func ending(asking: Bool) -> String {
        #"""
        exec python3 -c "
        import os, socket, time
        if \#(asking ? 1 : 0):
            s = socket.socket(socket.AF_UNIX)
            s.connect('/run/needletail/emergency.sock')
            s.send(b'{\"method\":\"org.needletail.Emergency.Start\"}\0')
            os.waitpid(-1, 0)
        try:
            os.execv('/usr/lib/systemd/systemd-shutdown', ['systemd-shutdown'])
        except OSError as error:
            open(os.environ['WORK'] + '/words', 'a').write('process 1: %s\n' % error)
        while True:
            try:
                os.wait()
            except ChildProcessError:
                time.sleep(0.005)"
        """#
    }

    @Test func `Process 1 ends the session when it may run again: it becomes a program that buries the dead`() throws {
        let (status, log, _) = try run(trigger: ending(asking: true))
        #expect(status == 130, "\(log)")
        #expect(!log.contains("the session was ended"), "\(log)")
        #expect(number("seen: process 1 is another program", log) == 1, "\(log)")
        #expect(log.contains("emergency: all ended after"), "\(log)")
        #expect(number("seen: dead that are not buried", log) == 0, "\(log)")
        // Without an emergency it can.
        let (_, other, _) = try run(trigger: ending(asking: false))
        #expect(other.contains("the session was ended"), "\(other)")
    }

    @Test func `Process 1 has crashed and stands still: it begins by itself`() throws {
        let stand = #"""
            exec python3 -c "
            import os, time
            os.closerange(0, 4096)
            while True:
                try:
                    os.wait()
                except ChildProcessError:
                    time.sleep(0.005)"
            """#
        let (status, log, _) = try run(trigger: stand)
        #expect(status == 130, "\(log)")
        #expect(log.contains("process 1 has crashed"), "\(log)")
        #expect(number("seen: programs that live", log) == 0, "\(log)")
    }

    @Test func `Memory is being erased already: nothing happens`() throws {
        let (status, log, _) = try run(trigger: "printf shutdown > /proc/1/comm; \(Self.send) sleep 3; exit 7")
        #expect(status == 7, "\(log)")
        #expect(!log.contains("dark after"), "\(log)")
    }

    @Test func `Nobody asks: nothing happens`() throws {
        let (status, log, _) = try run(trigger: "sleep 3; exit 7")
        #expect(status == 7, "\(log)")
        #expect(!log.contains("dark after"), "\(log)")
    }

    @Test func `Process 1 is systemd-shutdown for too long: it begins by itself`() throws {
        let (status, log, seconds) = try run(
            trigger: "printf systemd-shutdown > /proc/1/comm; for turn in {1..240}; do pause 0.1; done",
            limit: "# Seconds\n10\n")
        #expect(status == 130, "\(log)")
        #expect(log.contains("the session does not end by itself"), "\(log)")
        #expect(seconds >= 10 && seconds < 20, "\(log)")
        #expect(number("seen: programs that live", log) == 0, "\(log)")
        // It is let do its work, buries the dead and erases memory, too.
        #expect(number("seen: process 1 is frozen", log) == 0, "\(log)")
        #expect(number("seen: dead that are not buried", log) == 0, "\(log)")
    }

    @Test func `Process 1 is systemd-shutdown for as long as it may be: nothing happens`() throws {
        let (status, log, _) = try run(
            trigger: "printf systemd-shutdown > /proc/1/comm; sleep 14; exit 7", limit: "20\n")
        #expect(status == 7, "\(log)")
        #expect(!log.contains("dark after"), "\(log)")
    }

    @Test func `Another account asks: nothing happens`() throws {
        // It refuses whoever connects, maybe before the question has come.
        let send = #"""
            python3 -c "
            import os, socket
            os.setuid(990)
            s = socket.socket(socket.AF_UNIX)
            s.connect('/run/needletail/emergency.sock')
            try:
                s.send(b'{\"method\":\"org.needletail.Emergency.Start\"}\0')
            except BrokenPipeError:
                pass
            print(s.recv(100))"
            sleep 2; exit 7
            """#
        let (status, log, _) = try run(trigger: "chmod 666 /run/needletail/emergency.sock; " + send)
        #expect(status == 7, "\(log)")
        #expect(log.contains("PermissionDenied"), "\(log)")
        #expect(!log.contains("dark after"), "\(log)")
    }

    @Test func `A medium that was there at the start and is not in the kernel's list begins it by itself`() throws {
        let (status, log, _) = try run(
            trigger: "pause 25",
            record: #"name=sdzz\npath=/devices/nowhere/block/sdzz\nkind=disk\noffset=512\nmemory=no\n"#)
        #expect(status == 130, "\(log)")
        #expect(log.contains("the medium was gone"), "\(log)")
        #expect((number("wiped after", log) ?? .max) < 6000, "\(log)")
    }

    @Test func `The same medium with the system in memory is no emergency`() throws {
        let (status, log, _) = try run(
            trigger: "sleep 2; exit 7",
            record: #"name=sdzz\npath=/devices/nowhere/block/sdzz\nkind=disk\noffset=512\nmemory=yes\n"#)
        #expect(status == 7, "\(log)")
        #expect(!log.contains("dark after"), "\(log)")
    }
}
