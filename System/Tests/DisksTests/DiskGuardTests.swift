// SPDX-License-Identifier: GPL-3.0-or-later
import Foundation
import Linux
import Testing

@testable import Disks

@Suite("Writing is forbidden, and it is looked whether that holds")
struct DiskGuardTests {
    /// A driver that does what the test says.
    final class Driver: DiskControl {
        enum Habit { case obeys, lies, refuses, empty }
        let habit: Habit
        var readOnly: Set<String> = []

        init(_ habit: Habit) { self.habit = habit }

        func isReadOnly(_ device: String) throws(SystemCallFailure) -> Bool {
            if habit == .empty { throw SystemCallFailure(call: "open", object: device, number: .noMedium) }
            return readOnly.contains(device)
        }

        func setReadOnly(_ isReadOnly: Bool, _ device: String) throws(SystemCallFailure) {
            if habit == .refuses {
                throw SystemCallFailure(call: "ioctl BLKROSET", object: device, number: .notPermitted)
            }
            guard habit == .obeys else { return }
            if isReadOnly { readOnly.insert(device) } else { readOnly.remove(device) }
        }

        func partitions(of disk: String) -> [String] { ["\(disk)1", "\(disk)2"] }
    }

    @Test("the disk and all its partitions")
    func all() {
        let driver = Driver(.obeys)
        #expect(DiskGuard(control: driver).set(true, disk: "sdb") == nil)
        #expect(driver.readOnly == ["sdb", "sdb1", "sdb2"])
        #expect(DiskGuard(control: driver).set(false, disk: "sdb") == nil)
        #expect(driver.readOnly.isEmpty)
    }

    @Test("a driver that says yes and does nothing, and one that says no, are noticed")
    func noticed() {
        #expect(DiskGuard(control: Driver(.lies)).set(true, disk: "sdb") == DiskWords.notKept)
        #expect(DiskGuard(control: Driver(.refuses)).set(true, disk: "sdb")?.contains("not permitted") == true)
    }

    @Test("a partition that the user writes to opens its disk, but no other partition, until it is closed")
    func oneOpen() {
        let driver = Driver(.obeys)
        let guardian = DiskGuard(control: driver)
        #expect(guardian.protect(disk: "sdb", except: []) == nil)
        #expect(driver.readOnly == ["sdb", "sdb1", "sdb2"])
        #expect(guardian.protect(disk: "sdb", except: ["sdb1", "sda", "sda2"]) == nil)
        #expect(driver.readOnly == ["sdb2"])
        // Another event of the same disk changes nothing, and makes good what a new reading of the table has lost.
        driver.readOnly.remove("sdb2")
        #expect(guardian.protect(disk: "sdb", except: ["sdb1"]) == nil)
        #expect(driver.readOnly == ["sdb2"])
        #expect(guardian.protect(disk: "sdb", except: ["sdb", "sdb1", "sdb2"]) == nil)
        #expect(driver.readOnly == [])
        #expect(guardian.protect(disk: "sdb", except: ["sda"]) == nil)
        #expect(driver.readOnly == ["sdb", "sdb1", "sdb2"])
        #expect(DiskGuard(control: Driver(.lies)).protect(disk: "sdb", except: ["sdb1"]) == DiskWords.notKept)
    }

    @Test("an empty drive is no failure")
    func empty() { #expect(DiskGuard(control: Driver(.empty)).set(true, disk: "sr0") == nil) }

    @Test(
        "the kernel refuses to write to a protected disk and to its partitions, and takes it again when allowed",
        .enabled(if: getuid() == 0))
    func kernel() throws {
        try LoopDisk.with { disk in
            let guardian = DiskGuard(control: KernelDisks())
            #expect(disk.write(device: disk.name) == nil)
            #expect(guardian.set(true, disk: disk.name) == nil)
            let devices = [disk.name] + disk.partitions
            for device in devices {
                #expect((try? KernelDisks().isReadOnly(device)) == true)
                #expect(disk.write(device: device) != nil, "\(device) took a write")
            }
            #expect(guardian.set(false, disk: disk.name) == nil)
            for device in devices { #expect(disk.write(device: device) == nil) }
            // Also who opened it before cannot go on; see docs/amnesia/disks.md for what a mapping can.
            let held = try File("/dev/\(disk.name)", .write)
            #expect(guardian.set(true, disk: disk.name) == nil)
            #expect(throws: SystemCallFailure.self) { try held.write([UInt8](repeating: 0, count: 512)) }
        }
    }

    @Test("a partition that appears on a protected disk is read-only from the start", .enabled(if: getuid() == 0))
    func newPartitions() throws {
        try LoopDisk.with { disk in
            guard !disk.partitions.isEmpty else { return }
            #expect(DiskGuard(control: KernelDisks()).set(true, disk: disk.name) == nil)
            try disk.forgetPartitions()
            try disk.readPartitions()
            for device in disk.partitions { #expect((try? KernelDisks().isReadOnly(device)) == true, "\(device)") }
        }
    }
}

/// A loop device with a partition table, gone at the end.
struct LoopDisk {
    let name: String

    static func with(_ body: (LoopDisk) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "disks-\(UUID().uuidString.prefix(8))")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let image = folder.appending(path: "disk").path
        _ = try run("/usr/bin/truncate", ["-s", "16M", image])
        _ = try run("/bin/sh", ["-c", "printf 'label: gpt\\n,4M\\n,4M\\n' | sfdisk -q \"$0\"", image])
        let device = try run("/sbin/losetup", ["-f", "-P", "--show", image])
        let disk = LoopDisk(name: String(device.split(separator: "/").last ?? ""))
        defer {
            // A loop device keeps this when its file is taken away, for whoever gets it next.
            try? BlockDevice.setReadOnly(false, File(device))
            _ = try? run("/sbin/losetup", ["-d", device])
        }
        try body(disk)
    }

    var partitions: [String] { KernelDisks().partitions(of: name) }

    /// Writes to a device; the error, if there is one.
    func write(device: String) -> SystemCallFailure? {
        do throws(SystemCallFailure) {
            let file = try File("/dev/\(device)", .write)
            try file.write([UInt8](repeating: 0, count: 512))
            return nil
        } catch {
            return error
        }
    }

    func forgetPartitions() throws { _ = try Self.run("/usr/bin/partx", ["-d", "/dev/\(name)"]) }
    func readPartitions() throws { _ = try Self.run("/usr/bin/partx", ["-a", "/dev/\(name)"]) }

    @discardableResult
    static func run(_ program: String, _ arguments: [String]) throws -> String {
        let outcome = try Program.run(program, arguments, environment: ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"])
        guard outcome.status == 0 else {
            throw SystemCallFailure(call: program, object: outcome.output, number: .invalidArgument)
        }
        return String(outcome.output.prefix { !$0.isNewline })
    }
}
