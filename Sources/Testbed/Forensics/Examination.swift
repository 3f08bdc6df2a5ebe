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
/// let changed = try examination.changes()
/// ```
public struct Examination: Sendable {
    /// What is done.
    public struct Plan: Sendable {
        /// The image.
        public var image: FilePath
        /// The image of a stick, of which another copy is built in.
        public var otherCopy: FilePath
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
        /// How long the session goes on after it has left its traces.
        public var stay = Duration.zero
        /// Where pictures of the screen go from the beginning of the end, two a second, and a dump of memory in which something
        /// was left; `nil` for none.
        public var evidence: FilePath?

        /// A plan.
        ///
        /// - Parameters:
        ///   - image: The image.
        ///   - ending: How the session ends.
        ///   - otherCopy: The image of a stick of which another copy is built in; the image itself when `nil`.
        public init(image: FilePath, ending: Ending, otherCopy: FilePath? = nil) {
            self.image = image
            self.ending = ending
            self.otherCopy = otherCopy ?? image
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
        /// Bytes of the graphics memory that were not zero while the session ran; `nil` when nobody looked.
        public let litBefore: Int?
        /// Bytes of the graphics memory that are not zero after the end.
        public let litBytes: Int
        /// What the emergency program noted in the kernel's log, and milliseconds: "dark after (ms)": 212.
        public let emergencyLog: [String: Int]
        /// Variables of the firmware that are not as before.
        public let variables: [FirmwareVariables.Name]
        /// How often the hardware clock was set.
        public let clockChanges: Int

        /// Whether the emergency program noted that it could do all.
        public var isDoneInOrder: Bool {
            ["dark", "keys gone", "all ended", "wiped"].allSatisfy { emergencyLog["\($0) after (ms)"] != nil }
        }

        /// Milliseconds by the guest's own clock until it was dark, keys were gone and everything stood still.
        public var millisecondsToSafety: Int {
            ["frozen", "dark", "keys gone"].compactMap { emergencyLog["\($0) after (ms)"] }.max() ?? 0
        }

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
    /// The medium from which it starts: its own copy of the image.
    let boot: DiskSet.Disk
    /// Where dumps go.
    public let folder: FilePath
    let planter: Planter
    let stick: FilePath
    let label: String

    /// Makes disks and sticks.
    ///
    /// - Parameters:
    ///   - plan: What is done.
    ///   - folder: Where disks and dumps go: as much space as the machine has memory, and 700 MB.
    ///   - planter: The planter.
    /// - Returns: The examination, ready to be run once.
    /// - Throws: `CommandFailure` when a tool is missing or fails, `Errno`.
    public static func prepare(_ plan: Plan, in folder: FilePath, planter: Planter) async throws -> Examination {
        try FileManager.default.createDirectory(atPath: folder.string, withIntermediateDirectories: true)
        let disks = plan.hasDisks ? try await DiskSet(in: folder.appending("disks"), copyOf: plan.otherCopy) : nil
        let image = folder.appending("medium.img")
        _ = try await Command("cp", ["--sparse=always", "--reflink=auto", plan.image.string, image.string]).output()
        let boot = try DiskSet.Disk(Self.medium, image: image, as: plan.ending.attachment)
        let stick = folder.appending("stick.img")
        let label = String(Crop.makeMarker().prefix(16))
        try await Self.makeStick(at: stick, label: label)
        return Examination(
            plan: plan, disks: disks, boot: boot, folder: folder, planter: planter, stick: stick, label: label)
    }

    /// The trial in which it is run.
    public var trialPlan: Trial.Plan {
        var trial = Trial.Plan(
            image: boot.image, attachment: boot.attachment, firmware: plan.firmware, memory: plan.memory)
        trial.writes = .kept
        trial.translationCache = Self.translationCache
        trial.otherDrives = disks?.drives ?? []
        trial.reboots = false
        return trial
    }

    /// The machine on which it is run where no network is needed.
    public var description: MachineDescription {
        var description = MachineDescription(memory: plan.memory)
        description.firmware = plan.firmware
        var drive = boot.drive
        drive.bootOrder = 0
        description.drives = [drive] + (disks?.drives ?? [])
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
    /// - Returns: What was found. Disks are compared when the machine is gone: ``changes()``.
    /// - Throws: `MachineFailure`, `ShellFailure`, `ForensicsFailure`, `Errno`.
    public func run(
        on machine: Machine, trial: Trial? = nil, note: @escaping @Sendable (String) -> Void = { _ in }
    ) async throws -> Result {
        let shell = machine.shell
        try await expectingSession(on: machine) { try await shell.waitUntilReady() }
        let start = try await machine.kernelStart()
        let variables = try await machine.firmwareVariables()
        if disks != nil { note(try await tempt(shell)) }
        var artefacts = try await leaveTraces(in: shell, trial: trial)
        let places = try await mountStick(on: machine)
        artefacts += Artefact.diskKey(places.key)
        let crops = Crop.everyKind(records: plan.records, stick: places.stick, vault: places.vault)
        let planted = try await planter.plant(crops, in: shell)
        let count = planted.reduce(0) { $0 + $1.count }
        note("Planted \(count) records of \(planted.count) kinds")
        for one in planted where one.trouble != nil { note("Not all of \(one)") }
        guard count >= plan.records / 21 * 20 else {
            throw ForensicsFailure(
                .noPlanting, "Only \(count) of \(plan.records) records could be planted: \(planted)")
        }
        let search = try MemorySearch(crops: crops, artefacts: artefacts)
        if plan.stay > .zero {
            note("The session goes on for \(plan.stay)")
            try await Task.sleep(for: plan.stay)
        }
        let before = plan.looksBefore ? try await look(at: machine, search, "running") : nil
        if let before { note("While it runs: \(before)") }
        if !plan.ending.preparation.isEmpty { try await shell.output(plan.ending.preparation, timeout: .seconds(120)) }
        let end = try await end(machine)
        note("Ended after \(String(format: "%.1f", end.seconds)) s: \(end.reason)")
        let after = try await look(at: machine, search, "ended")
        note("After it: \(after)")
        if !after.found.isClean, plan.ending.kind != .crash { note("\(after.found)") }
        let later = try await machine.firmwareVariables()
        return Result(
            planted: planted, before: before?.found, after: after.found, secondsToDark: end.dark,
            secondsToEnd: end.seconds, reason: end.reason, litBefore: before?.lit, litBytes: after.lit,
            emergencyLog: after.emergencyLog,
            variables: variables.flatMap { first in later.map { first.changes(to: $0) } } ?? [],
            clockChanges: machine.clockChanges(after: start))
    }

    /// Reads all disks again, and the medium.
    ///
    /// - Returns: What is not as before.
    /// - Throws: `Errno` when an image cannot be read.
    public func changes() throws -> DiskSet.Changes { try DiskSet.Changes(on: (disks?.disks ?? []) + [boot]) }

    /// Tells a session that never was from one that went wrong, and takes a picture of its screen.
    private func expectingSession(on machine: Machine, _ body: () async throws -> Void) async throws {
        do {
            try await body()
        } catch let error where !(error is CancellationError) {
            if let folder = plan.evidence { _ = try? await machine.screenshot(to: folder.appending("no-start.png")) }
            throw ForensicsFailure(.noSession, "No session came to be: \(error)")
        }
    }

    /// What is seen in a dump.
    private struct Sight: CustomStringConvertible {
        let found: MemorySearch.Findings
        let lit: Int
        let emergencyLog: [String: Int]

        var description: String {
            let log = emergencyLog.sorted { ($0.value, $0.key) < ($1.value, $1.key) }.map { "; \($0.key) \($0.value)" }
            return "\(found.planted) found, and \(found.known) artefacts; \(lit) bytes of a picture" + log.joined()
        }
    }

    private func look(at machine: Machine, _ search: MemorySearch, _ name: String) async throws -> Sight {
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
        return Sight(found: found, lit: lit, emergencyLog: isRunning ? [:] : try dump.emergencyLog())
    }

    private func end(_ machine: Machine) async throws -> (seconds: Double, dark: Double?, reason: Machine.ExitReason) {
        let isEmergency = plan.ending.kind == .emergency
        if isEmergency, try await machine.isScreenDark() {
            throw ForensicsFailure(
                .noEnd, "The screen was black before the emergency began: that it is black then shows nothing.")
        }
        let start = try await plan.ending.begin(on: machine, medium: Self.medium)
        var dark: Double?
        var (pictures, strokes) = (0, 0)
        while machine.exitReason == nil, ContinuousClock.now - start < plan.ending.limit {
            if isEmergency, dark == nil, (try? await machine.isScreenDark()) == true {
                dark = (ContinuousClock.now - start) / .seconds(1)
            }
            let now = (ContinuousClock.now - start) / .seconds(1)
            if let folder = plan.evidence, now >= Double(pictures) / 2 {
                pictures += 1
                _ = try? await machine.screenshot(to: folder.appending(String(format: "%05.1f.png", now)))
            }
            if !plan.ending.keysMeanwhile.isEmpty, now >= Double(strokes) / 2 {
                strokes += 1
                _ = try? await machine.sendKeys(plan.ending.keysMeanwhile)
            }
            try await Task.sleep(for: .milliseconds(100))
        }
        guard let reason = machine.exitReason else {
            throw await machine.failure(
                .timedOut, "The session did not end by '\(plan.ending)' within \(plan.ending.limit).")
        }
        return ((ContinuousClock.now - start) / .seconds(1), dark, reason)
    }
}
