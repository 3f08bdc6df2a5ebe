// SPDX-License-Identifier: GPL-3.0-or-later

/// A way in which a session ends. Adding one is adding a line to ``all``.
public struct Ending: Sendable, Hashable, CustomStringConvertible {
    /// What ends it.
    public enum Trigger: Sendable, Hashable {
        /// A command of root's, in the background.
        case command(String)
        /// The computer's power button.
        case powerButton
        /// Keys that are pressed together.
        case keys([String])
        /// The stick is pulled out.
        case stickPulled
        /// The disc is ejected.
        case discEjected
        /// The stick is pulled out while the computer sleeps, and then it wakes up.
        case pulledAsleep
    }

    /// What is left of a session after it.
    public enum Kind: String, Sendable, Hashable {
        /// Nothing: memory is wiped, without haste.
        case ordinary
        /// Nothing: dark and without keys at once, then wiped.
        case emergency
        /// Memory, but the disks are as before: a crash cannot wipe.
        case crash
    }

    /// Its name: words with hyphens.
    public let name: String
    /// What is left after it.
    public let kind: Kind
    /// What ends the session.
    public let trigger: Trigger
    /// What root does before, as a script.
    public var preparation = ""
    /// How the medium is attached.
    public var attachment = Drive.Attachment.usb(.xhci)
    /// Kinds of artefacts that it cannot erase, and nobody promises.
    public var remains: Set<String> = []
    /// Keys that are pressed twice a second until it is over.
    public var keysMeanwhile: [String] = []
    /// How long it may take under emulation.
    public var limit: Duration = .seconds(120)
    /// How the machine has to end by it.
    public var reason = Machine.ExitReason.poweredOff

    /// Its name.
    public var description: String { name }

    /// The keys that end a session in an emergency, by QEMU's names: both Shift keys and Escape.
    public static let panicKeys = ["shift", "shift_r", "esc"]

    /// Holds everything up: ignores every request to end, beside the planter's own of that kind.
    private static let hung = """
        systemd-run -q --unit=hung /bin/sh -c \
        'trap "" TERM INT HUP; while :; do sleep 1; done'
        """
    /// Fills `/tmp` to its limit, and then memory until little is left: without swap, more would only be the kernel killing programs.
    private static let full = """
        dd if=/dev/zero of=/tmp/full bs=1M 2>/dev/null
        while set -- $(grep MemAvailable: /proc/meminfo) && [ "$2" -gt 100000 ]; do
        dd if=/dev/zero bs=1M count=8 2>/dev/null >>/home/user/full || break; done; true
        """
    /// A file system whose program never answers, and somebody who waits for it.
    private static let stuck = """
        mkdir -p /run/stuck && modprobe -q fuse; \(Planter.guestPath) stuck /run/stuck && \
        (ls /run/stuck </dev/null >/dev/null 2>&1 &)
        """

    /// More to do than the processors can: programs that compute, that start others without end, that read the medium over and over,
    /// and that write to a stick and to an encrypted disk.
    private static let busy = """
        for n in $(seq $(($(nproc) * 4))); do
        systemd-run -q --unit=busy-$n /bin/sh -c 'while :; do :; done'; done
        systemd-run -q --unit=busy-starting /bin/sh -c 'while :; do /bin/true & /bin/true; wait; done'
        systemd-run -q --unit=busy-reading /bin/sh -c \
        'while :; do dd if=/dev/'$(basename $(grep -l reason=medium /run/needletail/disks/*))' of=/dev/null bs=1M iflag=direct; done'
        for place in stick vault; do systemd-run -q --unit=busy-writing-$place /bin/sh -c \
        "while :; do head -c 2M /dev/urandom > /run/planted/$place/busy; sync -f /run/planted/$place/busy; done"; done
        """

    /// A disk that takes nothing more, with a file that was to be written to it: who unmounts it waits, first systemd, then
    /// systemd-shutdown. Both get 10 seconds instead of 60. (A minute and a half each without limits.)
    private static let deadDisk = """
        \(Planter.guestPath) halt || exit 1
        { (echo text > /run/planted/vault/late) </dev/null >/dev/null 2>&1 & sleep 1; }
        mkdir -p /run/systemd/system/poweroff.target.d && \
        printf '[Unit]\\nJobTimeoutSec=10s\\n' > /run/systemd/system/poweroff.target.d/zz-soon.conf && \
        systemctl daemon-reload && echo 10 > /run/longest-end && \
        mount --bind /run/longest-end /usr/lib/needletail/longest-end && \
        systemctl kill -s KILL needletail-emergency.service || exit 1
        n=0; until sleep 0.5; needletail-panic --status >/dev/null; do n=$((n+1)); [ $n -lt 40 ] || exit 1; done
        """

