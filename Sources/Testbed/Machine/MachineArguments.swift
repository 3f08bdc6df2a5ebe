// SPDX-License-Identifier: GPL-3.0-or-later
import SystemPackage

/// QEMU's arguments for a machine. See: 'man 1 qemu-system-x86_64'.
///
/// Devices and contents of drives are given as JSON, the same as over QMP, so that no path or name can begin an option.
struct MachineArguments {
    let description: MachineDescription
    let files: MachineFiles
    let firmware: FirmwareFiles?

    /// The name of the virtio port on which the root shell listens.
    static let shellPort = "needletail.shell"

    /// All arguments, without the program's name.
    func words() -> [String] {
        var words = [
            "-no-user-config", "-nodefaults", "-machine", machine, "-accel", accelerator,
            // AVX, which 'max' has, makes what is drawn by software die every minute under QEMU 7.2.
            "-cpu", "Nehalem", "-smp", String(description.processors), "-m", String(description.memory),
            "-vga", "std", "-display", description.display == .window ? "gtk" : "none", "-boot", "menu=off",
            "-rtc", "base=\(description.clock ?? "utc")",
            // Power-off leaves the machine standing, so that its memory can be read.
            "-action", "reboot=\(description.reboots ? "reset" : "shutdown"),shutdown=pause", "-S",
        ]
        for (name, path) in [("qmp", files.control), ("serial", files.serial), ("shell", files.shell)] {
            if name == "shell", !description.hasShell { continue }
            let log = name == "serial" ? ",logfile=\(escape(files.serialLog)),logappend=off" : ""
            words += ["-chardev", "socket,id=\(name),path=\(escape(path)),server=on,wait=off\(log)"]
        }
        words += ["-mon", "chardev=qmp,mode=control", "-serial", "chardev:serial"]
        words += firmwareWords + kernelWords
        for (index, _) in allCredentials.enumerated() {
            words += ["-smbios", "type=11,path=\(escape(files.credential(index)))"]
        }
        for drive in description.drives { words += ["-blockdev", content(of: drive).line] }
        for device in devices { words += ["-device", device.line] }
        words += networkWords
        return words
    }

    /// The given credentials, and those of the root shell.
    var allCredentials: [Credential] {
        Credential.merged(
            description.credentials + (description.hasShell ? Credential.rootShell(port: Self.shellPort) : []))
    }

    /// What a drive's bytes are, as QMP's `blockdev-add` takes it.
    func content(of drive: Drive) -> JSONValue {
        let isOverlay = drive.writes == .discarded
        return .object([
            "driver": .string(isOverlay ? "qcow2" : drive.format.rawValue), "node-name": .string(drive.node),
            "read-only": .bool(drive.writes == .refused), "discard": "unmap",
            "file": .object([
                "driver": "file", "filename": .string((isOverlay ? files.overlay(of: drive) : drive.image).string),
            ]),
        ])
    }

    /// What a drive is to the guest, as QMP's `device_add` takes it.
    ///
    /// - Parameters:
    ///   - drive: The drive.
    ///   - index: Its number among the drives of its controller.
    /// - Returns: The device's properties.
    func device(for drive: Drive, index: Int = 0) -> JSONValue {
        var values: [String: JSONValue] = ["id": .string(drive.name), "drive": .string(drive.node)]
        if let order = drive.bootOrder { values["bootindex"] = .integer(order) }
        if drive.attachment != .sdCard { values["serial"] = .string(drive.serial) }
        switch drive.attachment {
        case .usb(let controller), .usbDisk(let controller):
            values["driver"] = "usb-storage"
            values["bus"] = .string("\(controller.rawValue).0")
            values["removable"] = .bool(drive.attachment == .usb(controller))
        case .sdCard: values["driver"] = "sd-card"
        case .virtio: values["driver"] = "virtio-blk-pci"
        case .nvme: values["driver"] = "nvme"
        case .ahci, .dvd(.ahci):
            values["driver"] = drive.attachment.isDisc ? "ide-cd" : "ide-hd"
            values["bus"] = .string("\(isOld ? "ahci" : "ide").\(index)")
        case .ide, .dvd(.ide):
            values["driver"] = drive.attachment.isDisc ? "ide-cd" : "ide-hd"
            values["bus"] = .string("ide.\(index / 2)")
            values["unit"] = .integer(index % 2)
        }
        return .object(values)
    }

    /// Whether it is the older machine, the only one with parallel ATA.
    private var isOld: Bool { description.drives.contains { $0.attachment.isIDE } }

