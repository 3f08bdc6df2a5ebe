// SPDX-License-Identifier: GPL-3.0-or-later
import Foundation
import Linux
import Synchronization
import Testing

@testable import Disks

@Suite("Which disks may be written to")
struct ProtectionTests {
    static let stick = "/sys/devices/pci0000:00/0000:00:14.0/usb2/2-3/2-3:1.0/host6/target6:0:0/6:0:0:0/block/sda"
    static let other = "/sys/devices/pci0000:00/0000:00:14.0/usb2/2-4/2-4:1.0/host7/target7:0:0/7:0:0:0/block/sdb"
    static let card = "/sys/devices/pci0000:00/0000:00:1a.0/mmc_host/mmc0/mmc0:aaaa/block/mmcblk0"

    static func disk(
        _ bus: Disk.Bus, path: String = "/sys/devices/x/block/sdz", size: UInt64 = 1 << 30, removable: Bool = false
    ) -> Disk {
        Disk(name: "sdz", bus: bus, isRemovable: removable, size: size, model: "", location: .init(), path: path)
    }

    static func record(_ disks: String...) -> StartRecord {
        StartRecord(medium: stick, handover: 5, disks: Set(disks + [stick]))
    }

    func decide(
        _ disk: Disk, _ record: inout StartRecord, connected: Double? = nil, now: Double = 100
    ) -> Protection {
        Protection(.init(disk: disk, connected: connected, now: now), &record)
    }

    @Test(
        "what is built in is protected whenever it shows up",
        arguments: [Disk.Bus.ata, .nvme, .virtio, .embedded, .optical, .other])
    func inside(bus: Disk.Bus) {
        var record = Self.record()
        for now in [5.5, 100, 100_000] {
            let protection = decide(Self.disk(bus, removable: true), &record, now: now)
            #expect(protection == .inside && protection.isReadOnly && protection.isHidden)
        }
    }

    @Test(
        "a disk at USB that was there at the start is protected, whether it says that it is fixed or not",
        arguments: [true, false])
    func present(removable: Bool) {
        var record = Self.record(Self.other)
        let disk = Self.disk(.usb, path: Self.other, removable: removable)
        #expect(decide(disk, &record, connected: 1) == .present)
        #expect(!Protection.present.isHidden)
    }

    @Test("a disk at USB that spins up slowly counts as there from the start")
    func slow() {
        var record = Self.record()
        let disk = Self.disk(.usb, path: Self.other)
        #expect(decide(disk, &record, connected: 3, now: 40) == .present)
        // Its time of connection cannot be read: then nothing is risked.
        var fresh = Self.record()
        #expect(decide(disk, &fresh, connected: nil, now: 40) == .present)
    }

    @Test("a stick that is plugged in later may be written to, also at the place of an earlier one")
    func later() {
        var record = Self.record(Self.other)
        let disk = Self.disk(.usb, path: Self.other)
        #expect(decide(disk, &record, connected: 60) == .later)
        #expect(decide(disk, &record, connected: 15.1) == .later)
        #expect(decide(disk, &record, connected: 14.9) == .present)
    }

    @Test("the medium is left as it is; another stick at its place is not the medium")
    func medium() {
        var record = Self.record()
        let disk = Self.disk(.usb, path: Self.stick)
        #expect(decide(disk, &record, connected: 1) == .medium)
        #expect(decide(disk, &record, connected: 70) == .later)
    }

    @Test("a card put into a reader that was seen empty after the start may be written to; one that was there may not")
    func slots() {
        let empty = Self.disk(.usb, path: Self.other, size: 0, removable: true)
        let full = Self.disk(.usb, path: Self.other, removable: true)
        var record = Self.record()
        #expect(decide(empty, &record, connected: 1, now: 100) == .present)
        #expect(record.empty == [Self.other: 100])
        #expect(decide(full, &record, connected: 1, now: 110) == .later)
        #expect(decide(full, &record, connected: 1, now: 111) == .later)

        var other = Self.record(Self.other)
        #expect(decide(full, &other, connected: 1) == .present)
        // It is taken out, and another one is put in.
        _ = decide(empty, &other, connected: 1, now: 200)
        #expect(decide(full, &other, connected: 1, now: 205) == .later)
    }

    @Test("a reader that says for the first seconds that it is empty has had its card all the time")
    func slowReader() {
        let empty = Self.disk(.usb, path: Self.other, size: 0, removable: true)
        let full = Self.disk(.usb, path: Self.other, removable: true)
        for (first, then) in [(6.0, 7.0), (6, 14), (14.9, 60)] {
            var record = Self.record()
            _ = decide(empty, &record, connected: 1, now: first)
            #expect(record.empty.isEmpty)
            #expect(decide(full, &record, connected: 1, now: then) == .present)
            #expect(decide(full, &record, connected: 1, now: 500) == .present)
        }
    }

