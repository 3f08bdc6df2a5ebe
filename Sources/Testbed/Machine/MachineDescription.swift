// SPDX-License-Identifier: GPL-3.0-or-later
import Foundation
import SystemPackage

/// A virtual machine before it exists: what is in it, and what it starts from.
///
/// ```swift
/// var description = MachineDescription(memory: 1024)
/// description.firmware = .uefiSecureBoot
/// description.drives = [Drive("stick", image: image, as: .usb(.xhci), bootOrder: 0)]
/// description.network = NetworkCard(tap: "tap0")
/// ```
public struct MachineDescription: Sendable, Hashable {
    /// What the machine starts with.
    public enum Firmware: Sendable, Hashable, CaseIterable {
        /// SeaBIOS.
        case bios
        /// OVMF without keys.
        case uefi
        /// OVMF with Microsoft's keys that starts nothing unsigned.
        case uefiSecureBoot
    }

    /// How the machine shows its screen; it can be photographed either way.
    public enum Display: Sendable, Hashable {
        /// Nowhere.
        case none
        /// In a window of the maker's desktop.
        case window
    }

    /// A kernel that QEMU starts by itself, without a medium.
    public struct Kernel: Sendable, Hashable {
        /// The kernel, by its whole path.
        public let image: FilePath
        /// Its initramfs, by its whole path.
        public let initramfs: FilePath?
        /// Its command line.
        public var commandLine: String

        /// A kernel, its initramfs and its command line.
        public init(image: FilePath, initramfs: FilePath? = nil, commandLine: String = "console=ttyS0") {
            self.image = image.absolute
            self.initramfs = initramfs?.absolute
            self.commandLine = commandLine
        }
    }

    /// Memory in MiB, 32…65536.
    public var memory: Int
    /// How many processors, 1…64.
    public var processors = 2
    /// What the machine starts with.
    public var firmware = Firmware.bios
    /// Disks, sticks, cards and discs.
    public var drives: [Drive] = []
    /// The network card; none when `nil`.
    public var network: NetworkCard?
    /// Further cards.
    public var otherCards: [NetworkCard] = []
    /// A kernel to start directly.
    public var kernel: Kernel?
    /// What systemd in the guest finds at boot; see `Credential`.
    public var credentials: [Credential] = []
    /// Whether a root shell is put into the guest (by credentials alone, nothing in the image) for `Machine.shell`.
    public var hasShell = true
    /// Whether a reset by the guest starts it again; otherwise the machine stands still, as after a power-off.
    public var reboots = true
    /// The clock at power-on, as `2031-05-06T07:08:09` in UTC; the maker's clock when `nil`.
    public var clock: String?
    /// How the screen is shown.
    public var display = Display.none
    /// The room for translated code in MiB, 8…1024; QEMU's own choice (up to 1 GiB) when `nil`.
    ///
    /// Each store into a page from which code was translated that is still kept takes a slow way in QEMU: a kernel that
    /// empties what it frees pays that for every program that was run.
    public var translationCache: Int?

    /// A machine with memory (in MiB) and nothing else but a screen, a keyboard and a serial port.
    public init(memory: Int) { self.memory = memory }

    /// A value for ``clock``.
    ///
    /// - Parameter seconds: How far it is ahead of the maker's clock; behind when negative.
    /// - Returns: The time.
    public static func clock(ahead seconds: Int) -> String {
        let moment = Date(timeIntervalSince1970: (Date().timeIntervalSince1970 + Double(seconds)).rounded())
        return moment.formatted(
            Date.ISO8601FormatStyle(timeZone: .gmt).year().month().day().dateTimeSeparator(.standard).time(
                includingFractionalSeconds: false))
    }

