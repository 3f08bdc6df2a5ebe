// SPDX-License-Identifier: GPL-3.0-or-later
import Disks
import Linux
import Media

/// Finds the disk that this session was started from, while devices appear; and forbids writing to all others.
final class MediumSearch {
    /// What was found.
    struct Found: Hashable {
        let disk: Disk
        let table: GPT
        let number: Int
        let partition: GPT.Partition
    }

    private enum Examination {
        case carries(Found)
        case other(String)
        /// Worth another look: an empty drive, one that is not ready, a read error.
        case again(String)
    }

    private let wanted: GUID
    private let loader: ModuleLoader
    private let log: KernelLog
    private let events: UeventSocket
    private var examined: [String: Examination] = [:]
    private var disks: [String: Disk] = [:]
    private var medium: String?
    private var firstCandidate: Double?
    private var lastUSB: Double
    private let firmware: HardwareLocation?

    /// Starts to listen to the kernel before anything is looked at, so that no device falls between.
    init(wanted: GUID, loader: ModuleLoader, log: KernelLog) throws(SystemCallFailure) {
        self.wanted = wanted
        self.loader = loader
        self.log = log
        events = try UeventSocket()
        lastUSB = Machine.uptime
        loader.loadForUSBControllers()
        loader.load(NeededModules.sticks)
        loader.load("efivarfs")
        firmware = FirmwareBootEntry.location()
        if let firmware { log.detail("firmware started from \(firmware)") }
    }

    /// Searches until the medium is found.
    ///
    /// - Parameter seconds: how long at the most.
    /// - Returns: the medium and its partition.
    /// - Throws: ``BootFailure/mediumNotFound(seen:)``, ``BootFailure/severalMedia(_:)``.
    func find(within seconds: Double) throws(BootFailure) -> Found {
        loader.loadForPresentDevices()
        lastUSB = Machine.uptime
        Disk.present.forEach(appeared)
        let end = Machine.uptime + seconds
        var nextRetry = Machine.uptime + 1
        while true {
            handleEvents()
            examineNew()
            switch choice {
            case .use(let disk):
                if case .carries(let found)? = examined[disk.name] {
                    setWritable(disk.name)
                    medium = disk.name
                    return found
                }
            case .ambiguous(let several):
                throw .severalMedia(several.map(\.summary))
            case .wait, .none: break
            }
            let now = Machine.uptime
            guard now < end else { throw .mediumNotFound(seen: disks.values.map(seenLine).sorted()) }
            if now >= nextRetry {
                nextRetry = now + 1
                for (name, examination) in examined {
                    if case .again = examination { examined[name] = nil }
                }
            }
            _ = Readiness.wait([events.descriptor], seconds: 0.1)
        }
    }

    /// The disks that are there, as they are now.
    var present: [Disk] { disks.keys.sorted().compactMap(Disk.init(sysfs:)) }

    /// Keeps what appears after the search from being written to, until systemd and udev take over.
    func handleEvents() {
        while true {
            do {
                guard let bytes = try events.receive() else { return }
                if let event = Uevent(parsing: bytes) { handle(event) }
            } catch {
                // Events were lost: look at everything again.
                log.detail("\(error)")
                loader.loadForPresentDevices()
                Disk.present.filter { disks[$0] == nil }.forEach(appeared)
                return
            }
        }
    }

    private func handle(_ event: Uevent) {
        if event.isUSB, event.action == "add" { lastUSB = Machine.uptime }
        if event.action == "add", let modalias = event.modalias { loader.load(forDevice: modalias) }
        guard let name = event.blockDevice else { return }
        switch event.action {
        case "add", "change":
            if event.isWholeDisk {
                appeared(name)
            } else if event.action == "add", !isOnMedium(event) {
                setReadOnly(name)
            }
        case "remove":
            disks[name] = nil
            examined[name] = nil
        default: break
        }
    }

    /// Whether a partition lies on the medium: its event may come after the medium was made writable.
    private func isOnMedium(_ event: Uevent) -> Bool {
        guard let medium else { return false }
        return event.devicePath.contains("/block/\(medium)/")
    }

    private func appeared(_ name: String) {
        guard let disk = Disk(sysfs: name) else { return }
        if disks[name] == nil { setReadOnly(name) }
        disks[name] = disk
        examined[name] = nil
    }

    /// Forbids writing before anything could replay a journal. With the whole disk its partitions are read-only too.
    private func setReadOnly(_ name: String) {
        do {
            try BlockDevice.setReadOnly(true, File("/dev/\(name)", .readWithoutWaiting))
        } catch  where error.number != .noMedium && error.number != .noEntry {
            log.notice("cannot forbid writing to \(name): \(error)")
        } catch {}
    }

