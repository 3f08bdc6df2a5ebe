// SPDX-License-Identifier: GPL-3.0-or-later
import Foundation
import SystemPackage
import Testing

@testable import Testbed

/// Real machines that need no image.
@Suite("Running a machine", .serialized)
struct MachineRunTests {
    func inSandbox(_ body: (Sandbox) async throws -> Void) async throws {
        let work = FilePath("/tmp/nt-m-\(UUID().uuidString.prefix(8))")
        defer { try? FileManager.default.removeItem(atPath: work.string) }
        let sandbox = try await Sandbox.open(work: work)
        do {
            try await body(sandbox)
        } catch {
            await sandbox.close()
            throw error
        }
        await sandbox.close()
    }

    /// Width and height of a PNG.
    func size(of picture: FilePath) throws -> (Int, Int) {
        let data = try Data(contentsOf: URL(fileURLWithPath: picture.string))
        try #require(data.starts(with: [0x89, 0x50, 0x4E, 0x47, 13, 10, 26, 10]) && data.count > 24)
        func number(_ start: Int) -> Int { data[start..<start + 4].reduce(0) { $0 << 8 | Int($1) } }
        return (number(16), number(20))
    }

    @Test("the firmware comes up, can be seen and read, and the machine ends with its closure")
    func firmware() async throws {
        try await inSandbox { sandbox in
            var description = MachineDescription(memory: 64)
            description.hasShell = false
            let machine = try await Machine.with(description, in: sandbox) { machine in
                try await machine.wait(forScreenText: "SeaBIOS", within: .seconds(60))
                #expect(machine.exitReason == nil)
                let (width, height) = try size(of: try await machine.screenshot())
                #expect((640...1920).contains(width) && (350...1200).contains(height))
                try await machine.type("hello, World!\n")
                try await machine.pause()
                try await machine.resume()
                let memory = sandbox.work.appending("memory")
                try await machine.dumpMemory(to: memory)
                #expect(try Machine.occurrences(of: Array("SeaBIOS".utf8), in: memory) > 0)
                let size = try FileManager.default.attributesOfItem(atPath: memory.string)[.size] as? NSNumber
                #expect(size?.intValue == 64 << 20)
                await #expect(throws: MachineFailure.self) { try await machine.type("ü") }
                let refused = await #expect(throws: MachineFailure.self) {
                    try await machine.execute("no-such-command")
                }
                #expect(refused?.code == .refused)
                await #expect(throws: ShellFailure.self) { try await machine.shell.waitUntilReady() }
                return machine
            }
            #expect(machine.exitReason == .stopped)
            let gone = await #expect(throws: MachineFailure.self) { try await machine.screenshot() }
            #expect(gone?.code == .ended)
            await machine.stop()
        }
    }

    @Test("a stick is plugged in and pulled out, and its image never changes")
    func sticks() async throws {
        try await inSandbox { sandbox in
            let image = sandbox.work.appending("stick.img")
            let content = Data(repeating: 0x5A, count: 1 << 20)
            try content.write(to: URL(fileURLWithPath: image.string))
            var description = MachineDescription(memory: 64)
            description.hasShell = false
            description.drives = [
                Drive("usb3", image: image, as: .usb(.xhci)), Drive("usb2", image: image, as: .usb(.ehci)),
                Drive("card", image: image, as: .sdCard), Drive("nvme", image: image, as: .nvme),
                Drive("disk", image: image, as: .virtio), Drive("sata", image: image, as: .ahci),
                Drive("locked", image: image, as: .usb(.xhci), writes: .refused),
                Drive("disc", image: image, as: .dvd(.ahci), bootOrder: 0),
            ]
            try await Machine.with(description, in: sandbox) { machine in
                try await machine.plug(Drive("late", image: image, as: .usb(.xhci)))
                try await machine.unplug("late")
                try await machine.unplug("usb2")
                await #expect(throws: MachineFailure.self) { try await machine.unplug("late") }
                await #expect(throws: MachineFailure.self) {
                    try await machine.plug(Drive("x", image: image, as: .virtio))
                }
                let missing = await #expect(throws: MachineFailure.self) {
                    try await machine.plug(Drive("x", image: "/no/such.img", as: .usb(.xhci)))
                }
                #expect(missing?.code == .missingImage)
            }
            #expect(try Data(contentsOf: URL(fileURLWithPath: image.string)) == content)
            let left = try FileManager.default.contentsOfDirectory(atPath: sandbox.work.appending("machine").string)
            #expect(!left.contains { $0.hasSuffix(".qcow2") })
        }
    }

    @Test("parallel ATA disks and discs are there on the older machine")
    func oldMachine() async throws {
        try await inSandbox { sandbox in
            let image = sandbox.work.appending("disk.img")
            try Data(count: 1 << 20).write(to: URL(fileURLWithPath: image.string))
            var description = MachineDescription(memory: 64)
            description.hasShell = false
            description.drives = [
                Drive("disk", image: image, as: .ide), Drive("disc", image: image, as: .dvd(.ide)),
                Drive("sata", image: image, as: .ahci), Drive("sata-disc", image: image, as: .dvd(.ahci)),
            ]
            try await Machine.with(description, in: sandbox) { machine in
                try await machine.wait(forScreenText: "DVD/CD", within: .seconds(60))
            }
        }
    }

    @Test("OVMF starts, with and without Secure Boot", arguments: [MachineDescription.Firmware.uefi, .uefiSecureBoot])
    func uefi(firmware: MachineDescription.Firmware) async throws {
        try await inSandbox { sandbox in
            var description = MachineDescription(memory: 128)
            description.firmware = firmware
            description.hasShell = false
            _ = try await Machine.with(description, in: sandbox) { machine in
                // It tells the serial port too what it tries to start.
                try await machine.wait(forLine: "BdsDxe|UEFI", within: .seconds(120))
            }
        }
    }

    @Test("a machine that QEMU cannot make is an error with QEMU's words")
    func noTap() async throws {
        try await inSandbox { sandbox in
            var description = MachineDescription(memory: 64)
            description.drives = [Drive("d", image: "/proc/version", as: .virtio, writes: .kept, format: .qcow2)]
            let failure = await #expect(throws: MachineFailure.self) {
                try await Machine.with(description, in: sandbox) { _ in }
            }
            #expect(failure?.code == .ended)
            #expect(failure?.lastLines.isEmpty == false)
        }
    }

    @Test("when the closure fails, the machine is gone and the failure comes through")
    func cleanUp() async throws {
        struct Oops: Error {}
        try await inSandbox { sandbox in
            var description = MachineDescription(memory: 64)
            description.hasShell = false
            var seen: Machine?
            await #expect(throws: Oops.self) {
                try await Machine.with(description, in: sandbox) { machine in
                    seen = machine
                    throw Oops()
                }
            }
            #expect(seen?.exitReason == .stopped)
        }
    }

    @Test("what does not come is an error with a picture")
    func timeout() async throws {
        try await inSandbox { sandbox in
            var description = MachineDescription(memory: 64)
            description.hasShell = false
            try await Machine.with(description, in: sandbox) { machine in
                let failure = await #expect(throws: MachineFailure.self) {
                    try await machine.wait(forLine: "login:", within: .seconds(1))
                }
                #expect(failure?.code == .timedOut)
                let picture = try #require(failure?.screenshot)
                #expect(try size(of: picture).0 > 0)
            }
        }
    }
}
