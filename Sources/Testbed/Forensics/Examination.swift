// SPDX-License-Identifier: GPL-3.0-or-later
import ByteScan
import Commands
import Foundation
import SystemPackage

/// A session that leaves traces on purpose, its end, and what an examiner finds then.
///
/// ```swift
/// let examination = try await Examination.prepare(plan, in: folder, planter: planter)
/// let result = try await Trial.with(examination.trialPlan, work: work) { trial in
///     try await examination.run(on: trial.machine, trial: trial)
/// }
/// let changed = try examination.disks?.changes()
/// ```
public struct Examination: Sendable {
    /// What is done.
    public struct Plan: Sendable {
        /// The image.
        public var image: FilePath
        /// The machine's memory in MiB.
        public var memory = 1024
        /// How many records are planted, nearly; each takes 64 bytes of the machine's memory.
        public var records = 1_000_000
        /// How the session ends.
        public var ending: Ending
        /// What the machine starts with.
        public var firmware = MachineDescription.Firmware.uefi
        /// Whether disks are built in.
        public var hasDisks = true
        /// Whether memory is searched while the session runs, too: what is planted has to be found then.
        public var looksBefore = true
        /// Where pictures of the screen go from the beginning of the end, two a second, and a dump of memory in which something
        /// was left; `nil` for none.
        public var evidence: FilePath?

        /// A plan.
        public init(image: FilePath, ending: Ending) {
            self.image = image
            self.ending = ending
        }
    }

    /// What was found.
    public struct Result: Sendable {
        /// What was planted.
        public let planted: [Planter.Planted]
        /// What was in memory while the session ran; `nil` when nobody looked.
        public let before: MemorySearch.Findings?
        /// What was in memory after the end.
        public let after: MemorySearch.Findings
        /// Seconds from the beginning of the end until the screen was black; `nil` when it was not, or nobody looked.
        public let secondsToDark: Double?
        /// Seconds from the beginning of the end to the end.
        public let secondsToEnd: Double
        /// How the machine ended.
        public let reason: Machine.ExitReason
        /// Bytes of the graphics memory that are not zero.
        public let litBytes: Int
        /// Variables of the firmware that are not as before.
        public let variables: [FirmwareVariables.Name]
        /// How often the hardware clock was set.
        public let clockChanges: Int

        /// How many records were planted.
        public var plantedRecords: Int { planted.reduce(0) { $0 + $1.count } }
    }

    /// In MiB. A page with code that QEMU has translated is slow to overwrite, because QEMU looks for its translations with each
    /// write: with all that a large cache holds, erasing the cached programs takes half a minute that no computer would need.
    public static let translationCache = 64

    /// The name of the drive with the system.
    static let medium = "medium"

    /// What is done.
    public let plan: Plan
    /// The disks of the computer.
    public let disks: DiskSet?
    /// Where dumps go.
    public let folder: FilePath
    private let planter: Planter
    private let stick: FilePath

    /// Makes disks and sticks.
    ///
    /// - Parameters:
    ///   - plan: What is done.
    ///   - folder: Where disks and dumps go: as much space as the machine has memory, and 300 MB.
    ///   - planter: The planter.
    /// - Returns: The examination, ready to be run once.
    /// - Throws: `CommandFailure` when a tool is missing or fails, `Errno`.
    public static func prepare(_ plan: Plan, in folder: FilePath, planter: Planter) async throws -> Examination {
        try FileManager.default.createDirectory(atPath: folder.string, withIntermediateDirectories: true)
        let disks = plan.hasDisks ? try await DiskSet(in: folder.appending("disks"), copyOf: plan.image) : nil
        let stick = folder.appending("stick.img")
        try await Self.makeStick(at: stick)
        return Examination(plan: plan, disks: disks, folder: folder, planter: planter, stick: stick)
    }

