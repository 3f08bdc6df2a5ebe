// SPDX-License-Identifier: GPL-3.0-or-later
import Testing

@testable import Emergency

/// A world in which each step takes as long as a test says; time passes only by waiting.
private struct FakeWorld: World {
    var time: Int64 = 1_000_000
    var durations: [Step: Int64] = [:]
    var results: [Step: Int32] = [:]
    /// When a step that was begun will end.
    var ends: [Step: Int64] = [:]
    var story: [(step: Step, at: Int64)] = []
    var endedAt: Int64?

    static let hangs = Int64.max / 2

    func now() -> Int64 { time }
    mutating func start(_ step: Step) {
        if let end = ends[step], end > time { return }
        ends[step] = time + (durations[step] ?? 10)
        story.append((step, time - 1_000_000))
    }
    mutating func wait(_ step: Step, until: Int64) -> Bool {
        guard let end = ends[step] else { return true }
        if end <= time { return true }
        if end <= until {
            time = end
            return true
        }
        time = max(time, until)
        return false
    }
    func result(_ step: Step) -> Int32 {
        // While it is at work there is no result yet.
        (ends[step] ?? .max) <= time ? results[step] ?? (step == .freeze ? 1 : 0) : -1
    }
    func say(_ text: StaticString, _ number: Int64) {}
    mutating func end() { if endedAt == nil { endedAt = time - 1_000_000 } }

    func begun(_ step: Step) -> Int64? { story.first { $0.step == step }?.at }
}

@Suite("An emergency does everything in its order and never waits for what hangs")
struct CourseTests {
    private func course(_ durations: [Step: Int64] = [:], results: [Step: Int32] = [:]) -> FakeWorld {
        var world = FakeWorld(durations: durations, results: results)
        Course.run(&world)
        return world
    }

    @Test func `The watchdog is first, then keys, lights, network and freezing at the same moment`() {
        let world = course()
        #expect(world.story.first?.step == .watchdog)
        #expect(world.story.prefix(5).map(\.step) == [.watchdog, .keys, .lights, .network, .freeze])
        #expect(world.story.prefix(5).allSatisfy { $0.at == 0 })
    }

    @Test func `Then killing, darkness, memory, caches, the wipe, darkness again and off`() {
        let world = course()
        #expect(world.story.dropFirst(5).map(\.step) == [.kill, .dark, .reap, .detach, .drop, .wipe, .dark])
        #expect(world.endedAt != nil)
    }

    @Test func `Whatever hangs, everything is begun, and the end comes within 20 seconds`() {
        for step in Step.allCases {
            let world = course([step: FakeWorld.hangs])
            for needed in [Step.keys, .lights, .network, .freeze, .kill, .dark, .reap, .detach, .drop, .wipe] {
                #expect(world.begun(needed) != nil, "\(needed) when \(step) hangs")
            }
            #expect(world.endedAt.map { $0 < Course.off } == true, "\(step)")
        }
    }

    @Test func `Also when all of it hangs`() {
        let world = course(Dictionary(uniqueKeysWithValues: Step.allCases.map { ($0, FakeWorld.hangs) }))
        #expect(Set(world.story.map(\.step)).isSuperset(of: [.keys, .kill, .dark, .detach, .cut, .drop, .wipe]))
        #expect(world.endedAt.map { $0 <= Course.cleared } == true)
    }

    @Test func `Killing and the first darkness begin within half a second, whatever hangs`() {
        for step in Step.allCases {
            let world = course([step: FakeWorld.hangs])
            #expect((world.begun(.kill) ?? .max) <= 400, "\(step)")
            #expect((world.begun(.dark) ?? .max) <= 400, "\(step)")
        }
    }

    @Test func `A compositor that holds the screen is tried again until it is dead`() {
        var world = FakeWorld(durations: [.kill: 300, .dark: 50], results: [.dark: -1])
        Course.run(&world)
        #expect(world.story.filter { $0.step == .dark && $0.at < 2000 }.count > 5)
    }

    @Test func `Disks are taken away only when giving memory back hangs`() {
        #expect(course().begun(.cut) == nil)
        #expect(course([.detach: FakeWorld.hangs]).begun(.cut) == Course.detached)
    }

    @Test func `Keys that could not be wiped are tried again when everything is dead`() {
        let world = course(results: [.keys: -1])
        #expect(world.story.filter { $0.step == .keys }.count == 2)
        #expect(course().story.filter { $0.step == .keys }.count == 1)
    }

    @Test func `The wipe has ten seconds even when all before it took the longest`() {
        let slow = Dictionary(
            uniqueKeysWithValues: Step.allCases.filter { $0 != .wipe && $0 != .watchdog }.map { ($0, FakeWorld.hangs) })
        let begin = course(slow).begun(.wipe) ?? .max
        #expect(Course.wiped - begin >= 9000)
    }

    @Test func `Each step has a thread of its own`() {
        let numbers = Step.allCases.map(\.number)
        #expect(Set(numbers).count == Step.allCases.count)
        #expect(numbers.allSatisfy { $0 >= 0 && $0 < Shared.reader })
        for step in Step.allCases { #expect(Step.numbered(step.number) == step) }
        #expect(Step.numbered(Shared.reader) == nil)
        #expect(Step.numbered(-1) == nil)
    }
}