    private var machine: String {
        var text = isOld ? "pc" : "q35"
        if description.firmware == .uefiSecureBoot { text += ",smm=on" }
        if firmware != nil { text += ",pflash0=firmware-code,pflash1=firmware-variables" }
        // The 32-bit tables of SMBIOS end at 64 KiB.
        let size = allCredentials.reduce(0) { $0 + $1.text.utf8.count }
        if size > 48 << 10 { text += ",smbios-entry-point-type=64" }
        return text
    }

    private var accelerator: String {
        "tcg,thread=multi" + (description.translationCache.map { ",tb-size=\($0)" } ?? "")
    }

    private var firmwareWords: [String] {
        guard let firmware else { return [] }
        let code: JSONValue = .object([
            "driver": "raw", "node-name": "firmware-code", "read-only": true,
            "file": .object(["driver": "file", "filename": .string(firmware.code.string)]),
        ])
        let variables: JSONValue = .object([
            "driver": "qcow2", "node-name": "firmware-variables",
            "file": .object(["driver": "file", "filename": .string(files.variables.string)]),
        ])
        var words = ["-blockdev", code.line, "-blockdev", variables.line]
        if description.firmware == .uefiSecureBoot {
            // Only SMM code may change the variables, and suspend, which would need more of SMM, is off: OVMF's README.
            words += ["-global", "driver=cfi.pflash01,property=secure,value=on", "-global", "ICH9-LPC.disable_s3=1"]
        }
        return words
    }

    private var kernelWords: [String] {
        guard let kernel = description.kernel else { return [] }
        let initramfs = kernel.initramfs.map { ["-initrd", $0.string] } ?? []
        return ["-kernel", kernel.image.string, "-append", kernel.commandLine] + initramfs
    }

    private var devices: [JSONValue] {
        // Always there, so that a stick can be plugged in at any time.
        var devices: [JSONValue] = [["driver": "qemu-xhci", "id": "xhci"]]
        let drives = description.drives
        if drives.contains(where: { [.usb(.ehci), .usbDisk(.ehci)].contains($0.attachment) }) {
            devices.append(["driver": "usb-ehci", "id": "ehci"])
        }
        if drives.contains(where: { $0.attachment == .sdCard }) {
            devices.append(["driver": "sdhci-pci", "id": "sdhci"])
        }
        if isOld, drives.contains(where: { $0.attachment.isAHCI }) { devices.append(["driver": "ahci", "id": "ahci"]) }
        if description.hasShell {
            devices.append(["driver": "virtio-serial-pci", "id": "shell-bus"])
            devices.append([
                "driver": "virtserialport", "id": "shell-port", "bus": "shell-bus.0", "chardev": "shell",
                "name": .string(Self.shellPort),
            ])
        }
        var ideCount = 0
        var ahciCount = 0
        for drive in drives {
            let index = drive.attachment.isIDE ? ideCount : ahciCount
            devices.append(device(for: drive, index: index))
            ideCount += drive.attachment.isIDE ? 1 : 0
            ahciCount += drive.attachment.isAHCI ? 1 : 0
        }
        return devices
    }

    private var networkWords: [String] {
        guard let network = description.network else { return ["-nic", "none"] }
        return words(for: network, id: "network") + description.otherCards.flatMap { words(for: $0, id: $0.tap) }
    }

    private func words(for card: NetworkCard, id: String) -> [String] {
        [
            "-netdev", "tap,id=\(backEnd(id)),ifname=\(card.tap),script=no,downscript=no", "-device",
            device(for: card, id: id).line,
        ]
    }

    /// The tap's side of a card, by the card's name.
    func backEnd(_ id: String) -> String { id == "network" ? "tap" : "\(id)-tap" }

    /// What a card is to the guest, as QMP's `device_add` takes it.
    func device(for card: NetworkCard, id: String) -> JSONValue {
        var values: [String: JSONValue] = [
            "driver": .string(card.model.rawValue), "id": .string(id), "netdev": .string(backEnd(id)),
            "mac": .string("\(card.hardwareAddress)"),
        ]
        if card.model == .usb {
            values["bus"] = "xhci.0"
        } else {
            // No network boot: its frames would be the firmware's, not the system's.
            values["romfile"] = ""
        }
        return .object(values)
    }

    /// In these options QEMU takes a comma for the beginning of the next; two stand for one.
    private func escape(_ path: FilePath) -> String { path.string.replacing(",", with: ",,") }
}
