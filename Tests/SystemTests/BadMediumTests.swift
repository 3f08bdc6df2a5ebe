// SPDX-License-Identifier: GPL-3.0-or-later
import Foundation
import SystemPackage
import Testbed
import Testing

extension SystemTests {
    /// What the boot stage does with a medium that is not as it was made. Each of these ends in words on the screen, never in a
    /// shell, and never in a system that is not the one that was built.
    @Suite("Damaged, cut, missing and doubled media", .serialized, .turn)
    struct BadMedium {
        /// Starts the shipped kernel and initramfs with these drives and waits for the boot stage's end.
        func outcome(
            of drives: (ShippedImage, FilePath) async throws -> [Drive], memory: Int = 768,
            until pattern: String = "to help: |needletail: phase handover",
            meanwhile: (Machine) async throws -> Void = { _ in }
        ) async throws -> (line: String, console: String) {
            let image = try ShippedImage.find()
            return try await withWork { work in
                var description = MachineDescription(memory: memory)
                description.kernel = try await image.kernel(in: work)
                description.drives = try await drives(image, work)
                return try await withMachine(description, work: work) { machine in
                    try await meanwhile(machine)
                    let line = try await machine.wait(forLine: pattern, within: .seconds(150))
                    if line.contains("to help: ") {
                        // The page's last line.
                        _ = try await machine.wait(forLine: "switch the computer off", within: .seconds(20))
                    }
                    return (line, machine.console.text)
                }
            }
        }

        func damaged(_ image: ShippedImage, _ work: FilePath, _ change: (FileDescriptor, UInt64) throws -> Void)
            async throws
            -> [Drive]
        {
            let copy = try await image.copy(to: work.appending("damaged.img"))
            let file = try FileDescriptor.open(copy, .readWrite)
            defer { try? file.close() }
            try change(file, try image.systemOffset(of: copy))
            return [Drive("medium", image: copy, as: .usb(.xhci))]
        }

        static func flip(_ file: FileDescriptor, at offset: UInt64) throws {
            var byte: [UInt8] = [0]
            _ = try byte.withUnsafeMutableBytes { try file.read(fromAbsoluteOffset: Int64(offset), into: $0) }
            byte[0] ^= 0x10
            _ = try byte.withUnsafeBytes { try file.write(toAbsoluteOffset: Int64(offset), $0) }
        }

        func expectScreen(_ console: String, sourceLocation: SourceLocation = #_sourceLocation) {
            #expect(!console.contains("Kernel panic"), sourceLocation: sourceLocation)
            #expect(!console.contains("# "), "something like a shell's prompt", sourceLocation: sourceLocation)
            #expect(console.contains("Nothing was changed"), sourceLocation: sourceLocation)
        }

        @Test("the undamaged copy starts, so that the failures below are the damage's")
        func undamaged() async throws {
            let (line, _) = try await outcome { try await damaged($0, $1) { _, _ in } }
            #expect(line.contains("phase handover"))
        }

        @Test("a flipped bit in the file system's first block is an error on the screen")
        func flippedStart() async throws {
            let (line, console) = try await outcome { image, work in
                try await damaged(image, work) { try Self.flip($0, at: $1 + 8) }
            }
            #expect(line.contains("help: system-damaged"), "\(line)")
            expectScreen(console)
        }

        @Test("a flipped bit in the root of the hash tree is an error on the screen")
        func flippedTree() async throws {
            let (line, console) = try await outcome { image, work in
                try await damaged(image, work) { try Self.flip($0, at: $1 + image.manifest.dataSize + 4096 + 5) }
            }
            #expect(line.contains("help: system-damaged"), "\(line)")
            expectScreen(console)
        }

        @Test("a system partition that is cut short is told as that")
        func cutShort() async throws {
            let (line, console) = try await outcome { image, work in
                try await damaged(image, work) { file, offset in
                    try file.resize(to: Int64(offset + image.manifest.dataSize / 2))
                }
            }
            #expect(line.contains("help: system-cut-short"), "\(line)")
            expectScreen(console)
        }

        @Test("missing verity data are told as that")
        func noVerity() async throws {
            let (line, console) = try await outcome { image, work in
                try await damaged(image, work) { file, offset in
                    let zeroes = [UInt8](repeating: 0, count: Int(image.manifest.hashSize))
                    _ = try zeroes.withUnsafeBytes {
                        try file.write(toAbsoluteOffset: Int64(offset + image.manifest.dataSize), $0)
                    }
                }
            }
            #expect(line.contains("help: verity-missing"), "\(line)")
            expectScreen(console)
        }

