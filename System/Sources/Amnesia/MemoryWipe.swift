// SPDX-License-Identifier: GPL-3.0-or-later
import Linux

/// Overwrites all memory that nobody uses.
///
/// One child for each processor takes memory and writes to it until almost nothing is left, and keeps it, so that the kernel
/// cannot put anything into it again. A last child takes the rest until the kernel ends it: that reaches what the kernel holds
/// back for bad times, and gives it some room for switching off. Children can be ended by the kernel when memory runs out; this
/// process cannot.
public enum MemoryWipe {
    /// The byte that is written everywhere. In a dump of the memory it tells what was overwritten, as 0 would not.
    public static let byte: UInt8 = 0x55

    /// How far it goes.
    public struct Limits {
        /// The longest that it may take, in seconds. It stops a little earlier by itself.
        public var seconds: Double
        /// Children that write at the same time.
        public var processors: Int
        /// Bytes that stay free while several children write.
        public var floor: UInt64
        /// The most bytes that are taken altogether.
        public var ceiling: UInt64
        /// Whether a last child takes all that is left.
        public var isSqueezing: Bool
        /// Whether the kernel is told to hold back as little as it can. For the end of a session only.
        public var isTuning: Bool
        /// What each child does first; for tests.
        var inChild: () -> Void = {}
        /// Bytes that are free; for tests.
        var free: () -> UInt64 = { Machine.freeMemory }

        /// Limits for this computer.
        ///
        /// - Parameters:
        ///   - seconds: the longest that it may take; by default 10 and 5 for each GiB.
        ///   - processors: children that write at the same time.
        ///   - floor: bytes that stay free while several children write.
        ///   - ceiling: the most bytes that are taken altogether.
        ///   - isSqueezing: whether a last child takes all that is left.
        ///   - isTuning: whether the kernel is told to hold back as little as it can.
        public init(
            seconds: Double = 10 + 5 * Double(Machine.totalMemory >> 20) / 1024,
            processors: Int = Machine.processors, floor: UInt64 = 16 << 20, ceiling: UInt64 = .max,
            isSqueezing: Bool = true, isTuning: Bool = true
        ) {
            self.seconds = seconds
            self.processors = max(1, min(processors, 256))
            self.floor = floor
            self.ceiling = ceiling
            self.isSqueezing = isSqueezing
            self.isTuning = isTuning
        }
    }

    /// How far it is.
    public struct Progress: Hashable, Sendable {
        /// Bytes overwritten so far.
        public let written: UInt64
        /// Bytes that were free at the start.
        public let free: UInt64
        /// From 0 to 100.
        public var percent: Int { free == 0 ? 100 : min(100, Int(written / max(1, free / 100))) }
    }

    /// What was done.
    public struct Report: Hashable, Sendable {
        /// Bytes that were free at the start.
        public let free: UInt64
        /// Bytes overwritten, without what the last child took.
        public let written: UInt64
        /// Bytes that the last child took until there was nothing left.
        public let squeezed: UInt64
        /// Pages read back after all was written.
        public let checked: UInt64
        /// Pages of these that did not hold what was written.
        public let wrong: UInt64
        /// How long it took, in seconds.
        public let seconds: Double
        /// Whether it came to its end before the time was up and no child was lost for good.
        public let isComplete: Bool
        /// The children, which keep the memory. They end with this process.
        public let holders: [Int32]

        /// Gives the memory back. Not needed before switching off.
        public func release() {
            for holder in holders { Processes.kill(holder) }
            for holder in holders {
                let end = Machine.uptime + 10
                while Processes.ended(holder) == nil, Machine.uptime < end { Machine.sleep(0.01) }
            }
        }
    }