    /// The trial in which it is run.
    public var trialPlan: Trial.Plan {
        var trial = Trial.Plan(
            image: plan.image, attachment: plan.ending.attachment, firmware: plan.firmware, memory: plan.memory)
        trial.translationCache = Self.translationCache
        trial.otherDrives = disks?.drives ?? []
        trial.reboots = false
        return trial
    }

    /// The machine on which it is run where no network is needed.
    public var description: MachineDescription {
        var description = MachineDescription(memory: plan.memory)
        description.firmware = plan.firmware
        description.drives =
            [Drive(Self.medium, image: plan.image, as: plan.ending.attachment, bootOrder: 0)] + (disks?.drives ?? [])
        description.reboots = false
        description.translationCache = Self.translationCache
        return description
    }

    // MARK: Running

    /// Starts a machine, runs the examination on it, and stops it.
    ///
    /// - Parameters:
    ///   - work: A folder for sockets and logs; short, because of the limit on the paths of sockets.
    ///   - offline: Without a Tor network.
    ///   - note: Is told what is going on.
    /// - Returns: What was found.
    /// - Throws: As ``run(on:trial:note:)`` and `Trial.with`.
    public func perform(
        in work: FilePath, offline: Bool, note: @escaping @Sendable (String) -> Void = { _ in }
    ) async throws -> Result {
        guard offline else {
            return try await Trial.with(trialPlan, work: work) { trial in
                try await expectingSession(on: trial.machine) {
                    _ = try await trial.waitForTor(within: .seconds(240))
                }
                return try await run(on: trial.machine, trial: trial, note: note)
            }.0
        }
        let sandbox = try await Sandbox.open(work: work)
        do {
            let result = try await Machine.with(description, in: sandbox) { try await run(on: $0, note: note) }
            await sandbox.close()
            return result
        } catch {
            await sandbox.close()
            throw error
        }
    }

    /// Plants, ends the session, and searches.
    ///
    /// - Parameters:
    ///   - machine: The machine, which has been started from ``trialPlan`` or ``description``.
    ///   - trial: The network around it; the session then visits pages while it ends.
    ///   - note: Is told what is going on.
    /// - Returns: What was found. Disks are compared when the machine is gone: `disks.changes()`.
    /// - Throws: `MachineFailure`, `ShellFailure`, `ForensicsFailure`, `Errno`.
    public func run(
        on machine: Machine, trial: Trial? = nil, note: @escaping @Sendable (String) -> Void = { _ in }
    ) async throws -> Result {
        let shell = machine.shell
        try await expectingSession(on: machine) { try await shell.waitUntilReady() }
        let start = try await machine.kernelStart()
        let variables = try await machine.firmwareVariables()
        var artefacts = try await leaveTraces(in: shell, trial: trial)
        let places = try await mountStick(on: machine)
        artefacts += Artefact.diskKey(places.key)
        let crops = Crop.everyKind(records: plan.records, stick: places.stick, vault: places.vault)
        let planted = try await planter.plant(crops, in: shell)
        let count = planted.reduce(0) { $0 + $1.count }
        note("Planted \(count) records of \(planted.count) kinds")
        for one in planted where one.trouble != nil { note("Not all of \(one)") }
        guard count > plan.records / 2 else {
            throw ForensicsFailure(
                .noPlanting, "Only \(count) of \(plan.records) records could be planted: \(planted)")
        }
        let search = try MemorySearch(crops: crops, artefacts: artefacts)
        let before = plan.looksBefore ? try await look(at: machine, search, "running").0 : nil
        if let before { note("While it runs: \(before.planted) found, and \(before.known) artefacts") }
        if !plan.ending.preparation.isEmpty { try await shell.output(plan.ending.preparation, timeout: .seconds(120)) }
        let end = try await end(machine)
        note("Ended after \(String(format: "%.1f", end.seconds)) s: \(end.reason)")
        let (after, lit) = try await look(at: machine, search, "ended")
        note("After it: \(after.planted) found, and \(after.known) artefacts; \(lit) bytes of a picture")
        if !after.isClean, plan.ending.kind != .crash { note("\(after)") }
        let later = try await machine.firmwareVariables()
        return Result(
            planted: planted, before: before, after: after, secondsToDark: end.dark, secondsToEnd: end.seconds,
            reason: end.reason, litBytes: lit,
            variables: variables.flatMap { first in later.map { first.changes(to: $0) } } ?? [],
            clockChanges: machine.clockChanges(after: start))
    }