    /// All ways.
    public static let all: [Ending] = [
        Ending(name: "poweroff", kind: .ordinary, trigger: .command("systemctl --no-block poweroff")),
        Ending(name: "reboot", kind: .ordinary, trigger: .command("systemctl --no-block reboot"), reason: .reset),
        Ending(name: "power-button", kind: .ordinary, trigger: .powerButton),
        Ending(name: "forced-poweroff", kind: .ordinary, trigger: .command("systemctl poweroff --force")),
        Ending(
            name: "hung-process", kind: .ordinary, trigger: .command("systemctl --no-block poweroff"),
            preparation: hung, limit: .seconds(180)),
        Ending(
            name: "full-tmpfs", kind: .ordinary, trigger: .command("systemctl --no-block poweroff"), preparation: full),
        Ending(
            name: "stuck-file-system", kind: .ordinary, trigger: .command("systemctl --no-block poweroff"),
            preparation: stuck, limit: .seconds(180)),
        Ending(
            name: "dead-disk", kind: .ordinary, trigger: .command("systemctl --no-block poweroff"),
            preparation: deadDisk),
        Ending(
            name: "power-button-in-trouble", kind: .ordinary, trigger: .powerButton,
            preparation: [hung, stuck, full].joined(separator: "\n"), limit: .seconds(180)),
        Ending(
            name: "restart-keys-meanwhile", kind: .ordinary, trigger: .command("systemctl --no-block poweroff"),
            preparation: [hung, stuck].joined(separator: "\n"), keysMeanwhile: ["ctrl", "alt", "delete"],
            limit: .seconds(180)),
        Ending(name: "stick-pulled", kind: .emergency, trigger: .stickPulled),
        Ending(name: "stick-pulled-under-pressure", kind: .emergency, trigger: .stickPulled, preparation: full),
        Ending(name: "stick-pulled-under-load", kind: .emergency, trigger: .stickPulled, preparation: busy),
        Ending(
            name: "stick-pulled-in-trouble", kind: .emergency, trigger: .stickPulled,
            preparation: [full, busy].joined(separator: "\n")),
        Ending(name: "stick-pulled-asleep", kind: .emergency, trigger: .pulledAsleep),
        Ending(name: "panic-key", kind: .emergency, trigger: .keys(panicKeys)),
        Ending(name: "panic-command", kind: .emergency, trigger: .command("needletail-panic --yes")),
        Ending(name: "disc-ejected", kind: .emergency, trigger: .discEjected, attachment: .dvd(.ahci)),
        Ending(
            name: "stick-pulled-while-ending", kind: .emergency, trigger: .stickPulled,
            preparation: hung + "\nsystemctl --no-block poweroff; sleep 5"),
        // Its memory has the names of its units, disks among them.
        Ending(
            name: "manager-crashed", kind: .emergency, trigger: .command("kill -s SEGV 1"),
            remains: ["label of a stick"]),
        Ending(name: "kernel-panic", kind: .crash, trigger: .command("echo c > /proc/sysrq-trigger"), reason: .reset),
    ]

    /// A session that does what none may, and no end: each of the detectors has to tell. The disk that takes a write is mounted, too:
    /// that alone replays the journal of its first partition.
    public static let careless = Ending(
        name: "careless", kind: .crash, trigger: .command("echo o > /proc/sysrq-trigger"),
        preparation: """
            disk=$(basename $(dirname $(grep -l '^PARTNAME=\(DiskContent.ext4DirtyJournal.rawValue)$' \
            /sys/block/nvme*/*/uevent | head -n 1)))
            \(Planter.guestPath) damage "/dev/${disk%p1}" && mkdir /run/damaged && modprobe -q ext4
            mount -t ext4 "/dev/$disk" /run/damaged && umount /run/damaged
            """)

    /// The ending of a name.
    public static func named(_ name: String) -> Ending? { all.first { $0.name == name } }

    /// Lets it begin; returns at once.
    ///
    /// - Returns: The moment from which times are counted.
    /// - Throws: `ShellFailure`, `MachineFailure`.
    func begin(on machine: Machine, medium: String) async throws -> ContinuousClock.Instant {
        var start = ContinuousClock.now
        switch trigger {
        case .command(let words):
            try await machine.shell.output("(sleep 0.3; \(words)) </dev/null >/dev/null 2>&1 &")
        case .powerButton: try await machine.pressPowerButton()
        case .keys(let keys): try await machine.sendKeys(keys)
        // No waiting for what the guest still has to say about it: the clock runs.
        case .stickPulled: try await machine.execute("device_del", ["id": .string(medium)])
        case .discEjected:
            try await machine.execute("blockdev-open-tray", ["id": .string(medium), "force": true])
        case .pulledAsleep:
            let count = machine.events.count
            _ = try await machine.shell.run("(sleep 0.3; echo mem > /sys/power/state) </dev/null >/dev/null 2>&1 &")
            try await machine.wait(forEvent: "SUSPEND", after: count, within: .seconds(20))
            // The guest cannot answer while it sleeps: the stick is gone for good when it wakes up.
            try await machine.execute("device_del", ["id": .string(medium)])
            start = .now
            try await machine.execute("system_wakeup")
        }
        return start
    }
}
