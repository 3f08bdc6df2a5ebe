// SPDX-License-Identifier: GPL-3.0-or-later
import Commands
import Foundation
import SystemPackage
import Testbed
import Testing

extension SystemTests {
    /// Disks that are there at the start, and sticks that come later, in one start.
    @Suite("Disks stay as they are", .serialized, .turn)
    struct Disks {
        static let attachments: [(name: String, attachment: Drive.Attachment)] = [
            ("sata", .ahci), ("nvme", .nvme), ("virtual", .virtio), ("present", .usb(.xhci)),
        ]

        /// Where the second partition of each disk is, and what the test writes to it on one of them.
        static let second = 45_056 * 512
        static let written = Data(repeating: 0x57, count: 512)

        /// A disk with an ext4 partition, as far as the maker's tools can make one without mounting, and an empty one.
        static func makeDisk(_ path: FilePath) async throws {
            _ = try await Command("truncate", ["-s", "32M", path.string]).output()
            _ = try await Command(
                "sh",
                [
                    "-c",
                    "printf 'label: gpt\\nstart=2048, size=40960\\nstart=45056, size=16384\\n' | sfdisk -q \"$0\"",
                    path.string,
                ]
            ).output()
            _ = try await Command(
                "mkfs.ext4", ["-q", "-F", "-E", "offset=1048576", path.string, "20480k"]
            ).output()
        }

        @Test(
            "what is there at the start is read-only, what is plugged in later is not, and a disk is opened only when asked"
        )
        func disks() async throws {
            let image = try ShippedImage.find()
            try await withWork { work in
                var description = MachineDescription(memory: 768)
                description.drives = [Drive("medium", image: image.stick, as: .usb(.xhci), bootOrder: 0)]
                for (name, attachment) in Self.attachments {
                    let path = work.appending("\(name).img")
                    try await Self.makeDisk(path)
                    description.drives.append(Drive(name, image: path, as: attachment, writes: .kept))
                }
                func content(_ name: String) throws -> Data {
                    try Data(contentsOf: URL(filePath: work.appending("\(name).img").string))
                }
                let before = try Self.attachments.map { try content($0.name) }
                let disc = work.appending("disc.img")
                try await Self.makeDisk(disc)
                description.drives.append(Drive("disc", image: disc, as: .dvd(.ahci)))
                let late = work.appending("late.img")
                try await Self.makeDisk(late)
                try await withMachine(description, work: work) { machine in
                    try await machine.shell.waitUntilReady(within: .seconds(180))
                    let guest = Guest(machine: machine)
                    try await guest.expectProtection()
                    try await guest.expectNoAccess()
                    try await guest.expectStick(Drive("late", image: late, as: .usb(.xhci)))
                    try await guest.expectLockedStick(
                        Drive("locked", image: late, as: .usb(.xhci), writes: .refused))
                    try await guest.expectNoProgram(Drive("failing", image: late, as: .usb(.xhci)))
                    try await guest.expectReading()
                    try await guest.expectWriting()
                    try await guest.expectPluggedAgain(
                        Drive("present", image: work.appending("present.img"), as: .usb(.xhci), writes: .kept))
                    try await guest.expectEnd()
                    try await guest.expectLookAtSlots()
                    #expect(try await guest.output("systemctl --failed --no-legend --plain") == "")
                }
                for ((name, _), bytes) in zip(Self.attachments, before) {
                    var expected = bytes
                    if name == "nvme" { expected.replaceSubrange(Self.second..<Self.second + 512, with: Self.written) }
                    #expect(try content(name) == expected, "The disk '\(name)' has changed.")
                }
            }
        }
    }
}

/// The system with these disks.
private struct Guest {
    let machine: Machine

    func output(_ script: String) async throws -> String {
        try await machine.shell.output(script).trimmingCharacters(in: .whitespacesAndNewlines)
    }

