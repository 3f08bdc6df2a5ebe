// SPDX-License-Identifier: GPL-3.0-or-later
import Foundation
import Linux
import Synchronization
import Testing

@testable import Disks

@Suite("What is kept of a disk applies to that disk, not to its name")
struct DiskFolderTests {
    /// A folder with the number that the test gives the disks.
    final class Setting: Sendable {
        let path = "/tmp/disks-\(UUID().uuidString.prefix(8))"
        let number = Mutex<UInt64?>(5)
        var nodes: String { "\(path)/nodes" }

        var folder: DiskFolder { DiskFolder(path: "\(path)/disks") { _ in self.number.withLock { $0 } } }

        init() throws {
            try FileTree.makeDirectory(path)
            try FileTree.makeDirectory(nodes)
            let lock = try folder.prepare()
            _ = consume lock
            try FileTree.makeDirectory(folder.opened)
        }

        deinit { try? FileManager.default.removeItem(atPath: path) }

        func grant(_ names: String...) throws {
            for name in names {
                let text = Grant(loop: nil, sequence: number.withLock { $0 } ?? 0).text
                try File.replace("\(folder.opened)/\(name)", mode: 0o600, Array(text.utf8))
                try File.replace("\(nodes)/\(name)", mode: 0o600, [])
                try File.replace(
                    "\(folder.allowed)/\(name)", mode: 0o600, Array("\(number.withLock { $0 } ?? 0)\n".utf8))
            }
        }

        var left: [String] {
            [nodes, folder.opened, folder.allowed].flatMap { folder in FileTree.names(in: folder) }
        }
    }

    @Test("whose part a name is")
    func parts() {
        let right = [
            ("sda", "sda"), ("sda12", "sda"), ("nvme0n1p2", "nvme0n1"), ("mmcblk0p1", "mmcblk0"), ("sr0", "sr0"),
        ]
        for (name, disk) in right { #expect(DiskFolder.isPart(name, of: disk), "\(name) \(disk)") }
        let wrong = [
            ("sdaa", "sda"), ("sdaa1", "sda"), ("nvme0n12", "nvme0n1"), ("nvme0n1p", "nvme0n1"), ("sda1.new", "sda"),
            ("mmcblk0boot0", "mmcblk0"), ("sda", "sda1"), ("sda11", "sda1"), ("sda", ""),
        ]
        for (name, disk) in wrong { #expect(!DiskFolder.isPart(name, of: disk), "\(name) \(disk)") }
    }

    @Test("with a disk goes all that was given of it, also when another has its name already")
    func removed() throws {
        for next in [nil, 6] as [UInt64?] {
            let setting = try Setting()
            try setting.grant("sdzz", "sdzz1", "sdzzz", "sdzy1")
            try setting.folder.write(
                DiskReport(
                    name: "sdzz", bus: "usb", model: "", size: 1, sequence: 5, reason: .later, result: .writable,
                    detail: ""))
            setting.number.withLock { $0 = next }
            try DiskCommand.remove("/sys/devices/x/block/sdzz", setting.folder, nodes: setting.nodes)
            #expect(setting.left == ["sdzy1", "sdzzz", "sdzy1", "sdzzz", "sdzy1", "sdzzz"])
            #expect(setting.folder.report(on: "sdzz") == nil)
        }
    }

    @Test("what was given of a disk that has the name already stays")
    func next() throws {
        let setting = try Setting()
        try setting.grant("sdzz1")
        try DiskCommand.remove("/sys/devices/x/block/sdzz", setting.folder, nodes: setting.nodes)
        #expect(setting.left == ["sdzz1", "sdzz1", "sdzz1"])
    }

    @Test("the user's word for one disk opens no other one of the same name, and without a number none")
    func allowed() throws {
        let setting = try Setting()
        try setting.grant("sdzz")
        #expect(setting.folder.isAllowed("sdzz") && setting.folder.allowedDevices == ["sdzz"])
        for other in [6, nil, 0] as [UInt64?] {
            setting.number.withLock { $0 = other }
            #expect(!setting.folder.isAllowed("sdzz") && setting.folder.allowedDevices.isEmpty)
        }
        try File.replace("\(setting.folder.allowed)/sdzz", mode: 0o600, [])
        #expect(!setting.folder.isAllowed("sdzz"))
    }

    @Test("a disk that takes the name of one that could be written to is protected")
    func protected() throws {
        let setting = try Setting()
        try setting.grant("sdzz")
        setting.number.withLock { $0 = 6 }
        let disk = Disk(
            name: "sdzz", bus: .ata, isRemovable: false, size: 1 << 30, model: "", location: .init(), path: "/sys/x")
        let driver = DiskGuardTests.Driver(.obeys)
        let report = try DiskCommand.decide(
            disk, connected: nil, setting.folder, nodes: setting.nodes, control: driver)
        #expect(report.result == .protected && report.sequence == 6)
        #expect(driver.readOnly == ["sdzz", "sdzz1", "sdzz2"] && setting.left.isEmpty)
        // But another event of the same disk changes nothing.
        try setting.grant("sdzz")
        let again = try DiskCommand.decide(
            disk, connected: nil, setting.folder, nodes: setting.nodes, control: driver)
        #expect(again.result == .writable && setting.left.count == 3)
    }

    @Test("what cannot be read of a grant is taken for one that could write, of no disk")
    func grants() {
        for grant in [Grant(loop: "loop3", sequence: 9), Grant(loop: nil, sequence: 1)] {
            #expect(Grant(grant.text) == grant)
        }
        for text in ["", "writable", "writable x", "writable 1 2"] {
            #expect(Grant(text) == Grant(loop: nil, sequence: 0), "\(text)")
        }
        #expect(Grant("loop3") == Grant(loop: "loop3", sequence: 0))
    }

    @Test("a disk that does not answer holds up no other", .timeLimit(.minutes(1)))
    func locks() throws {
        let setting = try Setting()
        let dying = try setting.folder.lock(disk: "sdzy")
        let disk = Disk(
            name: "sdzz", bus: .ata, isRemovable: false, size: 1 << 30, model: "", location: .init(), path: "/sys/x")
        let report = try DiskCommand.decide(
            disk, connected: nil, setting.folder, nodes: setting.nodes, control: DiskGuardTests.Driver(.obeys))
        #expect(report.result == .protected)
        _ = consume dying
    }

    @Test("the kernel counts what a drive gets, and its parts have its number", .enabled(if: getuid() == 0))
    func sequence() throws {
        try LoopDisk.with { disk in
            let first = try #require(DiskSequence.of(disk.name))
            for part in disk.partitions { #expect(DiskSequence.of(part) == first) }
            let backing = try #require(File.line("/sys/block/\(disk.name)/loop/backing_file"))
            try LoopDisk.run("/sbin/losetup", ["-d", "/dev/\(disk.name)"])
            try LoopDisk.run("/sbin/losetup", ["/dev/\(disk.name)", backing])
            let second = try #require(DiskSequence.of(disk.name))
            #expect(second > first)
        }
        #expect(DiskSequence.of("sdzz") == nil && DiskSequence.of("") == nil)
    }
}