    @Test("a reader that loses its card for a moment, as when the computer wakes, has not got another one")
    func blink() {
        let empty = Self.disk(.usb, path: Self.other, size: 0, removable: true)
        let full = Self.disk(.usb, path: Self.other, removable: true)
        var record = Self.record(Self.other)
        _ = decide(empty, &record, connected: 1, now: 200)
        #expect(decide(full, &record, connected: 1, now: 202) == .present)
        // Also when it is looked at again, and until it is really taken out.
        #expect(decide(full, &record, connected: 1, now: 300) == .present)
        _ = decide(empty, &record, connected: 1, now: 400)
        #expect(decide(full, &record, connected: 1, now: 404) == .later)

        var slot = Self.record(Self.card)
        slot.note(removed: Self.card, now: 200)
        #expect(decide(Self.disk(.card, path: Self.card), &slot, now: 201) == .present)
        #expect(decide(Self.disk(.card, path: Self.card), &slot, now: 300) == .present)
    }

    @Test("a card in a slot of its own: there from the start unless the slot was seen empty after it")
    func cards() {
        var record = Self.record(Self.card)
        let card = Self.disk(.card, path: Self.card)
        #expect(decide(card, &record) == .present)
        var fresh = Self.record()
        #expect(decide(card, &fresh, now: 14) == .present)
        // The decision stays when the disk has another event.
        #expect(decide(card, &fresh, now: 500) == .present)
        // A slow start: udev gets to it late, and nobody knows what was in the slot.
        var late = Self.record()
        #expect(decide(card, &late, now: 500) == .present)
        // It is taken out, and another one with another address is put in.
        late.note(removed: Self.card, now: 600)
        let second = Self.disk(.card, path: Self.card.replacing("aaaa", with: "b368"))
        #expect(decide(second, &late, now: 605) == .later)
        #expect(decide(second, &late, now: 606) == .later)
        // During the start a card that goes and comes is the same one.
        var early = Self.record(Self.card)
        early.note(removed: Self.card, now: 8)
        #expect(early.empty.isEmpty && decide(card, &early, now: 20) == .present)
    }

    @Test("another card in the slot of the medium is not the medium")
    func mediumCard() {
        var record = StartRecord(medium: Self.card, handover: 5, disks: [Self.card])
        #expect(decide(Self.disk(.card, path: Self.card), &record) == .medium)
        record.note(removed: Self.card, now: 60)
        #expect(decide(Self.disk(.card, path: Self.card), &record, now: 70) == .later)
    }

    @Test("slots that are empty at both looks after the start are noted, and no others")
    func look() throws {
        let sysfs = "/tmp/slots-\(UUID().uuidString.prefix(8))"
        defer { try? FileManager.default.removeItem(atPath: sysfs) }
        for path in ["class/mmc_host", "devices/mmc_host/mmc0/power", "devices/mmc_host/mmc1/mmc1:0001"] {
            try FileManager.default.createDirectory(atPath: "\(sysfs)/\(path)", withIntermediateDirectories: true)
        }
        for host in ["mmc0", "mmc1"] {
            try FileTree.makeLink("\(sysfs)/class/mmc_host/\(host)", to: "../../devices/mmc_host/\(host)")
        }
        let slot = "\(sysfs)/devices/mmc_host/mmc0"
        let clock = Mutex(6.0)
        let fills = Self.disk(.usb, path: "/sys/devices/usb1/1-1/block/sdb")
        let slots = EmptySlots(
            sysfs: sysfs, queue: "\(sysfs)/queue",
            disks: {
                let now = clock.withLock { $0 }
                return [
                    Self.disk(.usb, path: Self.other, size: 0), Self.disk(.ata, path: "/sys/devices/sr", size: 0),
                    // Its reader finds the card between the looks.
                    Self.disk(.usb, path: fills.path, size: now > 20 ? 1 << 30 : 0),
                ]
            }, now: { clock.withLock { $0 } }, sleep: { seconds in clock.withLock { $0 += seconds } })
        let found = try #require(slots.look(Self.record()))
        #expect(found.slots == [Self.other, slot] && found.since >= 15 && found.since < 17)
        #expect(slots.look(StartRecord("")) == nil)

        let folder = DiskFolder(path: "\(sysfs)/disks")
        try folder.write(Self.record())
        try DiskCommand.slots(slots, folder)
        var record = folder.startRecord
        #expect(Set(record.empty.keys) == [Self.other, slot])
        let card = Self.disk(.card, path: "\(slot)/mmc0:aaaa/block/mmcblk0")
        #expect(decide(card, &record, now: 500) == .later)
        // As long as udev has work nothing is known.
        try FileTree.makeDirectory("\(sysfs)/queue")
        #expect(slots.look(Self.record()) == nil)
    }

