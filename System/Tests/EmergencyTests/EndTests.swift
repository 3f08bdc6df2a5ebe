// SPDX-License-Identifier: GPL-3.0-or-later
import CAllocations
import Linux
import Testing

@testable import Emergency

/// A watch whose changes `#expect` can ask for.
private final class EndUnderTest {
    private var watch: EndWatch
    init(_ seconds: Int64) { watch = EndWatch(seconds: seconds) }
    var isEnding: Bool { watch.isEnding }
    func begin(now: Int64) { watch.begin(now: now) }
    func wantsLook(now: Int64) -> Bool { watch.wantsLook(now: now) }
    func isOverdue(now: Int64, unwritten: Int64 = 0) -> Bool { watch.isOverdue(now: now, unwritten: unwritten) }
}

@Suite("A session that does not come to its end is ended")
struct EndTests {
    /// The descriptor of a file with a text, which has no name any more.
    private func opened(_ text: String) throws -> Int32 {
        let path = "/tmp/needletail-emergency-\(Program.identifier)-\(UInt32.random(in: 0...UInt32.max))"
        try File(path, .create(mode: 0o600)).write(Array(text.utf8))
        defer { try? FileTree.remove(path) }
        return try LastCalls.openForGood(path)
    }

    @Test func `As long as nobody ends the session, no time runs`() {
        let end = EndUnderTest(150)
        #expect(!end.isEnding)
        #expect(!end.wantsLook(now: 100_000_000))
    }

    @Test func `It has its time, counted from the first word, and not a second more`() {
        let end = EndUnderTest(150)
        end.begin(now: 1_000_000)
        end.begin(now: 1_100_000)
        #expect(end.isEnding)
        #expect(end.wantsLook(now: 1_000_000))
        #expect(!end.isOverdue(now: 1_000_000))
        #expect(!end.wantsLook(now: 1_004_999))
        #expect(end.wantsLook(now: 1_005_000))
        #expect(!end.isOverdue(now: 1_149_999))
        #expect(end.isOverdue(now: 1_150_000))
    }

    @Test func `A slow stick that still takes what is to be written has more time, but not for ever`() {
        let end = EndUnderTest(150)
        end.begin(now: 0)
        // 4 MiB less every 5 seconds.
        for turn in 0..<100 {
            #expect(!end.isOverdue(now: Int64(turn) * 5000, unwritten: 1_000_000 - Int64(turn) * 4096))
        }
        // Nothing more is written: the patience runs from the last time on, at 495 s.
        #expect(!end.isOverdue(now: 524_999, unwritten: 594_496))
        #expect(end.isOverdue(now: 525_000, unwritten: 594_496))

        let slow = EndUnderTest(150)
        slow.begin(now: 0)
        for turn in 0..<180 {
            #expect(!slow.isOverdue(now: Int64(turn) * 5000, unwritten: 1_000_000 - Int64(turn)))
        }
        #expect(slow.isOverdue(now: 900_000, unwritten: 100))
    }

    @Test func `What waits for a file system that does not answer holds nothing off`() {
        let end = EndUnderTest(150)
        end.begin(now: 0)
        for turn in 0..<30 { #expect(!end.isOverdue(now: Int64(turn) * 5000, unwritten: 4096)) }
        #expect(end.isOverdue(now: 150_000, unwritten: 4096))
        // Nor does more to be written, or what the kernel does not tell.
        #expect(end.isOverdue(now: 155_000, unwritten: 8192))
        #expect(end.isOverdue(now: 160_000, unwritten: -1))
    }

    @Test(
        arguments: [
            ("150\n", 150), ("# Seconds\n150\n", 150), ("\n10# as few as can be\n", 10), ("60 # a minute\n", 60),
            ("900", 900), ("9", nil), ("901", nil), ("-20", nil), ("150 s", nil), ("150\n160\n", nil), ("", nil),
            ("#\n", nil),
            (String(repeating: "1", count: 4000), nil), ("#" + String(repeating: "x", count: 4096) + "\n20\n", nil),
        ] as [(String, Int64?)])
    func `The file's seconds are read, and nothing else is taken for them`(text: String, seconds: Int64?) {
        #expect(EndWatch.seconds(parsing: text) == seconds)
    }

    @Test func `The kernel's own words are read: process 1 and what is to be written`() throws {
        let manager = try LastCalls.openForGood("/proc/1/comm")
        defer { LastCalls.close(manager) }
        #expect(!LastCalls.isLastManager(manager))
        let memory = try LastCalls.openForGood("/proc/meminfo")
        defer { LastCalls.close(memory) }
        #expect(LastCalls.unwritten(memory) >= 0)
        #expect(LastCalls.unwritten(-1) == -1)
        #expect(!LastCalls.isLastManager(-1))
    }

    @Test(
        arguments: [
            ("MemTotal: 100 kB\nDirty:       12 kB\nWriteback:     3 kB\nWritebackTmp: 500 kB\n", 15),
            ("Dirty: 7 kB\nWriteback: 0 kB\n", 7), ("Dirty: 7 kB\n", -1), ("NotDirty: 7 kB\nWriteback: 1 kB\n", -1),
            ("Dirty: x kB\nWriteback: 1 kB\n", -1), ("Dirty:", -1), ("", -1),
        ] as [(String, Int64)])
    func `What is to be written is found among the rest`(text: String, unwritten: Int64) throws {
        let file = try opened(text)
        defer { LastCalls.close(file) }
        #expect(LastCalls.unwritten(file) == unwritten)
    }

    @Test(arguments: [("systemd-shutdow\n", true), ("systemd\n", false), ("systemd-shutdown\n", false), ("", false)])
    func `Process 1 is known by its name when systemd has given way`(name: String, expected: Bool) throws {
        let file = try opened(name)
        defer { LastCalls.close(file) }
        #expect(LastCalls.isLastManager(file) == expected)
        #expect(!LastCalls.isErasing(file))
    }

    @Test func `The boot stage's own program is known by its name, too`() throws {
        let file = try opened("shutdown\n")
        defer { LastCalls.close(file) }
        #expect(LastCalls.isErasing(file) && !LastCalls.isLastManager(file))
        #expect(!LastCalls.isErasing(-1))
    }

    @Test func `When process 1 is at its end for too long, it begins by itself, and allocates nothing`() throws {
        let manager = try opened("systemd-shutdow\n")
        defer { LastCalls.close(manager) }
        let shared = UnsafeMutablePointer<Shared>.allocate(capacity: 1)
        shared.initialize(to: Shared(wipe: { _ in }))
        var watcher = Watcher(
            shared: shared, medium: nil, keys: .standard, events: -1, listener: -1, bell: try LastCalls.makeBell(),
            statistics: -1, end: EndWatch(seconds: 10), manager: manager)
        let start = LastCalls.now()
        let before = allocations_of_thread()
        let reason = watcher.waitForEmergency()
        let after = allocations_of_thread()
        #expect(after == before)
        #expect(reason == .endless)
        #expect(LastCalls.now() - start >= 10_000)
    }
}
