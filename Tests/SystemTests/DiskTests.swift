// SPDX-License-Identifier: GPL-3.0-or-later
import Commands
import Foundation
import SystemPackage
import Testbed
import Testing

extension SystemTests {
    /// Disks that are there at the start, and sticks that come later, in one start.
    @Suite("Disks stay as they are", .serialized)
    struct Disks {
        static let attachments: [(name: String, attachment: Drive.Attachment)] = [
            ("sata", .ahci), ("nvme", .nvme), ("virtual", .virtio), ("present", .usb(.xhci)),
        ]

        /// A disk with an ext4 partition, as far as the maker's tools can make one without mounting.
        static func makeDisk(_ path: FilePath) async throws {
            _ = try await Command("truncate", ["-s", "32M", path.string]).output()
            _ = try await Command(
                "sh", ["-c", "printf 'label: gpt\\nstart=2048, size=40960\\n' | sfdisk -q \"$0\"", path.string]
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
                let before = try Self.attachments.map {
                    try Data(contentsOf: URL(filePath: work.appending("\($0.name).img").string))
                }
                let late = work.appending("late.img")
                try await Self.makeDisk(late)
                try await withMachine(description, work: work) { machine in
                    try await machine.shell.waitUntilReady(within: .seconds(180))
                    let guest = Guest(machine: machine)
                    try await guest.expectProtection()
                    try await guest.expectStick(Drive("late", image: late, as: .usb(.xhci)))
                    try await guest.expectNoProgram(Drive("failing", image: late, as: .usb(.xhci)))
                    try await guest.expectReading()
                }
                for ((name, _), bytes) in zip(Self.attachments, before) {
                    let after = try Data(contentsOf: URL(filePath: work.appending("\(name).img").string))
                    #expect(after == bytes, "The disk '\(name)' has changed.")
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
        let deadline = ContinuousClock.now + .seconds(30)
        while ContinuousClock.now < deadline {
            if try await machine.shell.run(script).status == 0 { return }
            try await Task.sleep(for: .milliseconds(500))
        }
        let state = try await machine.shell.run(
            "grep . /run/needletail/disks/* /run/needletail/disks/.start/record; grep . /sys/class/block/*/ro; journalctl --no-pager -n 30"
        )
        Issue.record("\(what) did not come to be:\n\(state.output)")
    }

    func expectProtection() async throws {
        try await wait("A report on each disk", for: "test $(ls /run/needletail/disks | wc -l) -ge 5")
        let reports = try await output("grep -H -e ^result -e ^reason /run/needletail/disks/*")
        #expect(reports.contains("/vda:reason=inside") && reports.contains("/nvme0n1:reason=inside"), "\(reports)")
        #expect(reports.components(separatedBy: "reason=inside").count >= 4, "\(reports)")
        #expect(reports.components(separatedBy: "reason=present").count == 2, "\(reports)")
        #expect(reports.components(separatedBy: "reason=medium").count == 2, "\(reports)")
        for name in ["vda", "vda1", "nvme0n1", "nvme0n1p1"] {
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

    /// A stick that is plugged in may be written to.
    func expectStick(_ drive: Drive) async throws {
        try await machine.plug(drive)
        try await wait("The stick", for: "grep -qs reason=later /run/needletail/disks/*")
        let name = try await output("basename $(grep -l reason=later /run/needletail/disks/*)")
        try await wait("Its partition", for: "test -b /dev/\(name)1")
        #expect(try await output("cat /sys/class/block/\(name)/ro /sys/class/block/\(name)1/ro") == "0\n0")
        #expect(try await machine.shell.run("dd if=/dev/zero of=/dev/\(name)1 bs=512 count=1 conv=fsync").status == 0)
        try await machine.unplug(drive.name)
        try await wait("The end of the stick", for: "! test -e /run/needletail/disks/\(name)")
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
}
