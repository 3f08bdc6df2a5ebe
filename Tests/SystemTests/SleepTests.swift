// SPDX-License-Identifier: GPL-3.0-or-later
import Foundation
import SystemPackage
import Testbed
import Testing

extension SystemTests {
    /// What happens to a computer that is put aside.
    @Suite("Sleep and lid", .serialized, .turn)
    struct Sleep {
        private static let password = "a long way home"
        private static let watchers = "systemctl list-units --state=active --no-legend --plain 'needletail-lid@*'"
        private static let console = "/sys/class/tty/tty0/active"

        @Test("the computer sleeps when asked, wakes up locked, its disks read-only, locks when closed, and goes off")
        func sleepAndLid() async throws {
            try await started { machine, probe in
                try await machine.shell.output(
                    "varlinkctl call /run/needletail/administration.sock org.needletail.Administration.SetPassword '{\"password\":\"\(Self.password)\"}'"
                )
                try await expectSleep(machine)
                try await probe.install(in: machine.shell)
                try await expectLock(machine)
                #expect(try await machine.shell.output("systemctl --failed --no-legend --plain") == "")
                // Also after sleep it is off at the end, and does not start again.
                _ = try await machine.shell.run("systemctl poweroff </dev/null >/dev/null 2>&1 &")
                #expect(try await machine.waitForPowerOff(within: .seconds(120)) == .poweredOff)
            }
        }

        @Test("a lid that stays closed switches the computer off after its time")
        func lidStaysClosed() async throws {
            try await started { machine, probe in
                try await probe.install(in: machine.shell)
                // The shipped time is minutes; here it is up at once.
                try await machine.shell.output(
                    """
                    sed 's/^minutes=.*/minutes=0/' /usr/lib/needletail/lid.conf > /run/lid.conf
                    ! cmp -s /run/lid.conf /usr/lib/needletail/lid.conf
                    mount --bind /run/lid.conf /usr/lib/needletail/lid.conf
                    """)
                // A program that wants the computer to stay on does not get its will.
                _ = try await machine.shell.output(
                    "systemd-inhibit --what=shutdown:handle-power-key --mode=block sleep 600 </dev/null >/dev/null 2>&1 &"
                )
                try await addLid(machine)
                _ = try await machine.shell.run("kill -USR1 $(cat /run/lid)")
                #expect(try await machine.waitForPowerOff(within: .seconds(240)) == .poweredOff)
            }
        }

        /// One start with a disk that must be the same at the end.
        private func started(_ body: (Machine, Probe) async throws -> Void) async throws {
            let image = try ShippedImage.find()
            try await withWork { work in
                let disk = work.appending("nvme.img")
                try await Disks.makeDisk(disk)
                let probe = try await Probe(source: ShippedImage.probe, program: work.appending("probe"))
                var description = MachineDescription(memory: 768)
                description.translationCache = Examination.translationCache
                description.reboots = false
                // SeaBIOS forgets on waking where the registers of power are: nothing could switch such a machine off.
                description.firmware = .uefi
                description.drives = [
                    Drive("medium", image: image.stick, as: .usb(.xhci), bootOrder: 0),
                    Drive("nvme", image: disk, as: .nvme, writes: .kept),
                ]
                let before = try Data(contentsOf: URL(filePath: disk.string))
                try await withMachine(description, work: work) { machine in
                    try await machine.shell.waitUntilReady(within: .seconds(180))
                    try await body(machine, probe)
                }
                #expect(try Data(contentsOf: URL(filePath: disk.string)) == before, "The disk has changed.")
            }
        }

        private func wait(_ what: String, for script: String, _ machine: Machine) async throws {
            try await machine.shell.expect(
                what, by: script,
                otherwiseShow:
                    "cat \(Self.console); tr -s ' ' < /dev/vcs1; tr -s ' ' < /dev/vcs10; journalctl --no-pager -n 30; cat /run/lid.log"
            )
        }

        private func expectLocked(_ machine: Machine) async throws {
            try await wait(
                "The lock", for: "grep -q tty10 \(Self.console) && grep -q 'THE SCREEN IS LOCKED' /dev/vcs10", machine)
        }

        private func unlock(_ machine: Machine) async throws {
            try await machine.type("\(Self.password)\n")
            try await wait("The session", for: "grep -q tty1$ \(Self.console)", machine)
        }

        private func expectSleep(_ machine: Machine) async throws {
            try await wait("The prompt", for: "grep -q user@host /dev/vcs1", machine)
            try await machine.type("needletail-suspend\n")
            try await wait("The question", for: "grep -q 'only Enter: ' /dev/vcs1", machine)
            let count = machine.events.count
            try await machine.type("sleep\n")
            try await machine.wait(forEvent: "SUSPEND", after: count, within: .seconds(60))
            try await machine.execute("system_wakeup")
            try await expectLocked(machine)
            for device in ["nvme0n1", "nvme0n1p1"] {
                #expect(try await machine.shell.output("cat /sys/class/block/\(device)/ro").hasPrefix("1"))
                let write = "dd if=/dev/zero of=/dev/\(device) bs=512 count=1 conv=notrunc"
                #expect(try await machine.shell.run(write).status != 0, "\(device) took a write.")
            }
            try await machine.type("another way\n")
            try await wait("The answer", for: "grep -q 'That was not the password' /dev/vcs10", machine)
            #expect(try await machine.shell.output("cat \(Self.console)").hasPrefix("tty10"))
            try await machine.shell.waitAfterWrongPassword()
            try await unlock(machine)
        }

        /// A switch that is closed by SIGUSR1 and opened by SIGUSR2.
        private func addLid(_ machine: Machine) async throws {
            _ = try await machine.shell.output(
                "modprobe uinput; \(Probe.guestPath) lid </dev/null >/dev/null 2>/run/lid.log & echo $! > /run/lid")
            try await wait("Who watches the lid", for: "\(Self.watchers) | grep -q lid@event", machine)
        }

        private func expectLock(_ machine: Machine) async throws {
            // A computer without a lid has nobody who watches one.
            #expect(try await machine.shell.output(Self.watchers) == "")
            try await addLid(machine)
            _ = try await machine.shell.output("kill -USR1 $(cat /run/lid)")
            try await expectLocked(machine)
            // Opened, it is locked all the same.
            _ = try await machine.shell.output("kill -USR2 $(cat /run/lid)")
            try await Task.sleep(for: .seconds(2))
            #expect(try await machine.shell.output("cat \(Self.console)").hasPrefix("tty10"))
            try await unlock(machine)
            try await expectWorkWithLidClosed(machine)
        }

        /// Who has unlocked and works on another screen is not taken for a lock that was lost.
        private func expectWorkWithLidClosed(_ machine: Machine) async throws {
            _ = try await machine.shell.output("kill -USR1 $(cat /run/lid)")
            try await expectLocked(machine)
            try await unlock(machine)
            try await Task.sleep(for: .seconds(15))
            #expect(try await !machine.shell.output("cat \(Self.console)").hasPrefix("tty10"))
            #expect(try await machine.shell.run("systemctl list-jobs | grep -q poweroff.target").status != 0)
            _ = try await machine.shell.output("kill -USR2 $(cat /run/lid)")
        }
    }
}