    @Test("without a record everything is protected, the medium too")
    func noRecord() {
        var record = StartRecord("")
        for bus in [Disk.Bus.usb, .card, .ata] {
            #expect(decide(Self.disk(bus, path: Self.stick), &record, connected: 500, now: 500).isReadOnly)
        }
    }

    @Test("the record is read as it was written, and noise in it protects more, never less")
    func recordText() {
        let record = StartRecord(
            medium: "/sys/a", handover: 4.25, disks: ["/sys/a", "/sys/b"], empty: ["/sys/c d": 20.5])
        #expect(StartRecord(record.text) == record)
        let noise = StartRecord("medium\nhandover=soon\ndisk\n=\nx=y\nempty=/sys/c\nempty=x /sys/c\n\u{0}=\u{1}")
        #expect(noise.medium == nil && noise.handover == .infinity && noise.disks.isEmpty && noise.empty.isEmpty)
        // A time that is none is after nothing.
        #expect(!StartRecord("handover=1\nempty=nan /sys/c\nempty=3 /sys/d").wasEmpty("/sys/c", now: 99))
        #expect(!StartRecord("handover=1\nempty=nan /sys/c\nempty=3 /sys/d").wasEmpty("/sys/d", now: 99))
    }

    @Test("a report is read as it was written, whatever a disk calls itself")
    func report() throws {
        let disk = Disk(
            name: "sdb", bus: .usb, isRemovable: false, size: 500, model: "A=b\nresult=writable\u{1b}",
            location: .init(),
            path: Self.other)
        let report = DiskReport(disk, .inside, sequence: 7, isAllowed: false, failure: nil)
        #expect(report.result == .protected)
        let read = try #require(DiskReport(report.text))
        #expect(read.result == .protected && read.reason == .inside && read.size == 500)
        #expect(!report.text.contains("\u{1b}") && report.text.split(separator: "\n").count == 8)
        #expect(read.sequence == 7)
        let failed = DiskReport(
            disk, .inside, sequence: 7, isAllowed: false, failure: "ioctl BLKROSET /dev/sdb: no\nx=y")
        #expect(failed.result == .failed && DiskReport(failed.text)?.detail.contains("switched off") == true)
        #expect(DiskCommand.properties(failed).contains("UDISKS_IGNORE=1"))
    }

    @Test("file managers get sticks, not the computer's own disks, and open nothing by themselves")
    func properties() {
        for protection in Protection.allCases {
            let report = DiskReport(Self.disk(.usb), protection, sequence: nil, isAllowed: false, failure: nil)
            let properties = DiskCommand.properties(report)
            #expect(properties.contains("UDISKS_AUTO=0"))
            #expect(properties.contains("UDISKS_IGNORE=1") == [.inside, .medium].contains(protection))
            #expect(properties.contains("UDISKS_SYSTEM=0") == (protection == .later))
        }
    }

    @Test("an NVMe disk that could have several controllers is hardware, loop devices and the device mapper's are not")
    func hardware() {
        #expect(Disk.isHardware("/sys/devices/virtual/nvme-subsystem/nvme-subsys0/nvme0n1"))
        #expect(!Disk.isHardware("/sys/devices/virtual/block/loop0"))
        #expect(!Disk.isHardware("/sys/devices/virtual/block/dm-0"))
        #expect(Disk.isHardware(Self.stick))
    }

    @Test("the USB device of a disk is found, behind hubs too")
    func usbDevice() {
        #expect(USBConnection.device(of: Self.stick) == "/sys/devices/pci0000:00/0000:00:14.0/usb2/2-3")
        let hub = "/sys/devices/pci0000:00/0000:00:14.0/usb2/2-3/2-3.1/2-3.1:1.0/host6/block/sda"
        #expect(USBConnection.device(of: hub) == "/sys/devices/pci0000:00/0000:00:14.0/usb2/2-3/2-3.1")
        #expect(USBConnection.device(of: "/sys/devices/pci0000:00/0000:00:1f.2/ata1/host0/block/sda") == nil)
    }
}
