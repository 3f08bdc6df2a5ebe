// SPDX-License-Identifier: GPL-3.0-or-later
import Media
import Testing

@testable import BootStage

@Suite("What the boot stage reads")
struct ParserTests {
    @Test("Parameters of modules are taken from the command line, as modprobe takes them")
    func moduleParameters() {
        let line = CommandLine(
            parsing:
                "quiet usb-storage.delay_use=250ms a.b systemd.unit=x.target usb_storage.quirks=1:2:u needletail.toram=1"
        )
        #expect(line.moduleParameters["usb_storage"] == "delay_use=250ms quirks=1:2:u")
        #expect(line.moduleParameters["a"] == "b")
        #expect(line.moduleParameters["quiet"] == nil)
        #expect(CommandLine(parsing: ".x=1 =y.z root=a.b").moduleParameters.isEmpty)
        #expect(line.isToRAM)
    }

    @Test(
        "our words are found on the command line, and only ours",
        arguments: [
            ("quiet needletail.toram", true, false), ("needletail.verbose console=tty0\n", false, true),
            ("x=\"a needletail.toram b\" needletail.toramx Needletail.toram", false, false),
            ("quiet -- needletail.toram", false, false), ("", false, false),
        ])
    func commandLine(text: String, isToRAM: Bool, isVerbose: Bool) {
        let line = CommandLine(parsing: text)
        #expect(line.isToRAM == isToRAM)
        #expect(line.isVerbose == isVerbose)
    }

    @Test(
        "aliases match as fnmatch matches",
        arguments: [
            ("pci:v*d*sv*sd*bc0Csc03i30*", "pci:v00008086d0000A36Dsv00001028sd0bc0Csc03i30", true),
            ("pci:v*d*sv*sd*bc0Csc03i30*", "pci:v00008086d0000A36Dsv00001028sd0bc0Csc03i20", false),
            ("usb:v*p*d*dc*dsc*dp*ic08isc06ip50in*", "usb:v0781p5567d0100dc00dsc00dp00ic08isc06ip50in00", true),
            ("scsi:t-0x00*", "scsi:t-0x00", true), ("scsi:t-0x05*", "scsi:t-0x00", false),
            ("a[0-3]b", "a2b", true), ("a[0-3]b", "a4b", false), ("a[!0-3]b", "a4b", true), ("a[]]b", "a]b", true),
            ("a\\*b", "a*b", true), ("a\\*b", "axb", false), ("a?c", "abc", true), ("a?c", "ac", false),
            ("*", "", true), ("", "", true), ("", "x", false), ("a*b*c", "aXbYbZc", true), ("a*b*c", "aXbYbZ", false),
            ("a[b", "a[b", true), ("a[", "a", false), ("a\\", "a\\", true),
        ])
    func glob(pattern: String, text: String, fits: Bool) {
        #expect(Glob(Array(pattern.utf8)[...]).matches(Array(text.utf8)) == fits)
    }

    @Test("a pattern of many stars does not take for ever")
    func hostileGlob() {
        let pattern = String(repeating: "*a", count: 200) + "b"
        #expect(!Glob(Array(pattern.utf8)[...]).matches([UInt8](repeating: UInt8(ascii: "a"), count: 2000)))
    }

    static let index = ModuleIndex(
        dependencies: Array(
            """
            kernel/fs/erofs/erofs.ko: kernel/lib/libcrc32c.ko
            kernel/lib/libcrc32c.ko:
            kernel/drivers/usb/storage/uas.ko: kernel/drivers/usb/storage/usb-storage.ko kernel/drivers/scsi/scsi_mod.ko
            no colon here
            """.utf8),
        aliases: Array(
            """
            # Aliases extracted from modules themselves.
            alias usb:v*p*d*dc*dsc*dp*ic08isc06ip62in* uas
            alias usb:v*p*d*dc*dsc*dp*ic08isc06ip* usb-storage
            alias pci:v*d* ahci
            alias * everything
            alias broken
            """.utf8),
        builtIn: Array("kernel/fs/ext-four.ko\n".utf8), soft: Array("softdep libcrc32c pre: crc32c post: x\n".utf8))

    @Test("a module is found by any spelling, with its needs in the order of loading")
    func dependencies() {
        let uas = Self.index.module("uas")
        #expect(uas?.needs.map { ModuleIndex.name(ofFile: $0.utf8) } == ["scsi_mod", "usb_storage"])
        #expect(Self.index.module("libcrc32c")?.wants == ["crc32c"])
        #expect(Self.index.module("nothing") == nil)
        #expect(Self.index.isBuiltIn("ext_four") && Self.index.isBuiltIn("ext-four"))
        #expect(!Self.index.isBuiltIn("erofs"))
    }

    @Test("a device gets all its modules, and those of no other bus")
    func aliases() {
        let stick = "usb:v0781p5567d0100dc00dsc00dp00ic08isc06ip62in00"
        #expect(Self.index.modules(forDevice: stick) == ["uas", "usb_storage", "everything"])
        #expect(Self.index.modules(forDevice: "acpi:PNP0C0C:") == ["everything"])
    }

    @Test("an event of the kernel is read")
    func uevent() {
        let text = "add@/devices/pci0/block/sda/sda1\0ACTION=add\0SUBSYSTEM=block\0DEVTYPE=partition\0DEVNAME=sda1\0"
        let event = Uevent(parsing: Array(text.utf8))
        #expect(event?.action == "add")
        #expect(event?.blockDevice == "sda1")
        #expect(event?.isWholeDisk == false)
        let usb = Uevent(parsing: Array("add@/devices/x\0SUBSYSTEM=usb\0MODALIAS=usb:v1=2\0NOVALUE\0".utf8))
        #expect(usb?.modalias == "usb:v1=2")
        #expect(usb?.blockDevice == nil)
        #expect(usb?.isUSB == true)
    }

    @Test("what is not an event is none", arguments: ["", "libudev\0x", "add", "@/x", "add@relative", "\0\0\0"])
    func notAnEvent(text: String) {
        #expect(Uevent(parsing: Array(text.utf8)) == nil)
    }

    @Test("memory is read from meminfo, and not guessed when it is odd")
    func memory() {
        let text = "MemTotal:        1000 kB\nMemFree: 1 kB\nMemAvailable:     500 kB\n"
        #expect(Memory(parsing: text)?.total == 1_024_000)
        #expect(Memory(parsing: text)?.available == 512_000)
        #expect(Memory(parsing: "MemTotal: 5 kB\n") == nil)
        #expect(Memory(parsing: text.replacing("500 kB", with: "500")) == nil)
    }

    @Test("the power key is told from others and from its release")
    func powerKey() {
        func record(_ type: UInt8, _ code: UInt8, _ value: UInt8) -> [UInt8] {
            [UInt8](repeating: 7, count: 16) + [type, 0, code, 0, value, 0, 0, 0]
        }
        #expect(Keys.isPowerPressed(record(4, 4, 4) + record(1, 116, 1)))
        #expect(!Keys.isPowerPressed(record(1, 116, 0)))
        #expect(!Keys.isPowerPressed(record(1, 30, 1)))
        #expect(!Keys.isPowerPressed(Array(record(1, 116, 1).dropLast())))
        #expect(!Keys.isPowerPressed([]))
    }
}