    /// Tells a session that never was from one that went wrong, and takes a picture of its screen.
    private func expectingSession(on machine: Machine, _ body: () async throws -> Void) async throws {
        do {
            try await body()
        } catch let error where !(error is CancellationError) {
            if let folder = plan.evidence { _ = try? await machine.screenshot(to: folder.appending("no-start.png")) }
            throw ForensicsFailure(.noSession, "No session came to be: \(error)")
        }
    }

    private func look(at machine: Machine, _ search: MemorySearch, _ name: String) async throws -> (
        MemorySearch.Findings, Int
    ) {
        let isRunning = machine.exitReason == nil
        // Nothing moves while it is read.
        if isRunning { try await machine.pause() }
        let dump = try await MemoryDump(of: machine, in: folder, name: name)
        defer { dump.remove() }
        if isRunning { try await machine.resume() }
        let found = try search.findings(in: dump.files)
        let lit = try dump.litBytes()
        // After a crash everything is left, as is known.
        let isOdd = plan.ending.kind != .crash && (!found.isClean || lit > 0)
        if !isRunning, isOdd, let evidence = plan.evidence { try dump.copy(to: evidence) }
        return (found, lit)
    }

    private func end(_ machine: Machine) async throws -> (seconds: Double, dark: Double?, reason: Machine.ExitReason) {
        let start = try await plan.ending.begin(on: machine, medium: Self.medium)
        var dark: Double?
        var pictures = 0
        let isEmergency = plan.ending.kind == .emergency
        while machine.exitReason == nil, ContinuousClock.now - start < plan.ending.limit {
            if isEmergency, dark == nil, (try? await machine.isScreenDark()) == true {
                dark = (ContinuousClock.now - start) / .seconds(1)
            }
            let now = (ContinuousClock.now - start) / .seconds(1)
            if let folder = plan.evidence, now >= Double(pictures) / 2 {
                pictures += 1
                _ = try? await machine.screenshot(to: folder.appending(String(format: "%05.1f.png", now)))
            }
            try await Task.sleep(for: .milliseconds(100))
        }
        guard let reason = machine.exitReason else {
            throw await machine.failure(
                .timedOut, "The session did not end by '\(plan.ending)' within \(plan.ending.limit).")
        }
        return ((ContinuousClock.now - start) / .seconds(1), dark, reason)
    }

    // MARK: Traces

    /// What a session does, with names by chance in it.
    private func leaveTraces(in shell: GuestShell, trial: Trial?) async throws -> [Artefact] {
        var artefacts: [Artefact] = []
        let name = "planted-name-\(Crop.makeMarker().prefix(20))"
        try await shell.output("echo text > /home/user/\(name).txt; ls -l /home/user > /dev/null")
        artefacts.append(.text("file name", name))
        let passphrase = String(Crop.makeMarker().prefix(24))
        try await shell.output(
            """
            systemctl start NetworkManager && \
            nmcli connection add type wifi ifname '*' con-name planted ssid planted autoconnect no \
            wifi-sec.key-mgmt wpa-psk wifi-sec.psk \(passphrase)
            """)
        artefacts.append(.text("Wi-Fi passphrase", passphrase))
        guard let trial else { return artefacts }
        let page = "visited-\(Crop.makeMarker().prefix(20))"
        _ = try await shell.run(
            "\(Trial.asUser) curl -s --max-time 60 -o /tmp/page http://\(Address.web)/\(page)", timeout: .seconds(90))
        artefacts.append(.text("URL", page))
        let cookie = try await shell.output("od -An -tx1 -v /run/tor/control.authcookie | tr -d ' \\n'")
        guard let key = Artefact.bytes(hexadecimal: cookie), !key.isEmpty else {
            throw ForensicsFailure(.noPlanting, "The key to Tor's control port cannot be read: '\(cookie)'.")
        }
        artefacts.append(.secret("key to Tor's control port", key))
        // Those of the authorities came into the machine by its firmware tables, which are not of the session.
        artefacts += trial.tor.relays.filter { $0.role == .exit }.flatMap { Artefact.relay($0.fingerprint) }
        // Tor is busy to the end.
        try await shell.output(
            "(while :; do \(Trial.asUser) curl -s -o /dev/null http://\(Address.web)/; done) </dev/null >/dev/null 2>&1 &"
        )
        return artefacts
    }