    func wait(_ what: String, for script: String) async throws {
        try await machine.shell.expect(
            what, by: script,
            otherwiseShow:
                "grep . /run/needletail/disks/* /run/needletail/disks/.start/record; grep . /sys/class/block/*/ro; journalctl --no-pager -n 30"
        )
    }

    func expectProtection() async throws {
        try await wait("A report on each disk", for: "test $(ls /run/needletail/disks | wc -l) -ge 5")
        let reports = try await output("grep -H -e ^result -e ^reason /run/needletail/disks/*")
        #expect(reports.contains("/vda:reason=inside") && reports.contains("/nvme0n1:reason=inside"), "\(reports)")
        #expect(reports.components(separatedBy: "reason=inside").count >= 4, "\(reports)")
        #expect(reports.components(separatedBy: "reason=present").count == 2, "\(reports)")
        #expect(reports.components(separatedBy: "reason=medium").count == 2, "\(reports)")
        for name in ["vda", "vda1", "vda2", "nvme0n1", "nvme0n1p1", "nvme0n1p2"] {
            #expect(try await output("cat /sys/class/block/\(name)/ro") == "1")
            #expect(
                try await machine.shell.run("dd if=/dev/zero of=/dev/\(name) bs=512 count=1 conv=notrunc").status != 0)
        }
        #expect(
            try await output("udevadm info -q property -n vda1 | grep -e UDISKS_IGNORE -e NEEDLETAIL_DISK | sort")
                == "NEEDLETAIL_DISK=protected\nUDISKS_IGNORE=1")
        #expect(try await output("cat /proc/swaps | wc -l") == "1")
        #expect(try await output("grep -cE '^/dev/(sd|vd|nvme)' /proc/mounts || true") == "0")
    }

    /// The user of the session has no right to any node of a disk or drive, neither by its mode nor by a list (the `+` of ls).
    func expectNoAccess() async throws {
        let nodes = "/dev/sd* /dev/vd* /dev/nvme* /dev/sr* /dev/mmcblk* /dev/sg* /dev/bsg/* /dev/ng*"
        try await wait("The drive", for: "test -b /dev/sr0 && test -e /run/needletail/disks/sr0 && udevadm settle")
        let open = try await output(
            "runuser -u user -- sh -c 'for d in \(nodes); do if [ -r $d ] || [ -w $d ]; then echo $d; fi; done'")
        #expect(open == "")
        #expect(try await output("ls -l \(nodes) 2>/dev/null | grep -E '^[bc][rwxst-]{9}[+]' || true") == "")
        #expect(try await output("udevadm info -q property -n sr0 | grep ^CURRENT_TAGS= | grep uaccess || true") == "")
        #expect(try await output("cat /sys/class/block/sr0/ro; ls -d /sys/module/sg 2>/dev/null || true") == "1")
    }

    /// Plugs a stick in, and waits until it has been judged and its partition is there.
    private func plug(_ drive: Drive) async throws -> String {
        try await machine.plug(drive)
        try await wait("The stick '\(drive.name)'", for: "grep -qs reason=later /run/needletail/disks/*")
        let name = try await output("basename $(grep -l reason=later /run/needletail/disks/*)")
        try await wait("Its partition", for: "test -b /dev/\(name)1 && udevadm settle")
        return name
    }

    /// A stick that is plugged in may be written to.
    func expectStick(_ drive: Drive) async throws {
        let name = try await plug(drive)
        #expect(try await output("cat /sys/class/block/\(name)/ro /sys/class/block/\(name)1/ro") == "0\n0")
        try await expectNoAccess()
        #expect(try await machine.shell.run("dd if=/dev/zero of=/dev/\(name)1 bs=512 count=1 conv=fsync").status == 0)
        #expect(try await output("grep -c ^/dev/\(name) /proc/mounts || true") == "0")
        #expect(try await output("cat /proc/swaps | wc -l") == "1")
        // With the stick goes what was given of it: the next disk of this name has none of it.
        _ = try await output("runuser -u user -- needletail-disks open \(name)1")
        #expect(try await output("stat -c %a /dev/needletail/\(name)1") == "660")
        try await machine.unplug(drive.name)
        try await wait("The end of the stick", for: "! test -e /run/needletail/disks/\(name)")
        #expect(
            try await output(
                "ls /dev/needletail /run/needletail/disks/.open /run/needletail/disks/.allowed | grep \(name) || true")
                == "")
    }

    /// A stick whose own switch forbids writing can be read.
    func expectLockedStick(_ drive: Drive) async throws {
        let name = try await plug(drive)
        #expect(try await output("cat /sys/class/block/\(name)/ro") == "1")
        let opened = try await output("runuser -u user -- needletail-disks open \(name)1")
        #expect(opened.contains("/dev/needletail/\(name)1"), "\(opened)")
        #expect(try await output("runuser -u user -- head -c 2048 /dev/needletail/\(name)1 | wc -c") == "2048")
        _ = try await output("runuser -u user -- needletail-disks close \(name)1")
        try await machine.unplug(drive.name)
        try await wait("The end of the stick", for: "! test -e /run/needletail/disks/\(name)")
    }

    /// What was there at the start is a stick like others once it has been taken out.
    func expectPluggedAgain(_ drive: Drive) async throws {
        let name = try await output("basename $(grep -l reason=present /run/needletail/disks/*)")
        try await machine.unplug(drive.name)
        try await wait("The end of the disk", for: "! test -e /run/needletail/disks/\(name)")
        try await machine.plug(drive)
        try await wait("The disk again", for: "grep -qs reason=later /run/needletail/disks/*")
        let again = try await output("basename $(grep -l reason=later /run/needletail/disks/*)")
        #expect(try await output("cat /sys/class/block/\(again)/ro") == "0")
    }

    /// The anti-test: without the program a disk is nobody's.
    func expectNoProgram(_ drive: Drive) async throws {
        _ = try await output("mount --bind /bin/false /usr/lib/needletail/disk")
        try await machine.plug(drive)
        try await wait("The disk without the program", for: "udevadm info -e | grep -q NEEDLETAIL_DISK=failed")
        let state = try await output(
            "for d in /sys/class/block/sd*; do n=${d##*/}; udevadm info -q property -n $n | grep -q NEEDLETAIL_DISK=failed && stat -c '%a %U' /dev/$n && udevadm info -q property -n $n | grep -c -e SYSTEMD_READY=0 -e UDISKS_IGNORE=1 -e ID_FS_TYPE; done; true"
        )
        #expect(state.contains("0 root\n2"), "\(state)")
        #expect(!state.contains("660"), "\(state)")
        try await machine.unplug(drive.name)
        _ = try await output("umount /usr/lib/needletail/disk")
    }

    /// The session's user opens a disk, cannot write to it, and does not get further without a password.
    func expectReading() async throws {
        let user = "runuser -u user -- needletail-disks"
        let list = try await output(user)
        #expect(list.contains("vda") && list.contains("TESTBED-nvme") && list.contains("ext4"), "\(list)")
        #expect(try await machine.shell.run("runuser -u user -- head -c 512 /dev/vda1").status != 0)
        let opened = try await machine.shell.run(
            "\(user) open vda1 2>&1; ls -l /dev/needletail; systemctl status --no-pager needletail-disks.service; journalctl -u needletail-disks --no-pager"
        )
        #expect(opened.output.contains("is open as /dev/needletail/vda1"), "\(opened.output)")
        #expect(try await output("runuser -u user -- head -c 2048 /dev/needletail/vda1 | wc -c") == "2048")
        #expect(try await machine.shell.run("dd if=/dev/zero of=/dev/needletail/vda1 bs=512 count=1").status != 0)
        let writing = try await machine.shell.run("echo x | \(user) --password-stdin allow-writing vda1 2>&1")
        #expect(writing.status == 69 && writing.output.contains("with administration"), "\(writing)")
        let medium = try await output(
            "sed -n 's,.*\"device\": \"/dev/\\([a-z0-9]*\\)\".*,\\1,p' /run/needletail/boot.json")
        #expect(try await machine.shell.run("\(user) open \(medium)").status == 1, "The medium was opened.")
        // Whatever becomes of the service, everything is locked.
        _ = try await output("systemctl kill -s KILL needletail-disks.service")
        try await wait("The lock", for: "! test -e /dev/needletail/vda1 && ! losetup -a | grep -q vda1")
    }

    private static let password = "a long way home"
    private static let user = "runuser -u user -- needletail-disks"
    private static let (disk, part, other) = ("nvme0n1", "nvme0n1p2", "nvme0n1p1")
    private static let node = "/dev/needletail/\(part)"

    /// Writes a sector, and says whether it was taken.
    private func write(_ path: String, asUser: Bool = false) async throws -> Bool {
        let dd = "\(asUser ? "runuser -u user -- " : "")dd of=\(path) bs=512 count=1 conv=notrunc,fsync"
        return try await machine.shell.run("head -c 512 /dev/zero | tr '\\0' W | \(dd)").status == 0
    }

    private func allowWriting(_ password: String = password) async throws -> GuestShell.Answer {
        try await machine.shell.run(
            "echo '\(password)' | \(Self.user) --password-stdin allow-writing \(Self.part) 2>&1")
    }

    private func expectLocked() async throws {
        try await wait("The end of writing", for: "! test -e \(Self.node)")
        for device in [Self.disk, Self.part, Self.other] {
            #expect(try await output("cat /sys/class/block/\(device)/ro") == "1")
            #expect(try await !write("/dev/\(device)"), "\(device) took a write")
        }
    }

    /// The password opens one partition for writing, and nothing else.
    func expectWriting() async throws {
        _ = try await output(
            "varlinkctl call /run/needletail/administration.sock org.needletail.Administration.SetPassword '{\"password\":\"\(Self.password)\"}'"
        )
        #expect(try await allowWriting().status == 1, "What is not open was opened for writing.")
        _ = try await output("\(Self.user) open \(Self.part)")
        #expect(try await allowWriting("another way").status == 77)
        #expect(try await !write(Self.node))
        try await machine.shell.waitAfterWrongPassword()
        let allowed = try await allowWriting()
        #expect(allowed.status == 0 && allowed.output.contains("can be written to"), "\(allowed)")
        #expect(try await write(Self.node, asUser: true))
        #expect(try await !write("/dev/\(Self.other)"), "The other partition took a write.")
        for device in [Self.disk, Self.part, Self.other] {
            #expect(try await !write("/dev/\(device)", asUser: true), "The user wrote to /dev/\(device).")
        }
        // Looking at the disk again keeps both.
        _ = try await output("udevadm trigger --settle --action=change --subsystem-match=block")
        #expect(try await write(Self.node, asUser: true))
        #expect(try await !write("/dev/\(Self.other)"), "The other partition took a write.")
        let list = try await output(Self.user)
        #expect(list.contains("you can WRITE to it"), "\(list)")
        _ = try await output("\(Self.user) close \(Self.part)")
        try await expectLocked()
    }

    /// The look at the card slots has been taken, and nothing of it is left running.
    func expectLookAtSlots() async throws {
        let show = "systemctl show needletail-disk-slots.service"
        try await wait("The look at the slots", for: "test $(\(show) -P ActiveState) = inactive")
        let result = try await output("\(show) -P Result; \(show) -P ExecMainStatus; \(show) -P ExecMainCode")
        #expect(result == "success\n0\n1")
    }

    /// With the session everything ends that it was given.
    func expectEnd() async throws {
        _ = try await output("\(Self.user) open \(Self.part)")
        #expect(try await allowWriting().status == 0)
        _ = try await output("systemctl stop user@1000.service")
        try await expectLocked()
    }
}
