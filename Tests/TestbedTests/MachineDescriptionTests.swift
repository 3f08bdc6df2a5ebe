// SPDX-License-Identifier: GPL-3.0-or-later
import Foundation
import SystemPackage
import Testing

@testable import Testbed

@Suite("Describing a machine")
struct MachineDescriptionTests {
    static let files = MachineFiles(folder: "/w/machine")
    static let firmware = FirmwareFiles(code: "/fw/code.fd", variables: "/fw/vars.fd")

    func words(_ description: MachineDescription) -> [String] {
        let firmware = description.firmware == .bios ? nil : Self.firmware
        return MachineArguments(description: description, files: Self.files, firmware: firmware).words()
    }

    /// The devices among the arguments.
    func devices(_ description: MachineDescription) -> [String] {
        let words = words(description)
        return words.indices.filter { words[$0] == "-device" }.map { words[$0 + 1] }
    }

    @Test("a machine with a stick and a card becomes exactly these arguments")
    func golden() {
        var description = MachineDescription(memory: 512)
        description.drives = [Drive("stick", image: "/images/a,b.img", as: .usb(.ehci), bootOrder: 0, serial: "S1")]
        description.network = NetworkCard(tap: "tap0")
        description.hasShell = false
        description.kernel = .init(image: "/k", initramfs: "/i", commandLine: "quiet a,b")
        #expect(
            words(description) == [
                "-no-user-config", "-nodefaults", "-machine", "q35", "-accel", "tcg,thread=multi", "-cpu", "Nehalem",
                "-smp", "2", "-m", "512", "-vga", "std", "-display", "none", "-boot", "menu=off", "-rtc", "base=utc",
                "-action", "reboot=reset,shutdown=pause", "-S",
                "-chardev", "socket,id=qmp,path=/w/machine/qmp,server=on,wait=off",
                "-chardev",
                "socket,id=serial,path=/w/machine/serial,server=on,wait=off,logfile=/w/machine/serial.log,logappend=off",
                "-mon", "chardev=qmp,mode=control", "-serial", "chardev:serial",
                "-kernel", "/k", "-append", "quiet a,b", "-initrd", "/i",
                "-blockdev",
                #"{"discard":"unmap","driver":"qcow2","file":{"driver":"file","filename":"/w/machine/stick.qcow2"},"#
                    + #""node-name":"stick-content","read-only":false}"#,
                "-device", #"{"driver":"qemu-xhci","id":"xhci"}"#, "-device", #"{"driver":"usb-ehci","id":"ehci"}"#,
                "-device",
                #"{"bootindex":0,"bus":"ehci.0","drive":"stick-content","driver":"usb-storage","id":"stick","#
                    + #""removable":true,"serial":"S1"}"#,
                "-netdev", "tap,id=tap,ifname=tap0,script=no,downscript=no",
                "-device",
                #"{"driver":"e1000e","id":"network","mac":"52:54:00:4e:54:01","netdev":"tap","romfile":""}"#,
            ])
    }

    @Test("the room for translated code is QEMU's choice unless it is given, and has limits")
    func translationCache() throws {
        var description = MachineDescription(memory: 64)
        #expect(words(description).contains("tcg,thread=multi"))
        description.translationCache = 64
        #expect(words(description).contains("tcg,thread=multi,tb-size=64"))
        try description.validate()
        description.translationCache = 0
        #expect(throws: MachineFailure.self) { try description.validate() }
    }

    @Test("no machine has another network than its tap device")
    func sealed() {
        #expect(words(MachineDescription(memory: 64)).suffix(2) == ["-nic", "none"])
        for model in NetworkCard.Model.allCases {
            var description = MachineDescription(memory: 64)
            description.network = NetworkCard(tap: "tap0", model: model)
            let words = words(description)
            #expect(words.filter { $0.contains("netdev") }.count == 2)
            #expect(!words.contains { $0.contains("user,") || $0.contains("slirp") || $0 == "-net" })
        }
    }

    @Test(
        "each attachment is the device that it says",
        arguments: [
            (Drive.Attachment.usb(.xhci), "usb-storage", "\"xhci.0\""), (.usb(.ehci), "usb-storage", "\"ehci.0\""),
            (.sdCard, "sd-card", "sd"), (.virtio, "virtio-blk-pci", "virtio"), (.nvme, "nvme", "nvme"),
            (.ahci, "ide-hd", "\"ide.0\""), (.ide, "ide-hd", "\"ide.0\""), (.dvd(.ahci), "ide-cd", "\"ide.0\""),
            (.dvd(.ide), "ide-cd", "\"ide.0\""),
        ])
    func attachments(attachment: Drive.Attachment, driver: String, detail: String) throws {
        var description = MachineDescription(memory: 64)
        description.drives = [Drive("d", image: "/x", as: attachment)]
        let device = try #require(devices(description).last)
        #expect(device.contains("\"driver\":\"\(driver)\""))
        #expect(device.contains(detail))
        #expect(words(description).contains("pc") == attachment.isIDE)
    }

    @Test("what the guest writes goes to the image only when the drive says so")
    func writes() throws {
        func content(_ writes: Drive.Writes, _ attachment: Drive.Attachment = .virtio) -> String {
            MachineArguments(description: MachineDescription(memory: 64), files: Self.files, firmware: nil)
                .content(of: Drive("d", image: "/x.img", as: attachment, writes: writes)).line
        }
        #expect(content(.discarded).contains("/w/machine/d.qcow2"))
        #expect(!content(.discarded).contains("/x.img"))
        #expect(content(.refused).contains("\"read-only\":true"))
        #expect(content(.kept).contains("\"filename\":\"/x.img\"") && content(.kept).contains("\"read-only\":false"))
        #expect(content(.kept, .dvd(.ahci)).contains("\"read-only\":true"))
    }

    @Test("Secure Boot is enforced with SMM, and its variables are a copy")
    func secureBoot() {
        var description = MachineDescription(memory: 64)
        description.firmware = .uefiSecureBoot
        let words = words(description)
        #expect(words.contains("q35,smm=on,pflash0=firmware-code,pflash1=firmware-variables"))
        #expect(words.contains("driver=cfi.pflash01,property=secure,value=on"))
        #expect(words.contains { $0.contains("/w/machine/firmware-variables.qcow2") })
        #expect(!words.contains { $0.contains("/fw/vars.fd") })
    }

    @Test("firmware that is not installed is an error that names the package")
    func missingFirmware() throws {
        let folder = FilePath(NSTemporaryDirectory()).appending("none-\(UUID().uuidString)")
        let failure = #expect(throws: MachineFailure.self) { try FirmwareFiles.find(.uefi, in: folder) }
        #expect(failure?.description.contains("'ovmf'") == true)
        #expect(try FirmwareFiles.find(.bios, in: folder) == nil)
    }

    @Test("what cannot be is refused with a sentence that names it")
    func refused() {
        let stick = Drive("stick", image: "/x", as: .usb(.xhci), bootOrder: 0)
        func with(_ change: (inout MachineDescription) -> Void) -> MachineDescription {
            var description = MachineDescription(memory: 512)
            change(&description)
            return description
        }
        let wrong: [(MachineDescription, String)] = [
            (MachineDescription(memory: 8), "8 MiB"), (with { $0.processors = 0 }, "0 processors"),
            (with { $0.drives = [stick, stick] }, "same name"),
            (with { $0.drives = [stick, Drive("b", image: "/x", as: .virtio, bootOrder: 0)] }, "boot order"),
            (with { $0.drives = [Drive("a,b", image: "/x", as: .virtio)] }, "'a,b'"),
            (with { $0.drives = [Drive("", image: "/x", as: .virtio)] }, "''"),
            (with { $0.drives = ["a", "b"].map { Drive($0, image: "/x", as: .sdCard) } }, "one slot"),
            (with { $0.drives = [Drive("c", image: "/x", as: .sdCard, bootOrder: 1)] }, "'c'"),
            (with { $0.drives = [Drive("e", image: "/x", as: .ahci, writes: .refused)] }, "'e'"),
            (with { $0.drives = (0..<5).map { Drive("d\($0)", image: "/x", as: .ide) } }, "four places"),
            (with { $0.drives = (0..<7).map { Drive("d\($0)", image: "/x", as: .ahci) } }, "six places"),
            (
                with {
                    $0.firmware = .uefiSecureBoot
                    $0.drives = [Drive("d", image: "/x", as: .dvd(.ide))]
                }, "q35"
            ),
            (with { $0.network = NetworkCard(tap: "tap0,script=/x") }, "tap0,script"),
            (with { $0.network = NetworkCard(tap: "t", hardwareAddress: .broadcast) }, "ff:ff"),
            (with { $0.clock = "tomorrow" }, "tomorrow"), (with { $0.credentials = [Credential("a b", "")] }, "'a b'"),
        ]
        for (description, words) in wrong {
            let failure = #expect(throws: MachineFailure.self) { try description.validate() }
            #expect(failure?.code == .badDescription)
            #expect(failure?.description.contains(words) == true, "\(failure?.description ?? "")")
        }
        #expect(throws: MachineFailure.self) {
            try MachineFiles(folder: FilePath("/" + String(repeating: "x", count: 110))).validate()
        }
    }

    @Test("credentials are what systemd reads from the firmware's tables, and those of one name become one")
    func credentials() throws {
        let unit = Credential.unit("x.service", "[Service]\n")
        #expect(
            unit.text == "io.systemd.credential.binary:systemd.extra-unit.x.service=W1NlcnZpY2VdCg==")
        let merged = Credential.merged([.file("/etc/a", "1"), unit, .file("/etc/b", "2", appending: true)])
        #expect(merged.map(\.name) == ["tmpfiles.extra", "systemd.extra-unit.x.service"])
        #expect(
            String(decoding: merged[0].content, as: UTF8.self)
                == "f+~ /etc/a 0644 root root - MQ==\nw+~ /etc/b - - - - Mg==\n")
        var description = MachineDescription(memory: 64)
        #expect(words(description).filter { $0.hasPrefix("type=11,path=") }.count == 2)
        description.hasShell = false
        #expect(!words(description).contains("-smbios"))
        description.credentials = [Credential("big", content: [UInt8](repeating: 1, count: 60_000))]
        #expect(words(description).contains("q35,smbios-entry-point-type=64"))
    }

    @Test("memory above the hole for devices begins at 4 GiB", arguments: [(1024, 1), (2048, 1), (4096, 2)])
    func memory(size: Int, ranges: Int) {
        let arguments = MachineArguments(
            description: MachineDescription(memory: size), files: Self.files, firmware: nil)
        #expect(arguments.memoryRanges.count == ranges)
        #expect(arguments.memoryRanges.map(\.count).reduce(0, +) == size << 20)
        if ranges == 2 { #expect(arguments.memoryRanges[1].lowerBound == 4 << 30) }
    }

    @Test("a card's size is a power of two that holds the image", arguments: [(1, 1 << 20), (300 << 20, 512 << 20)])
    func card(size: Int, rounded: Int) {
        #expect(MachineArguments.cardSize(size) == rounded)
        #expect(MachineArguments.cardSize(rounded) == rounded)
    }

    @Test("each character of the American keyboard has its keys, and no other has any")
    func keyboard() {
        for value in UInt8(32)..<127 { #expect(Keyboard.keys(for: Character(UnicodeScalar(value))) != nil) }
        #expect(Keyboard.keys(for: "A") == ["shift", "a"])
        #expect(Keyboard.keys(for: "|") == ["shift", "backslash"])
        for character in "äß→\u{7}" { #expect(Keyboard.keys(for: character) == nil) }
    }
}
