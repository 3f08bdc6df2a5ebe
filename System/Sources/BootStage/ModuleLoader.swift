// SPDX-License-Identifier: GPL-3.0-or-later
import Linux

/// Loads kernel modules from the initramfs, each at most once.
final class ModuleLoader {
    private let directory: String
    private let index: ModuleIndex
    private var done: Set<String> = []
    private let log: KernelLog
    private let parameters: [String: String]
    /// Whether devices for people's hands get their modules: only the failure screen needs them before udev runs.
    var isLoadingInputDevices = false
    /// Whether the initramfs and the modules in it are gone: what is wanted from now on, udev loads.
    var isClosed = false

    /// Reads the module lists of the running kernel.
    ///
    /// - Parameters:
    ///   - log: where modules that fail are told.
    ///   - parameters: parameters of modules by the modules' names.
    init(log: KernelLog, parameters: [String: String] = [:]) {
        directory = "/usr/lib/modules/\(Machine.kernelRelease)"
        let directory = directory
        func bytes(_ name: String) -> [UInt8] { (try? File("\(directory)/\(name)").readAll()) ?? [] }
        index = ModuleIndex(
            dependencies: bytes("modules.dep"), aliases: bytes("modules.alias"), builtIn: bytes("modules.builtin"),
            soft: bytes("modules.softdep"))
        self.log = log
        self.parameters = parameters
    }

    /// Loads a module and what it needs. What is loaded already or built in is fine; a module that fails is reported
    /// and does not stop the start.
    ///
    /// - Parameter name: the module's name.
    func load(_ name: String) {
        let name = ModuleIndex.normalized(name.utf8)
        guard !isClosed, !done.contains(name) else { return }
        guard let module = index.module(name) else {
            done.insert(name)
            if !index.isBuiltIn(name) { log.detail("module \(name) is not here") }
            return
        }
        guard isLoadingInputDevices || !Self.isForInput(module.path) else { return }
        for path in module.needs + [module.path] {
            let own = ModuleIndex.name(ofFile: path.utf8)
            // Before it is tried: what it wants may be what it needs to be initialised at all.
            if !done.contains(own) { index.module(own)?.wants.forEach(loadWanted) }
            guard done.insert(own).inserted else { continue }
            do {
                try Machine.loadModule("\(directory)/\(path)", parameters: parameters[own] ?? "")
            } catch  where error.number == .exists {
                continue
            } catch {
                // ENODEV: a module for hardware that this computer does not have, such as a CPU's own SHA-256.
                if error.number != .noDevice { log.detail("\(error)") }
            }
        }
    }

    /// Loads what answers to a module's name or to an alias.
    private func loadWanted(_ name: String) {
        if index.module(name) != nil {
            load(name)
        } else {
            load(forDevice: name)
        }
    }

    /// Loads several modules, one after the other.
    ///
    /// - Parameter names: their names.
    func load(_ names: [String]) {
        for name in names { load(name) }
    }

    /// Loads all modules that want a device.
    ///
    /// - Parameter modalias: the device's own description.
    func load(forDevice modalias: String) {
        for name in index.modules(forDevice: modalias) { load(name) }
    }

    /// Loads the modules of USB controllers. What is on USB needs two seconds until it can be read, so this goes first.
    func loadForUSBControllers() {
        let directory = "/sys/bus/pci/devices"
        for device in FileTree.names(in: directory)
        where File.line("\(directory)/\(device)/class")?.hasPrefix("0x0c03") == true {
            if let modalias = File.line("\(directory)/\(device)/modalias") { load(forDevice: modalias) }
        }
    }

    /// Loads the modules of all devices that the kernel knows already. `udevadm trigger` does the same.
    func loadForPresentDevices() {
        for bus in FileTree.names(in: "/sys/bus") {
            for device in FileTree.names(in: "/sys/bus/\(bus)/devices") {
                guard let modalias = File.line("/sys/bus/\(bus)/devices/\(device)/modalias") else { continue }
                load(forDevice: modalias)
            }
        }
    }

    private static func isForInput(_ path: String) -> Bool {
        path.contains("/hid/") || path.contains("/input/") || path.contains("/i2c-hid/")
    }
}

/// Modules that no device asks for, or that have to be there before one does.
enum NeededModules {
    /// What a USB stick asks for later: loading it while the controller looks for sticks costs no time.
    static let sticks = ["usb_storage", "uas", "sd_mod"]
    /// From a disk to a verified file system with memory over it. The CPU's own SHA-256 instructions come first,
    /// because dm-verity takes the best that is there when it is opened.
    /// CRC-32C is what EROFS looks up by name.
    static let system = ["sha256_ssse3", "crc32c_generic", "crc32c_intel", "loop", "dm_mod", "dm_verity", "overlay"]
    /// For the base firewall. What is missing here is loaded by the kernel from the verified system, which takes longer.
    static let firewall = [
        "nfnetlink", "nf_tables", "nf_conntrack", "nft_ct", "nft_reject_inet", "nft_chain_nat", "nft_redir",
        "nft_nat", "nft_masq", "veth",
        // Lets the boot stage forget the firewall's connections at the end of the session.
        "nf_conntrack_netlink",
    ]
    /// What the failure screen reads keys from.
    static let input = ["usbhid", "hid_generic", "evdev", "button"]
}
