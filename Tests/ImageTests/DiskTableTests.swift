// SPDX-License-Identifier: GPL-3.0-or-later
import Foundation
import SystemPackage
import Testing

@testable import Image

@Suite("Nothing in the image opens a disk by itself")
struct DiskTableTests {
    static func shipped() throws -> DiskTable {
        let root = FilePath(#filePath).removingLastComponent().removingLastComponent().removingLastComponent()
        return try DataFile.decode(DiskTable.self, from: root.appending("image/disks.yaml"))
    }

    /// A tree with everything that the table lists, and more.
    static func tree(_ more: [String: TarEntry], table: DiskTable) -> SystemTree {
        var tree = SystemTree(entries: [:], epoch: 1)
        for rule in table.left {
            let path = rule.path.value.replacing("**", with: "x").replacing("*", with: "x")
            tree.put(String(path.dropFirst()), .file(Array("btrfs".utf8), time: 1))
        }
        for (path, entry) in more { tree.put(path, entry) }
        return tree
    }

    @Test("an image with what is listed is built")
    func listed() throws {
        let table = try Self.shipped()
        try Self.tree([:], table: table).check(table, source: Data())
        // What is masked, or has none of the words, is no danger.
        try Self.tree(
            [
                "usr/lib/systemd/system/hibernate.target": .file([], time: 1),
                "etc/systemd/system/hibernate.target": .link("/dev/null", time: 1),
                "usr/lib/systemd/system/cryptdisks.service": .link("/dev/null", time: 1),
                "usr/lib/udev/rules.d/60-evdev.rules": .file(Array("KERNEL==\"event*\"".utf8), time: 1),
            ], table: table
        ).check(table, source: Data())
    }

    @Test(
        "an image with anything else is not",
        arguments: [
            "usr/lib/systemd/system-generators/lvm2-activation-generator", "usr/lib/systemd/system/mdadm.service",
            "usr/lib/systemd/system/srv.mount", "etc/systemd/system/srv.mount", "usr/lib/systemd/system/fstrim.timer",
            "usr/sbin/swapon",
            "usr/lib/systemd/system/systemd-hibernate-resume.service", "usr/sbin/mount.ntfs", "usr/sbin/kexec",
            "usr/lib/modules/6.12/kernel/drivers/md/bcache/bcache.ko.xz",
            "usr/lib/modules/6.12/kernel/drivers/md/md-mod.ko.xz", "usr/lib/udev/rules.d/64-md-raid.rules",
            "etc/udev/rules.d/x.rules",
        ])
    func unlisted(path: String) throws {
        let table = try Self.shipped()
        let tree = Self.tree([path: .file(Array("RUN+=\"/sbin/mdadm -I\"".utf8), time: 1)], table: table)
        let error = #expect(throws: DiskTableError.self) { try tree.check(table, source: Data()) }
        #expect(error?.unlisted == ["/\(path)"] && error?.description.contains("by itself") == true)
    }

    @Test("a list that names what is not there is wrong")
    func stale() throws {
        let table = try Self.shipped()
        let tree = SystemTree(entries: [:], epoch: 1)
        let error = #expect(throws: DiskTableError.self) { try tree.check(table, source: Data()) }
        #expect(error?.stale.count == table.left.count)
    }
}