        @Test("a flipped bit anywhere is never given to a program: reading it is an input/output error")
        func flippedAnywhere() async throws {
            let image = try ShippedImage.find()
            try await withWork { work in
                var description = MachineDescription(memory: 1024)
                description.kernel = try await image.kernel(in: work)
                // The last tenth of the data: the boot itself reads little of it, so that the system is up when it is read.
                let place = image.manifest.dataSize / 10 * 9 / 4096 * 4096 + 1234
                description.drives = try await damaged(image, work) { try Self.flip($0, at: $1 + place) }
                try await withMachine(description, work: work) { machine in
                    let first = try await machine.wait(
                        forLine: "to help: |needletail: phase handover", within: .seconds(150))
                    guard first.contains("handover") else {
                        // Read during the boot, and caught there.
                        #expect(first.contains("help: system-damaged"), "\(first)")
                        return
                    }
                    try await machine.shell.waitUntilReady(within: .seconds(180))
                    let block = place / 4096
                    func read(_ block: UInt64) async throws -> Int {
                        Int(
                            try await machine.shell.run(
                                "dd if=$(findmnt -no SOURCE /) of=/dev/null bs=4096 count=1 skip=\(block) iflag=direct"
                            ).status)
                    }
                    #expect(try await read(block) != 0, "the damaged block was read")
                    #expect(try await read(block - 1) == 0, "its neighbour cannot be read")
                    #expect(try await machine.shell.output("dmesg").contains("is corrupted"))
                }
            }
        }

        @Test("a stick pulled during the boot ends in words on the screen")
        func pulled() async throws {
            let (line, console) = try await outcome(
                of: { image, _ in [Drive("medium", image: image.stick, as: .usb(.xhci))] },
                until: "to help: ",
                meanwhile: { machine in
                    _ = try await machine.wait(forLine: "needletail: phase medium", within: .seconds(120))
                    _ = try await machine.wait(forLine: "Attached SCSI", within: .seconds(120))
                    try await machine.unplug("medium")
                })
            #expect(line.contains("help: medium-removed") || line.contains("help: medium-not-found"), "\(line)")
            expectScreen(console)
        }

        @Test("too little memory is told as that")
        func littleMemory() async throws {
            let (line, console) = try await outcome(
                of: { image, _ in [Drive("medium", image: image.stick, as: .usb(.xhci))] }, memory: 192)
            #expect(line.contains("help: too-little-memory"), "\(line)")
            expectScreen(console)
        }

        @Test("an internal disk with a copy of the image is not used and is write-protected")
        func internalCopy() async throws {
            let image = try ShippedImage.find()
            try await withWork { work in
                var description = MachineDescription(memory: 768)
                description.kernel = try await image.kernel(in: work)
                description.drives = [
                    Drive("internal", image: image.stick, as: .ahci),
                    Drive("medium", image: image.stick, as: .usb(.xhci), serial: "THE-STICK"),
                ]
                try await withMachine(description, work: work) { machine in
                    try await machine.shell.waitUntilReady(within: .seconds(180))
                    let report = try await BootReport.read(from: machine)
                    #expect(report.medium.bus == "usb", "\(report)")
                    let readOnly = try await machine.shell.output("lsblk -dno NAME,TRAN,RO | grep sata")
                    #expect(readOnly.split(separator: "\n").allSatisfy { $0.hasSuffix("1") }, "\(readOnly)")
                    #expect(!readOnly.isEmpty)
                    let write = try await machine.shell.run(
                        "dd if=/dev/zero of=/dev/$(lsblk -dno NAME,TRAN | awk '$2==\"sata\"{print $1}') bs=512 count=1 oflag=direct"
                    )
                    #expect(write.status != 0)
                }
            }
        }

        @Test("two equal sticks, and firmware that does not tell which was started: the user is asked to remove one")
        func twoSticks() async throws {
            let (line, console) = try await outcome { image, _ in
                [Drive("one", image: image.stick, as: .usb(.xhci)), Drive("two", image: image.stick, as: .usb(.xhci))]
            }
            #expect(line.contains("help: several-media"), "\(line)")
            expectScreen(console)
        }

        @Test("two equal sticks with UEFI: the one that was started is used")
        func twoSticksWithUEFI() async throws {
            let image = try ShippedImage.find()
            try await withWork { work in
                var description = MachineDescription(memory: 768)
                description.firmware = .uefi
                description.drives = [
                    Drive("one", image: image.stick, as: .usb(.xhci), bootOrder: 1, serial: "ONE"),
                    Drive("two", image: image.stick, as: .usb(.xhci), bootOrder: 0, serial: "TWO"),
                ]
                try await withMachine(description, work: work) { machine in
                    try await machine.shell.waitUntilReady(within: .seconds(180))
                    let report = try await BootReport.read(from: machine)
                    let serial = try await machine.shell.output(
                        "lsblk -dno SERIAL /dev/\(report.medium.device.split(separator: "/").last ?? "")")
                    #expect(serial.contains("TWO"), "\(serial) \(report)")
                }
            }
        }
    }
}