    /// Plugs a stick in, with an ordinary file system and an encrypted one.
    private func mountStick(on machine: Machine) async throws -> (stick: String?, vault: String?, key: [UInt8]) {
        var generator = SystemRandomNumberGenerator()
        let key = (0..<32).map { _ in UInt8.random(in: 0...255, using: &generator) }
        try await machine.plug(Drive("planted", image: stick, as: .usb(.xhci), serial: "PLANTED"))
        let shell = machine.shell
        let found = try await shell.output(
            """
            n=0; while [ $n -lt 100 ]; do for d in /sys/block/sd*; do
            [ "$(cat $d/size)" = \(Self.stickSectors) ] && [ -e /dev/${d##*/}2 ] && { echo ${d##*/}; exit 0; }
            done; sleep 0.1; n=$((n+1)); done; exit 1
            """)
        let disk = "/dev/\(found.split(separator: "\n").last ?? "")"
        let mounted = try await shell.run(
            "modprobe -q ext4; mkdir -p /run/planted/stick /run/planted/vault && mount -t ext4 \(disk)1 /run/planted/stick"
        )
        guard mounted.status == 0 else {
            throw ForensicsFailure(.noPlanting, "The guest cannot mount a stick that is plugged in: \(mounted.output)")
        }
        let clear = try await planter.openEncrypted("\(disk)2", key: key, in: shell)
        try await shell.output(
            """
            n=0; while [ ! -e \(clear) ] && [ $n -lt 50 ]; do sleep 0.1; n=$((n+1)); done
            cat /run/planted/stick/empty > \(clear) && mount -t ext4 \(clear) /run/planted/vault
            """, timeout: .seconds(90))
        return ("/run/planted/stick", "/run/planted/vault", key)
    }

    private static let partSectors = 65_536
    private static let stickSectors = 2048 + 2 * partSectors + 2048

    /// A stick of two partitions: a file system, in which the image of another lies, and space for that.
    static func makeStick(at path: FilePath) async throws {
        let inner = path.string + ".inner"
        let outer = path.string + ".outer"
        let tree = path.string + ".tree"
        defer { for name in [inner, outer, tree] { try? FileManager.default.removeItem(atPath: name) } }
        try FileManager.default.createDirectory(atPath: tree, withIntermediateDirectories: true)
        _ = try await Command("mkfs.ext4", ["-q", "-F", "-m", "0", inner, "14M"]).output()
        _ = try await Command("cp", ["--sparse=always", inner, tree + "/empty"]).output()
        _ = try await Command("mkfs.ext4", ["-q", "-F", "-m", "0", "-d", tree, outer, "32M"]).output()
        _ = try await Command("truncate", ["-s", "\(stickSectors * 512)", path.string]).output()
        let table = "label: gpt\nstart=2048, size=\(partSectors)\nstart=\(2048 + partSectors), size=\(partSectors)\n"
        _ = try await Command("sfdisk", ["--quiet", "--no-reread", path.string]).output(input: table)
        _ = try await Command(
            "dd", ["if=\(outer)", "of=\(path.string)", "bs=1M", "seek=1", "conv=notrunc,sparse", "status=none"]
        ).output()
    }
}
