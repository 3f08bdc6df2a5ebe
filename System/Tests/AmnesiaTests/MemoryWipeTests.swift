// SPDX-License-Identifier: GPL-3.0-or-later
import Linux
import Testing

@testable import Amnesia

extension EndTests {
    @Suite("Memory")
    struct MemoryTests {
        @Test("as much as is asked for is overwritten, kept, and found when it is read back")
        func ceiling() throws {
            var told: [UInt64] = []
            let report = MemoryWipe.run(
                limits: MemoryWipe.Limits(
                    seconds: 60, processors: 2, ceiling: 96 << 20, isSqueezing: false, isTuning: false)
            ) { told.append($0.written) }
            defer { report.release() }
            #expect(report.written > 32 << 20 && report.written <= 96 << 20, "\(report)")
            #expect(report.checked >= report.written >> 20)
            #expect(report.wrong == 0 && report.isComplete && report.squeezed == 0)
            #expect(told.last == report.written && told == told.sorted())
            #expect(report.holders.count == 2)
            var held = 0
            for holder in report.holders {
                let text = try File.text("/proc/\(holder)/statm").split(separator: " ").map { Int($0) ?? 0 }
                held += (text[1] - text[2]) * Pages.size
            }
            #expect(held >= Int(report.written), "\(held) bytes are held")
        }

        @Test("it stops when its time is up, and says that it was not all")
        func late() {
            let report = MemoryWipe.run(
                limits: MemoryWipe.Limits(
                    seconds: 0.01, processors: 1, ceiling: 4 << 30, isSqueezing: false, isTuning: false))
            defer { report.release() }
            #expect(!report.isComplete && report.written < 4 << 30, "\(report)")
        }

        @Test("a byte that is not what was written is found")
        func faulty() {
            var bytes = [UInt8](repeating: MemoryWipe.byte, count: Pages.size)
            bytes.withUnsafeBytes { #expect(Pages.isFilled($0, MemoryWipe.byte)) }
            for place in [0, 1, 2047, Pages.size - 1] {
                bytes[place] ^= 1
                bytes.withUnsafeBytes { #expect(!Pages.isFilled($0, MemoryWipe.byte), "\(place)") }
                bytes[place] ^= 1
            }
        }

        /// A memory of 128 MiB, which the kernel ends programs for as it does for the whole machine's.
        private static let group = "/sys/fs/cgroup/memory/needletail-wipe-test"
        private static let size: UInt64 = 128 << 20
        static var hasGroups: Bool { FileTree.exists("/sys/fs/cgroup/memory/memory.limit_in_bytes") }

        private func inSmallMemory(_ processors: Int, free: @escaping () -> UInt64) throws -> MemoryWipe.Report {
            try FileTree.makeDirectory(Self.group)
            try File.write("\(Self.size)", to: "\(Self.group)/memory.limit_in_bytes")
            var limits = MemoryWipe.Limits(seconds: 60, processors: processors, floor: 16 << 20, isTuning: false)
            limits.inChild = { try? File.write("0", to: "\(Self.group)/cgroup.procs") }
            limits.free = free
            return MemoryWipe.run(limits: limits)
        }

        private static func unused() -> UInt64 {
            let used = File.line("\(group)/memory.usage_in_bytes").flatMap { UInt64($0) } ?? size
            return size - min(size, used)
        }

        @Test(
            "nothing is left over: the last child goes on until the kernel ends it, and only that one",
            .enabled(if: hasGroups))
        func squeeze() throws {
            let report = try inSmallMemory(2, free: Self.unused)
            defer { report.release() }
            #expect(report.isComplete && report.wrong == 0, "\(report)")
            #expect(report.written >= Self.size - (24 << 20), "\(report)")
            #expect(report.squeezed >= 8 << 20, "\(report)")
            #expect(report.written + report.squeezed >= Self.size - (4 << 20), "\(report)")
            for holder in report.holders { #expect(Processes.ended(holder) == nil) }
        }

        @Test(
            "a child that the kernel ends is replaced; when that happens again and again it is told",
            .enabled(if: hasGroups))
        func ended() throws {
            // Nobody sees that there is no more, so all run into the wall.
            let report = try inSmallMemory(2, free: { 1 << 30 })
            defer { report.release() }
            #expect(!report.isComplete, "\(report)")
            #expect(report.seconds < 60)
        }
    }
}
