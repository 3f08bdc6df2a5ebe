// SPDX-License-Identifier: GPL-3.0-or-later
import Disks
import Emergency
import Linux
import Media

/// The way from the kernel's start to systemd: find the medium, check the system on it, set up the tree, close the
/// firewall, hand over. See `System/README.md`.
public struct BootStage {
    private let commandLine: CommandLine
    private let log: KernelLog
    private let loader: ModuleLoader
    private var version = ""
    private var found: MediumSearch.Found?
    private var isMediumNeeded = true

    /// Runs as process 1 and does not return: it becomes systemd, or shows why it cannot and switches off.
    ///
    /// - Parameter arguments: the arguments of this process without its name, which systemd gets.
    public static func run(arguments: [String]) -> Never {
        // Without these there is no log and no screen beyond the console that the kernel opened.
        let mounted = Result { () throws(SystemCallFailure) in try EarlyMounts.mount() }
        var stage = BootStage()
        do throws(BootFailure) {
            if case .failure(let failure) = mounted { throw .incomplete("\(failure)") }
            try stage.start(arguments: arguments)
        } catch {
            stage.fail(error)
        }
    }

    private init() {
        commandLine = CommandLine(parsing: (try? File.text("/proc/cmdline")) ?? "")
        log = KernelLog(isVerbose: commandLine.isVerbose)
        loader = ModuleLoader(log: log, parameters: commandLine.moduleParameters)
    }

    private mutating func start(arguments: [String]) throws(BootFailure) -> Never {
        log.phase("start")
        let configuration = try readConfiguration()
        version = configuration.version
        try checkMemory()

        log.phase("medium")
        let search: MediumSearch
        do {
            search = try MediumSearch(wanted: configuration.systemPartition, loader: loader, log: log)
        } catch { throw .incomplete("\(error)") }
        loader.load(NeededModules.system + [configuration.fileSystem.rawValue] + NeededModules.firewall)
        let medium = try search.find(within: 60)
        found = medium
        log.notice("medium \(medium.disk.summary)")

        log.phase("verity")
        var device = try SystemDevice(configuration: configuration).open(medium)
        if commandLine.isToRAM {
            device = try moveToRAM(device, configuration)
            isMediumNeeded = false
        }

        log.phase("root")
        do {
            try NewRoot.assemble(device: device.system, fileSystem: configuration.fileSystem)
        } catch {
            // A damaged superblock shows as EINVAL or EUCLEAN of the file system; but behind verity it cannot be
            // damaged without an I/O error.
            throw error.number == .inputOutput ? .systemDamaged("\(error)") : .root("\(error)")
        }
        try Essentials.check(root: NewRoot.path)
        search.handleEvents()

        log.phase("firewall")
        do {
            try StayInMemory.prepare()
            try Handover.switchRoot()
        } catch { throw .root("\(error)") }
        loader.isClosed = true
        try Firewall.root.close()
        log.phase("namespaces")
        try Namespaces.shipped.make()
        // Disks that became ready in the meantime.
        search.handleEvents()

        log.phase("handover")
        do {
            try writeReport(medium.disk)
            try writeRecord(medium, configuration)
            try StartRecord.write(medium: medium.disk, disks: search.present)
            try Handover.start(arguments: arguments)
        } catch { throw .handover("\(error)") }
    }

    private func readConfiguration() throws(BootFailure) -> BootConfiguration {
        do {
            return try BootConfiguration(parsing: try File.text("/etc/needletail/boot.conf"))
        } catch { throw .incomplete("\(error)") }
    }

    private func checkMemory() throws(BootFailure) {
        guard let memory = Memory.current else { return }
        if memory.total < Memory.floor { throw .tooLittleMemory(found: memory.total, needed: Memory.floor) }
    }

    private func moveToRAM(
        _ device: SystemDevice.Mapped, _ configuration: BootConfiguration
    ) throws(BootFailure) -> SystemDevice.Mapped {
        log.phase("toram")
        let system = SystemDevice(configuration: configuration)
        let loop = try ToRAM.copy(device, configuration: configuration) {
            Consoles.write("\r" + Message.copying(percent: $0))
        }
        do {
            try system.close()
        } catch { throw .root("\(error)") }
        let copy = try system.open(device: loop.path, firstSector: 0)
        Consoles.write("\r\n\(Message.copied)\r\n")
        return copy
    }

    private func writeReport(_ disk: Disk) throws(SystemCallFailure) {
        let report = BootReport(
            version: version, disk: disk, isToRAM: commandLine.isToRAM, phases: log.phases)
        try FileTree.makeDirectory("/run/needletail")
        try File("/run/needletail/boot.json", .create(mode: 0o644)).write(Array(report.json.utf8))
    }

    /// For who watches the medium from now on.
    private func writeRecord(
        _ medium: MediumSearch.Found, _ configuration: BootConfiguration
    ) throws(SystemCallFailure) {
        guard let record = MediumRecord(medium, dataSize: configuration.dataSize, isToRAM: commandLine.isToRAM) else {
            log.notice("no record of the medium")
            return
        }
        try File(MediumRecord.path, .create(mode: 0o644)).write(Array(record.text.utf8))
    }

    /// Whether a disk has been taken out. Reading fails a moment before the kernel has taken the disk away, so this waits.
    private func isGone(_ disk: Disk) -> Bool {
        let end = Machine.uptime + 2
        while FileTree.exists("/sys/block/\(disk.name)") {
            if Machine.uptime > end { return false }
            Machine.sleep(0.1)
        }
        return true
    }

    /// Shows a failure. A medium that is gone is the reason for all errors that come of it.
    private func fail(_ failure: BootFailure) -> Never {
        var shown = failure
        if isMediumNeeded, let disk = found?.disk, isGone(disk) {
            shown = .mediumRemoved("\(disk.summary); \(failure.code): \(failure.detail)")
        }
        log.failed(code: shown.code, detail: shown.detail)
        FailureScreen.show(shown, version: version) {
            loader.isLoadingInputDevices = true
            loader.load(NeededModules.input)
            loader.loadForPresentDevices()
        }
    }
}
