// SPDX-License-Identifier: GPL-3.0-or-later
import Media
import Testing

@testable import BootStage
@testable import Disks

@Suite("Which disk is the boot medium")
struct MediumTests {
    static func disk(
        _ name: String, _ bus: Disk.Bus, removable: Bool = false, _ location: HardwareLocation = .init()
    ) -> Disk {
        Disk(name: name, bus: bus, isRemovable: removable, size: 8_000_000_000, model: "Test", location: location)
    }

    static let stick = disk("sdb", .usb, .init(pci: [.init(device: 0x14, function: 0)], usbPorts: [1]))
    static let other = disk("sdc", .usb, .init(pci: [.init(device: 0x14, function: 0)], usbPorts: [2]))
    static let inside = disk("sda", .ata, .init(pci: [.init(device: 0x1f, function: 2)], sataPort: 0))

    @Test("one candidate is used at once, and none is none")
    func oneCandidate() {
        #expect(MediumChoice(.init(candidates: [Self.stick])) == .use(Self.stick))
        #expect(MediumChoice(.init(candidates: [Self.inside])) == .use(Self.inside))
        #expect(MediumChoice(.init(candidates: [])) == .none)
    }

    @Test("a stick wins over a copy on an internal disk", arguments: [Disk.Bus.ata, .nvme, .virtio, .embedded, .other])
    func externalWins(bus: Disk.Bus) {
        let copy = Self.disk("x", bus)
        #expect(MediumChoice(.init(candidates: [copy, Self.stick])) == .use(Self.stick))
        let reader = Self.disk("y", bus, removable: true)
        #expect(MediumChoice(.init(candidates: [copy, reader])) == .use(reader))
    }

    @Test("two sticks are never guessed between, but the firmware knows")
    func twoSticks() {
        var situation = MediumChoice.Situation(candidates: [Self.stick, Self.other])
        #expect(MediumChoice(situation) == .ambiguous([Self.stick, Self.other]))
        situation.firmware = Self.other.location
        #expect(MediumChoice(situation) == .use(Self.other))
        situation.firmware = Self.inside.location
        #expect(MediumChoice(situation) == .ambiguous([Self.stick, Self.other]))
    }

    @Test("the firmware's word is stronger than the kind of disk")
    func firmwareWins() {
        let situation = MediumChoice.Situation(
            candidates: [Self.inside, Self.stick], firmware: Self.inside.location)
        #expect(MediumChoice(situation) == .use(Self.inside))
    }

    @Test("a choice waits for sticks that are not ready, but not for ever")
    func patience() {
        var situation = MediumChoice.Situation(candidates: [Self.stick], pendingStorage: 1)
        situation.secondsSinceFirst = 1
        #expect(MediumChoice(situation) == .wait)
        situation.secondsSinceFirst = MediumChoice.patience
        #expect(MediumChoice(situation) == .use(Self.stick))
        var copy = MediumChoice.Situation(candidates: [Self.inside], hasUSB: true)
        copy.secondsSinceUSB = 0.2
        #expect(MediumChoice(copy) == .wait)
        copy.secondsSinceUSB = MediumChoice.quiet
        #expect(MediumChoice(copy) == .use(Self.inside))
        copy.secondsSinceUSB = 0.2
        copy.hasUSB = false
        #expect(MediumChoice(copy) == .use(Self.inside))
    }

