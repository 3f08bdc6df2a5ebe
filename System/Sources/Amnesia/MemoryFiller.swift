// SPDX-License-Identifier: GPL-3.0-or-later
import Linux

/// The children's side of ``MemoryWipe``.
struct MemoryFiller {
    static let squeezed = 0
    static let checked = 1
    static let wrong = 2
    static let late = 3
    static let granted = 4
    private static let first = 5
    private static let largest = 32 << 20
    /// A page of each of these is read back.
    private static let sample = 1 << 20

    let limits: MemoryWipe.Limits
    let deadline: Double
    let counters: SharedCounters

    /// Two for each child: bytes, and whether it has all it can get.
    static func counters(_ processors: Int) -> Int { first + 2 * processors }

    var written: UInt64 { (0..<limits.processors).reduce(0) { $0 + counters[Self.first + 2 * $1] } }

    func isFull(_ index: Int) -> Bool { counters[Self.first + 2 * index + 1] > 0 }

    var isLate: Bool { counters[Self.late] > 0 }

    /// Starts a child that takes its part and keeps it.
    func start(_ index: Int) throws(SystemCallFailure) -> Int32 {
        let child = try Processes.fork()
        guard child == 0 else { return child }
        try? Confinement.dieWithParent()
        // Not what this process has: it may be exempt. In doubt the kernel takes the largest, which is one of these.
        try? File.write("0\n", to: "/proc/self/oom_score_adj")
        limits.inChild()
        fill(index)
        counters.add(1, to: Self.first + 2 * index + 1)
        Program.hold()
    }

    /// Starts a child that takes what is left until it is ended.
    func startSqueezing() throws(SystemCallFailure) -> Int32 {
        let child = try Processes.fork()
        guard child == 0 else { return child }
        try? Confinement.dieWithParent()
        try? File.write("1000\n", to: "/proc/self/oom_score_adj")
        limits.inChild()
        // The last pages are had one by one.
        while Machine.uptime < deadline {
            guard let memory = Pages.take(256 << 10) else { break }
            Pages.fill(memory, MemoryWipe.byte)
            counters.add(UInt64(memory.count), to: Self.squeezed)
        }
        Program.exitAtOnce(0)
    }

    private func fill(_ index: Int) {
        var taken: [UnsafeMutableRawBufferPointer] = []
        // Room for the list is made now, while there is memory.
        taken.reserveCapacity(1 << 14)
        while let count = next() {
            guard Machine.uptime < deadline else {
                counters.add(1, to: Self.late)
                break
            }
            guard let memory = Pages.take(count) else { break }
            Pages.fill(memory, MemoryWipe.byte)
            counters.add(UInt64(count), to: Self.first + 2 * index)
            if taken.count < taken.capacity { taken.append(memory) }
        }
        check(taken, seed: index)
    }

    /// How much is taken next; the closer the end, the less, because the others take too.
    private func next() -> Int? {
        let free = limits.free()
        guard free > limits.floor else { return nil }
        let share = (free - limits.floor) / UInt64(2 * limits.processors)
        let wanted = Int(min(UInt64(Self.largest), max(share, 1 << 18))) & ~(Pages.size - 1)
        // The ceiling is for all together.
        counters.add(UInt64(wanted), to: Self.granted)
        return counters[Self.granted] > limits.ceiling ? nil : wanted
    }

    /// Reads a page here and there, long after it was written.
    private func check(_ taken: [UnsafeMutableRawBufferPointer], seed: Int) {
        // Not a secret: the places only have to lie everywhere. xorshift, see G. Marsaglia, 2003.
        var random = UInt64(truncatingIfNeeded: seed + 1) &* 0x9e37_79b9_7f4a_7c15
        for memory in taken {
            var offset = 0
            while offset < memory.count {
                if Machine.uptime > deadline { return }
                let stretch = min(Self.sample, memory.count - offset)
                random ^= random << 13
                random ^= random >> 7
                random ^= random << 17
                let page = offset + Int(random % UInt64(max(1, stretch / Pages.size))) * Pages.size
                let end = min(page + Pages.size, memory.count)
                counters.add(1, to: Self.checked)
                if !Pages.isFilled(UnsafeRawBufferPointer(rebasing: memory[page..<end]), MemoryWipe.byte) {
                    counters.add(1, to: Self.wrong)
                }
                offset += stretch
            }
        }
    }
}
