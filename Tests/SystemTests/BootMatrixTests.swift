// SPDX-License-Identifier: GPL-3.0-or-later
import SystemPackage
import Testbed
import Testing

extension SystemTests {
    /// Each cell is a real start of the shipped image through the firmware, GRUB and the boot stage into systemd.
    @Suite("It starts everywhere", .serialized, .turn)
    struct BootMatrix {
        struct Cell: Sendable, CustomTestStringConvertible {
            let firmware: MachineDescription.Firmware
            let attachment: Drive.Attachment
            var testDescription: String { "\(attachment) with \(firmware)" }

            var isDisc: Bool {
                if case .dvd = attachment { true } else { false }
            }
        }

        static let sticks: [Cell] = MachineDescription.Firmware.allCases.flatMap { firmware in
            [.usb(.xhci), .usb(.ehci), .sdCard, .virtio].map { Cell(firmware: firmware, attachment: $0) }
        }.filter {
            // Debian 12's and 13's OVMF has no driver for SD cards, so that firmware cannot start from one.
            $0.attachment != .sdCard || $0.firmware == .bios
        }
        // The q35 machine, which Secure Boot needs, has no IDE.
        static let discs: [Cell] = [
            Cell(firmware: .bios, attachment: .dvd(.ahci)), Cell(firmware: .bios, attachment: .dvd(.ide)),
            Cell(firmware: .uefi, attachment: .dvd(.ahci)), Cell(firmware: .uefi, attachment: .dvd(.ide)),
            Cell(firmware: .uefiSecureBoot, attachment: .dvd(.ahci)),
        ]

        @Test("the medium reaches systemd, verified", arguments: sticks + discs)
        func starts(cell: Cell) async throws {
            let image = try ShippedImage.find()
            try await withWork { work in
                var description = MachineDescription(memory: 768)
                description.firmware = cell.firmware
                description.drives = [
                    Drive(
                        "medium", image: cell.isDisc ? image.disc : image.stick, as: cell.attachment,
                        bootOrder: cell.attachment == .sdCard ? nil : 0)
                ]
                try await withMachine(description, work: work) { machine in
                    try await machine.shell.waitUntilReady(within: .seconds(180))
                    let report = try await BootReport.read(from: machine)
                    #expect(report.version == image.manifest.version)
                    #expect(
                        report.phases.keys.sorted() == [
                            "firewall", "handover", "medium", "namespaces", "root", "start", "verity",
                        ])
                    // The kernel itself says that the root is verity's, with the manifest's root hash.
                    let root = try await machine.shell.output("findmnt -no SOURCE,FSTYPE,OPTIONS /")
                    #expect(root.contains("/dev/mapper/needletail-system") || root.contains("/dev/dm-"), "\(root)")
                    #expect(root.contains(image.manifest.fileSystem) && root.contains("ro,"), "\(root)")
                    let isSecure = try await machine.shell.run("dmesg | grep -i 'secure boot enabled'").status == 0
                    #expect(isSecure == (cell.firmware == .uefiSecureBoot))
                }
            }
        }
    }

    @Suite("The boot menu", .serialized, .turn)
    struct BootMenu {
        func onStick(_ keys: [String], memory: Int = 1024, _ body: (Machine) async throws -> Void) async throws {
            let image = try ShippedImage.find()
            try await withWork { work in
                var description = MachineDescription(memory: memory)
                description.drives = [Drive("medium", image: image.stick, as: .usb(.xhci), bootOrder: 0)]
                try await withMachine(description, work: work) { machine in
                    try await machine.wait(forScreenText: "Needletail \(image.manifest.version)", within: .seconds(60))
                    try await machine.sendKeys(keys)
                    try await body(machine)
                }
            }
        }

        @Test("the entry for troublesome hardware tells on the serial console what happens")
        func verbose() async throws {
            try await onStick(["s"]) { machine in
                _ = try await machine.wait(forLine: "needletail: phase handover", within: .seconds(120))
                try await machine.shell.waitUntilReady(within: .seconds(120))
                #expect(machine.console.text.contains("Command line:"))
                #expect(!machine.console.text.contains(" quiet"))
            }
        }

        @Test("the entry that loads everything into memory lets the stick be pulled")
        func toRAM() async throws {
            try await onStick(["t"]) { machine in
                try await machine.shell.waitUntilReady(within: .seconds(180))
                #expect(try await BootReport.read(from: machine).toram)
                try await machine.unplug("medium")
                try await Task.sleep(for: .seconds(1))
                // Everything that is there can still be read, cold.
                let answer = try await machine.shell.run(
                    "echo 3 > /proc/sys/vm/drop_caches; find /usr -xdev -type f -exec cat {} + > /dev/null",
                    timeout: .seconds(240))
                #expect(answer.status == 0, "\(answer)")
                let disks = try await machine.shell.output("ls /sys/block")
                #expect(!disks.contains("sd"), "\(disks)")
            }
        }

        @Test("the entry that tests the memory starts Memtest86+")
        func memoryTest() async throws {
            try await onStick(["m"]) { machine in
                try await machine.wait(forScreenText: "Memtest86+", within: .seconds(60))
            }
        }
    }
}