    @Test("places in sysfs are read")
    func sysfsLocations() {
        let usb = HardwareLocation(
            path:
                "/sys/devices/pci0000:00/0000:00:1c.4/0000:02:00.0/usb2/2-3/2-3.1/2-3.1:1.0/host6/target6:0:0/block/sdb"
        )
        #expect(usb.pci == [.init(device: 0x1c, function: 4), .init(device: 0, function: 0)])
        #expect(usb.usbPorts == [3, 1])
        let path = "/sys/devices/pci0000:00/0000:00:1f.2/ata3/host2/target2:0:0/2:0:0:0/block/sda"
        #expect(HardwareLocation(path: path).usbPorts.isEmpty)
        #expect(Disk.bus(name: "sda", path: path, cardType: "") == .ata)
        #expect(Disk.bus(name: "sdb", path: "/sys/devices/pci0000:00/usb2/2-3/block/sdb", cardType: "") == .usb)
        #expect(Disk.bus(name: "sr0", path: path, cardType: "") == .optical)
        let card = "/sys/devices/pci0000:00/0000:00:04.0/mmc_host/mmc0/mmc0:4567/block/mmcblk0"
        #expect(Disk.bus(name: "mmcblk0", path: card, cardType: "SD") == .card)
        #expect(Disk.bus(name: "mmcblk0", path: card, cardType: "MMC") == .embedded)
        for other in ["SDIO", "SDcombo", "Unknown", ""] {
            #expect(Disk.bus(name: "mmcblk0", path: card, cardType: other) == .embedded)
        }
        // A part of an eMMC that is a disk of its own.
        #expect(Disk.card(on: "\(card)/mmcblk0boot0") == "/sys/devices/pci0000:00/0000:00:04.0/mmc_host/mmc0/mmc0:4567")
        #expect(Disk.slot(of: "\(card)/mmcblk0boot0") == "/sys/devices/pci0000:00/0000:00:04.0/mmc_host/mmc0")
        #expect(Disk.card(on: path) == nil && Disk.slot(of: path) == path)
        let virtual = "/sys/devices/pci0000:00/0000:00:04.0/virtio1/block/vda"
        #expect(Disk.bus(name: "vda", path: virtual, cardType: "") == .virtio)
    }

    @Test("firmware and Linux may count the ports of one controller differently, and only those")
    func ports() {
        var place = Self.stick.location
        place.otherRootHubPorts = [4]
        var firmware = Self.stick.location
        #expect(place.mayBe(firmware))
        firmware.usbPorts = [5]
        #expect(place.mayBe(firmware))
        firmware.usbPorts = [4]
        #expect(!place.mayBe(firmware))
        firmware.usbPorts = [1, 1]
        #expect(!place.mayBe(firmware))
        firmware = Self.stick.location
        firmware.pci = [.init(device: 0x14, function: 1)]
        #expect(!place.mayBe(firmware))
        #expect(!place.mayBe(.init()))
        #expect(!Self.inside.location.mayBe(.init(pci: Self.inside.location.pci, sataPort: 1)))
    }

    /// PciRoot(0)/Pci(14,0)/USB(2,0)/HD(…)
    static let path: [UInt8] =
        [2, 1, 12, 0, 0xd0, 0x41, 3, 0x0a, 0, 0, 0, 0] + [1, 1, 6, 0, 0, 0x14] + [3, 5, 6, 0, 2, 0] + [4, 1, 42, 0]
        + [UInt8](repeating: 9, count: 38) + [0x7f, 0xff, 4, 0]

    @Test("the device that UEFI started is read")
    func devicePath() {
        let expected = HardwareLocation(pci: [.init(device: 0x14, function: 0)], usbPorts: [3])
        #expect(FirmwareBootEntry.location(devicePath: Self.path) == expected)
        let sata: [UInt8] = [1, 1, 6, 0, 2, 0x1f, 3, 0x12, 10, 0, 1, 0, 0xff, 0xff, 0, 0, 0x7f, 0xff, 4, 0]
        #expect(
            FirmwareBootEntry.location(devicePath: sata)
                == .init(pci: [.init(device: 0x1f, function: 2)], sataPort: 1))
        let option: [UInt8] = [1, 0, 0, 0, UInt8(Self.path.count), 0, 0x55, 0, 0x53, 0, 0, 0] + Self.path + [1, 2, 3]
        #expect(FirmwareBootEntry.location(bootOption: option) == expected)
        #expect(FirmwareBootEntry.entryName([0x0a, 0x10]) == "Boot100A")
        #expect(FirmwareBootEntry.entryName([1]) == nil)
    }

    @Test("whatever the firmware's bytes are, reading them ends")
    func hostileDevicePath() {
        for length in 0..<Self.path.count {
            #expect(FirmwareBootEntry.location(devicePath: Array(Self.path[..<length])) == nil)
        }
        for offset in 0..<Self.path.count {
            for value in [0, 1, 0x7f, 0xff] as [UInt8] {
                var damaged = Self.path
                damaged[offset] = value
                _ = FirmwareBootEntry.location(devicePath: damaged)
                _ = FirmwareBootEntry.location(bootOption: damaged)
            }
        }
        #expect(FirmwareBootEntry.location(devicePath: [1, 1, 0, 0]) == nil)
        #expect(FirmwareBootEntry.location(devicePath: [0x7f, 0xff, 4, 0]) == nil)
    }
}