    /// The medium itself stays as it came: its own partitions may be written.
    private func setWritable(_ name: String) {
        let partitions = FileTree.names(in: "/sys/block/\(name)").filter { $0.hasPrefix(name) }
        for device in [name] + partitions {
            try? BlockDevice.setReadOnly(false, File("/dev/\(device)", .readWithoutWaiting))
        }
    }

    private var candidates: [Disk] {
        examined.values.compactMap { if case .carries(let found) = $0 { found.disk } else { nil } }
            .sorted { $0.name < $1.name }
    }

    private var situation: MediumChoice.Situation {
        let now = Machine.uptime
        return MediumChoice.Situation(
            candidates: candidates, firmware: firmware, pendingStorage: USBStorage.pending { examined[$0] != nil },
            hasUSB: FileTree.names(in: "/sys/bus/usb/devices").contains { $0.hasPrefix("usb") },
            secondsSinceFirst: firstCandidate.map { now - $0 } ?? 0, secondsSinceUSB: now - lastUSB)
    }

    private var choice: MediumChoice { MediumChoice(situation) }

    /// Reads the partition tables of disks not seen before. What is built in is read only when nothing plugged in has
    /// the system, or the firmware points there: a dying internal disk can block a read for minutes.
    private func examineNew() {
        let new = disks.values.filter { examined[$0.name] == nil }.sorted { $0.name < $1.name }
        for disk in new where disk.isExternal { examine(disk) }
        let inside = new.filter { !$0.isExternal }
        guard !inside.isEmpty else { return }
        let now = situation
        let isUSBQuiet =
            !now.hasUSB || (now.pendingStorage == 0 && now.secondsSinceUSB >= MediumChoice.quiet)
        let mayRead = !now.candidates.contains(where: \.isExternal) && isUSBQuiet
        for disk in inside where mayRead || firmware.map(disk.location.mayBe) ?? false { examine(disk) }
    }

    private func examine(_ disk: Disk) {
        examined[disk.name] = read(disk)
        if case .carries = examined[disk.name], firstCandidate == nil { firstCandidate = Machine.uptime }
        log.detail("\(disk.summary): \(resultText(examined[disk.name]))")
    }

    private func read(_ disk: Disk) -> Examination {
        do {
            let file = try File(disk.node)
            // 512 bytes also on DVDs, whose table is made for sticks; 4096 on disks with such sectors.
            for sectorSize in [512, 4096] {
                let start = try file.read(at: UInt64(sectorSize), count: sectorSize)
                do throws(GPT.ParseError) {
                    let header = try GPT.Header(parsing: start, sectorSize: sectorSize)
                    guard let entries = try? file.read(at: header.entriesOffset, count: header.entriesLength) else {
                        return .again("its partition table cannot be read")
                    }
                    let table = try GPT(header: header, entries: entries)
                    guard let (number, partition) = table.partition(unique: wanted) else {
                        return .other("has other partitions")
                    }
                    return .carries(Found(disk: disk, table: table, number: number, partition: partition))
                } catch {
                    if error != .absent { return .other("\(error)") }
                }
            }
            return .other("has no GUID partition table")
        } catch {
            return .again(error.number == .noMedium ? "is empty" : "\(error)")
        }
    }

    private func seenLine(_ disk: Disk) -> String { "\(disk.summary): \(resultText(examined[disk.name]))" }

    private func resultText(_ examination: Examination?) -> String {
        switch examination {
        case .carries: "carries Needletail"
        case .other(let text), .again(let text): text
        case nil: "not examined"
        }
    }
}

/// USB devices that say that they are storage.
enum USBStorage {
    /// How many of them have no disk yet whose partition table was looked at. usb-storage waits a second before it reads;
    /// and a disk stands in sysfs a while before the kernel has read its partitions and announces it.
    static func pending(isExamined: (String) -> Bool) -> Int {
        let directory = "/sys/bus/usb/devices"
        return FileTree.names(in: directory).count { name in
            guard name.contains(":"), File.line("\(directory)/\(name)/bInterfaceClass") == "08" else { return false }
            let disks = disks(of: "\(directory)/\(name)")
            return disks.isEmpty || !disks.allSatisfy(isExamined)
        }
    }

    private static func disks(of interface: String) -> [String] {
        var disks: [String] = []
        for host in FileTree.names(in: interface) where host.hasPrefix("host") {
            for target in FileTree.names(in: "\(interface)/\(host)") where target.hasPrefix("target") {
                for unit in FileTree.names(in: "\(interface)/\(host)/\(target)") {
                    disks += FileTree.names(in: "\(interface)/\(host)/\(target)/\(unit)/block")
                }
            }
        }
        return disks
    }
}
