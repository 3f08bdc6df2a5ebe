// SPDX-License-Identifier: GPL-3.0-or-later
import Linux

/// The program that waits in memory, from the first second of the system to the last: `/run/initramfs/emergency`.
public enum EmergencyProgram {
    /// Runs for ever, started by systemd as `needletail-emergency.service`.
    ///
    /// - Parameter wipe: overwrites free memory, when nothing else is left to do.
    public static func run(wipe: @escaping Wipe) -> Never {
        do throws(SystemCallFailure) {
            var watcher = try arm(wipe: wipe)
            // From here on nothing is allocated.
            if watcher.openKeyboards() == nil { _ = watcher.waitForEmergency() }
            // The boot stage erases by itself, in its own time, and ends this program like all others.
            while watcher.isErasing { LastCalls.pause(100) }
            RealWorld.act(watcher.shared)
        } catch {
            StandardError.line(Words.notArmed("\(error)"))
            Program.exit(1)
        }
    }

    /// Everything that is needed later, while memory and medium are there.
    private static func arm(
        wipe: @escaping Wipe
    ) throws(SystemCallFailure) -> Watcher {
        let shared = UnsafeMutablePointer<Shared>.allocate(capacity: 1)
        shared.initialize(to: Shared(wipe: wipe))
        let missing = LastCalls.openWhatIsNeeded()
        if missing > 0 { StandardError.line(Words.incomplete(missing)) }
        if LastCalls.pinProcessOne() <= 0 { StandardError.line(Words.notPinned) }

        var medium: MediumWatch?
        var statistics: Int32 = -1
        switch MediumState.read() {
        case .unknown(let reason): StandardError.line(Words.notWatched(reason))
        case .inMemory: StandardError.line(Words.inMemory)
        case .gone: try actAtOnce(shared)
        case .watch(let record):
            do throws(SystemCallFailure) {
                shared.pointee.medium = try LastCalls.openMedium(record.node)
            } catch {
                // The kernel still knows the drive, and nothing is in it.
                if [6, 19, 123].contains(error.number.rawValue) { try actAtOnce(shared) }  // ENXIO, ENODEV, ENOMEDIUM
                StandardError.line(Words.notWatched("\(error)"))
                break
            }
            medium = MediumWatch(devicePath: record.devicePath)
            shared.pointee.isDisc = record.isDisc
            shared.pointee.offset = record.offset
            statistics = (try? LastCalls.openForGood("/sys/block/\(record.name)/stat")) ?? -1
        }

        let keys = (try? File.text(PanicKeys.path)).flatMap { PanicKeys(parsing: $0) }
        if keys == nil { StandardError.line(Words.standardKeys) }
        let listener = UnixSocket.passed().first?.descriptor ?? -1
        if listener < 0 { StandardError.line(Words.noSocket) }

        let limit = (try? File.text(EndWatch.path)).flatMap { EndWatch.seconds(parsing: $0) } ?? EndWatch.standard
        let bell = try LastCalls.makeBell()
        let watcher = Watcher(
            shared: shared, medium: medium, keys: keys ?? .standard, events: try LastCalls.openEvents(),
            listener: listener, bell: bell, statistics: statistics, end: EndWatch(seconds: limit),
            manager: (try? LastCalls.openForGood("/proc/1/comm")) ?? -1,
            managerFiles: (try? LastCalls.openForGood("/proc/1/fd")) ?? -1,
            opening: (try? LastCalls.watchForOpening("/usr/lib/systemd/systemd-shutdown")) ?? -1,
            memory: (try? LastCalls.openForGood("/proc/meminfo")) ?? -1)
        try stayReady(shared)
        StandardError.line(medium == nil ? Words.armedWithoutMedium : Words.armed)
        return watcher
    }

    /// The medium was gone before this program could watch it.
    private static func actAtOnce(_ shared: UnsafeMutablePointer<Shared>) throws(SystemCallFailure) -> Never {
        LastCalls.say("the medium was gone before the start")
        try stayReady(shared)
        RealWorld.act(shared)
    }

    /// Threads, memory and priority for what may come.
    private static func stayReady(_ shared: UnsafeMutablePointer<Shared>) throws(SystemCallFailure) {
        try LastCalls.prepareCrew(Shared.crew, context: UnsafeMutableRawPointer(shared), run: work)
        try LastCalls.lockMemory()
        // Ordinary priority is better than no emergency at all.
        do throws(SystemCallFailure) { try LastCalls.makeUrgent() } catch { StandardError.line("\(error)") }
    }

    /// What the threads of the crew run.
    private static let work: @convention(c) (Int32, UnsafeMutableRawPointer?) -> Void = { member, context in
        guard let shared = context?.assumingMemoryBound(to: Shared.self) else { return }
        if member == Step.wipe.number {
            shared.pointee.wipe(shared.pointee.begin + Course.wiped)
        } else {
            shared.pointee.perform(member)
        }
    }
}

/// What is known of the medium when the program starts.
enum MediumState {
    case watch(MediumRecord)
    /// Everything was copied into memory.
    case inMemory
    /// It was pulled out before this program ran.
    case gone
    case unknown(String)

    /// Looks at the record and whether the kernel still knows the disk. `folder` is where `/run` and `/sys` are looked for, for tests.
    static func read(below folder: String = "") -> MediumState {
        let text: String
        do throws(SystemCallFailure) {
            text = try File.text(folder + MediumRecord.path)
        } catch { return .unknown("\(error)") }
        guard let record = MediumRecord(parsing: text) else { return .unknown("\(MediumRecord.path) is damaged") }
        if record.isInMemory { return .inMemory }
        return FileTree.exists("\(folder)/sys\(record.devicePath)") ? .watch(record) : .gone
    }
}