    /// Does it. Only from a process with a single thread, with no other children to wait for.
    ///
    /// - Parameters:
    ///   - limits: how far it goes.
    ///   - progress: called ten times a second.
    /// - Returns: what was done. It does not fail: what could not be had is told as not complete.
    public static func run(limits: Limits = Limits(), progress: (Progress) -> Void = { _ in }) -> Report {
        let start = Machine.uptime
        if limits.isTuning { MemoryTuning.apply() }
        let free = limits.free()
        let deadline = start + limits.seconds
        guard let counters = try? SharedCounters(MemoryFiller.counters(limits.processors)) else {
            return Report(
                free: free, written: 0, squeezed: 0, checked: 0, wrong: 0, seconds: Machine.uptime - start,
                isComplete: false, holders: [])
        }
        let filler = MemoryFiller(limits: limits, deadline: deadline, counters: counters)
        var run = Run(filler: filler)
        run.fill { progress(Progress(written: $0, free: free)) }
        if limits.isSqueezing {
            run.squeeze { progress(Progress(written: $0, free: free)) }
            // Whatever went wrong without anybody noticing: what was free was not written to.
            let all = filler.written + counters[MemoryFiller.squeezed]
            if free == 0 || all < min(free, limits.ceiling) / 10 * 9 { run.isComplete = false }
        }
        return Report(
            free: free, written: filler.written, squeezed: counters[MemoryFiller.squeezed],
            checked: counters[MemoryFiller.checked], wrong: counters[MemoryFiller.wrong],
            seconds: Machine.uptime - start, isComplete: run.isComplete, holders: run.holders)
    }

    /// Does it for a program that has to have ended at a certain moment, in an emergency.
    ///
    /// - Parameter moment: seconds of ``Machine/uptime``; it returns half a second earlier at the latest.
    /// - Returns: what was done.
    @discardableResult
    public static func run(until moment: Double) -> Report {
        // The parent notices a second late that a child hangs.
        run(limits: Limits(seconds: max(0.1, moment - Machine.uptime - 1.5)))
    }

    /// The parent's side.
    private struct Run {
        let filler: MemoryFiller
        var holders: [Int32] = []
        var isComplete = true

        /// Until every child has taken its part.
        mutating func fill(_ progress: (UInt64) -> Void) {
            var attempts = 0
            var working: [Int: Int32] = [:]
            func start(_ index: Int) {
                attempts += 1
                if let child = try? filler.start(index) { working[index] = child }
            }
            for index in 0..<filler.limits.processors { start(index) }
            if working.isEmpty { isComplete = false }
            while !working.isEmpty {
                Machine.sleep(0.05)
                progress(filler.written)
                for (index, child) in working {
                    if filler.isFull(index) {
                        working[index] = nil
                        holders.append(child)
                    } else if Processes.ended(child) != nil {
                        // The kernel took it: all that it had is free again, and is written anew.
                        working[index] = nil
                        if attempts < filler.limits.processors + 4, Machine.uptime < filler.deadline {
                            start(index)
                        } else {
                            isComplete = false
                        }
                    } else if Machine.uptime > filler.deadline + 1 {
                        // Still waiting for the kernel: its memory is written as far as it came.
                        working[index] = nil
                        holders.append(child)
                        isComplete = false
                    }
                }
            }
            if filler.isLate { isComplete = false }
        }

        /// Until the kernel ends the last child.
        mutating func squeeze(_ progress: (UInt64) -> Void) {
            guard let child = try? filler.startSqueezing() else {
                isComplete = false
                return
            }
            let end = min(filler.deadline + 1, Machine.uptime + 15)
            while Machine.uptime < end {
                if let end = Processes.ended(child) {
                    // Who ends by himself had no time left, or was refused before the kernel had no more.
                    if end.status != 128 + 9 { isComplete = false }  // SIGKILL
                    return
                }
                Machine.sleep(0.02)
                progress(filler.written)
            }
            Processes.kill(child)
            isComplete = false
        }
    }
}

/// Lets programs have nearly all memory. The kernel's Documentation/admin-guide/sysctl/vm.rst tells what each means.
enum MemoryTuning {
    static let settings = [
        ("overcommit_memory", "1"),
        // Who asks for too much is ended, and the kernel does not look for another.
        ("oom_kill_allocating_task", "1"), ("panic_on_oom", "0"), ("oom_dump_tasks", "0"),
        // What is held back for the kernel, for devices with short addresses, and for the administrator.
        ("watermark_scale_factor", "1"), ("watermark_boost_factor", "0"), ("min_free_kbytes", "1024"),
        ("lowmem_reserve_ratio", "0 0 0 0 0"), ("user_reserve_kbytes", "0"), ("admin_reserve_kbytes", "0"),
    ]

    static func apply() {
        for (name, value) in settings { try? File.write(value + "\n", to: "/proc/sys/vm/\(name)") }
    }
}