    /// Checks what QEMU would refuse, or worse, take for something else.
    ///
    /// - Throws: `MachineFailure` that names the part and what to change.
    public func validate() throws {
        func check(_ isRight: Bool, _ words: @autoclosure () -> String) throws {
            guard isRight else { throw MachineFailure(.badDescription, words()) }
        }
        try check((32...65536).contains(memory), "A machine cannot have \(memory) MiB of memory. Choose 32 to 65536.")
        try check((1...64).contains(processors), "A machine cannot have \(processors) processors. Choose 1 to 64.")
        try check(
            translationCache.map((8...1024).contains) ?? true,
            "The room for translated code cannot be \(translationCache ?? 0) MiB. Choose 8 to 1024.")
        for drive in drives { try drive.validate() }
        try check(
            Set(drives.map(\.name)).count == drives.count,
            "Two drives have the same name: \(drives.map(\.name).joined(separator: ", ")). Give each its own.")
        let orders = drives.compactMap(\.bootOrder)
        try check(
            Set(orders).count == orders.count, "Two drives have the same place in the boot order. Give each its own.")
        try check(
            drives.count { $0.attachment == .sdCard } <= 1,
            "The machine has one slot for cards, not more. Remove a card.")
        let onIDE = drives.count { $0.attachment.isIDE }
        let onAHCI = drives.count { $0.attachment.isAHCI }
        try check(onIDE <= 4, "IDE has four places, and \(onIDE) drives want one. Use another attachment.")
        try check(
            onAHCI <= 6, "The AHCI controller has six places, and \(onAHCI) drives want one. Use another attachment.")
        try check(
            onIDE == 0 || firmware != .uefiSecureBoot,
            "Secure Boot needs the q35 machine, which has no IDE. Attach the drives to AHCI.")
        try network?.validate()
        for card in otherCards { try card.validate() }
        let taps = (network.map { [$0] } ?? []).map(\.tap) + otherCards.map(\.tap)
        try check(Set(taps).count == taps.count, "Two network cards are on the same tap device. Give each its own.")
        for credential in credentials { try credential.validate() }
        if let clock {
            try check(
                clock.wholeMatch(of: #/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/#) != nil,
                "'\(clock)' is no time. Write it as 2031-05-06T07:08:09.")
        }
    }
}

/// A card on a tap device in the sandbox: the only network that a machine can have.
public struct NetworkCard: Sendable, Hashable {
    /// Which card the guest sees.
    public enum Model: String, Sendable, Hashable, CaseIterable {
        /// Intel 82574L, as in many computers. QEMU 7.2's tells the guest nothing of its cable once it is in use.
        case e1000e
        /// Intel 82540EM, older, whose cable can be pulled and put back.
        case e1000
        /// Realtek 8139, as in old ones.
        case rtl8139
        /// virtio on PCI.
        case virtio = "virtio-net-pci"
        /// An adapter on USB.
        case usb = "usb-net"
    }

    /// The tap device in the machine's namespace; QEMU opens it and changes nothing of it.
    public var tap: String
    /// The address burnt into the card.
    public var hardwareAddress: MACAddress
    /// Which card.
    public var model: Model

    /// A card on a tap device, by default with an address of QEMU's own range.
    public init(tap: String, hardwareAddress: MACAddress? = nil, model: Model = .e1000e) {
        self.tap = tap
        self.hardwareAddress = hardwareAddress ?? MACAddress([0x52, 0x54, 0x00, 0x4E, 0x54, 0x01]) ?? .zero
        self.model = model
    }

    func validate() throws {
        // The kernel's limit for names of interfaces; a comma would begin another of QEMU's options.
        guard (1...15).contains(tap.utf8.count),
            tap.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || "-_.".contains($0)) })
        else {
            throw MachineFailure(.badDescription, "'\(tap)' cannot name a tap device. Use up to 15 letters and digits.")
        }
        guard !hardwareAddress.isGroup, hardwareAddress != .zero else {
            throw MachineFailure(
                .badDescription, "\(hardwareAddress) cannot be a card's address: it names a group or nobody.")
        }
    }
}
