// SPDX-License-Identifier: GPL-3.0-or-later
import Linux

/// One thing that is done in an emergency; each has a thread of its own that waits for it from the start.
enum Step: CaseIterable {
    /// The light of panels off: dark at once, whoever has the screen.
    case lights
    /// Radios off, interfaces down.
    case network
    /// Keys of encrypted devices wiped, nothing more written to them.
    case keys
    /// Everything frozen, process 1 too.
    case freeze
    /// Everything killed but process 1, which cannot be.
    case kill
    /// The dead buried: until then they keep their registers and names.
    case reap
    /// An empty console on the screen.
    case dark
    /// File systems in memory given back.
    case detach
    /// Disks that do not answer taken away.
    case cut
    /// The page cache emptied.
    case drop
    /// Free memory overwritten.
    case wipe
    /// Off when the time is up, whatever the others do.
    case watchdog

    /// The number of its thread.
    var number: Int32 {
        @_noAllocation get {
            switch self {
            case .lights: 0
            case .network: 1
            case .keys: 2
            case .freeze: 3
            case .kill: 4
            case .reap: 5
            case .dark: 6
            case .detach: 7
            case .cut: 8
            case .drop: 9
            case .wipe: 10
            case .watchdog: 11
            }
        }
    }

    /// The step of a thread.
    @_noAllocation static func numbered(_ number: Int32) -> Step? {
        switch number {
        case 0: .lights
        case 1: .network
        case 2: .keys
        case 3: .freeze
        case 4: .kill
        case 5: .reap
        case 6: .dark
        case 7: .detach
        case 8: .cut
        case 9: .drop
        case 10: .wipe
        case 11: .watchdog
        default: nil
        }
    }
}

/// What the course of an emergency needs of the world.
protocol World {
    /// Milliseconds.
    func now() -> Int64
    /// Begins a step in its thread; nothing happens when it is still at work.
    mutating func start(_ step: Step)
    /// Waits until a step has ended, at most until a time. True when it has ended.
    mutating func wait(_ step: Step, until: Int64) -> Bool
    /// What a step returned: negative when it has failed.
    func result(_ step: Step) -> Int32
    /// Writes a line into the kernel's log.
    func say(_ text: StaticString, _ number: Int64)
    /// Off.
    mutating func end()
}

/// The order of things in an emergency and their times, in milliseconds after its start. No step waits for one that hangs.
enum Course {
    /// Dark, keys gone, everything frozen.
    static var first: Int64 { @_noAllocation get { 1900 } }
    /// Everything killed.
    static var killed: Int64 { @_noAllocation get { 2600 } }
    /// The dead buried by process 1.
    static var reaped: Int64 { @_noAllocation get { 5000 } }
    /// File systems given back; when that hangs, disks are taken away and it has a second chance.
    static var detached: Int64 { @_noAllocation get { 7000 } }
    static var detachedAfterCut: Int64 { @_noAllocation get { 8200 } }
    /// Caches empty.
    static var dropped: Int64 { @_noAllocation get { 9500 } }
    /// Memory overwritten.
    static var wiped: Int64 { @_noAllocation get { 18_500 } }
    /// Frame buffers empty.
    static var cleared: Int64 { @_noAllocation get { 19_000 } }
    /// Off. The watchdog's time.
    static var off: Int64 { @_noAllocation get { 20_000 } }

    static func run<W: World>(_ world: inout W) {
        let begin = world.now()
        world.start(.watchdog)
        // At the same time: none of them may wait for another. Who reads the disk fails on its keys, who is seen is dark.
        world.start(.keys)
        world.start(.lights)
        world.start(.network)
        world.start(.freeze)
        // A frozen process starts no other; one that could not be frozen is stopped by the killing.
        let isFrozen = world.wait(.freeze, until: begin + 400) && world.result(.freeze) > 0
        let frozen = world.now() - begin
        world.say(isFrozen ? "frozen after (ms)" : "not frozen after (ms)", frozen)
        // A compositor holds the screen as long as it lives.
        world.start(.kill)
        var isDark = false
        while !isDark, world.now() - begin < first {
            world.start(.dark)
            let isOver = world.wait(.dark, until: min(world.now() + 400, begin + first))
            isDark = isOver && world.result(.dark) == 0
            if isOver, !isDark { _ = world.wait(.kill, until: world.now() + 20) }
        }
        let dark = world.now() - begin
        world.say(isDark ? "dark after (ms)" : "not dark after (ms)", dark)
        var areKeysGone = world.wait(.keys, until: begin + first) && world.result(.keys) >= 0
        let keysGone = world.now() - begin
        world.say(areKeysGone ? "keys gone after (ms)" : "keys not gone after (ms)", keysGone)

        _ = world.wait(.kill, until: begin + killed)
        world.start(.reap)
        let isReaped = world.wait(.reap, until: begin + reaped) && world.result(.reap) == 0
        let reaped = world.now() - begin
        world.say(isReaped ? "all ended after (ms)" : "not all ended after (ms)", reaped)
        world.start(.detach)
        if !world.wait(.detach, until: begin + detached) {
            world.start(.cut)
            _ = world.wait(.cut, until: begin + detached + 500)
            _ = world.wait(.detach, until: begin + detachedAfterCut)
        }
        if !areKeysGone {
            // What kept the device busy is dead by now.
            world.start(.keys)
            areKeysGone = world.wait(.keys, until: begin + detachedAfterCut) && world.result(.keys) >= 0
        }
        world.start(.drop)
        _ = world.wait(.drop, until: begin + dropped)
        world.say("memory given back after (ms)", world.now() - begin)
        world.start(.wipe)
        let isWiped = world.wait(.wipe, until: begin + wiped)
        world.say(isWiped ? "wiped after (ms)" : "not wiped after (ms)", world.now() - begin)
        // Wiping has overwritten the kernel's log. These words are of no session.
        world.say(isFrozen ? "frozen after (ms)" : "not frozen after (ms)", frozen)
        world.say(isDark ? "dark after (ms)" : "not dark after (ms)", dark)
        world.say(areKeysGone ? "keys gone after (ms)" : "keys not gone after (ms)", keysGone)
        world.say(isReaped ? "all ended after (ms)" : "not all ended after (ms)", reaped)
        world.start(.dark)
        _ = world.wait(.dark, until: min(world.now() + 500, begin + cleared))
        world.end()
    }
}

/// The computer. In this file, because the compiler checks what a function may do only as far as it sees.
struct RealWorld: World {
    let shared: UnsafeMutablePointer<Shared>

    /// The emergency, without a way back.
    @_noAllocation static func act(_ shared: UnsafeMutablePointer<Shared>) -> Never {
        LastCalls.begin()
        shared.pointee.begin = LastCalls.now()
        var world = RealWorld(shared: shared)
        Course.run(&world)
        // Where reboot(2) has come back, the watchdog is still there.
        while true { LastCalls.pause(1000) }
    }

    @_noAllocation func now() -> Int64 { LastCalls.now() }
    @_noAllocation mutating func start(_ step: Step) { LastCalls.start(step.number) }
    @_noAllocation mutating func wait(_ step: Step, until: Int64) -> Bool { LastCalls.wait(step.number, until: until) }
    @_noAllocation func result(_ step: Step) -> Int32 { shared.pointee.results[Int(step.number)] }
    @_noAllocation func say(_ text: StaticString, _ number: Int64) { LastCalls.say(text, number) }
    @_noAllocation mutating func end() { LastCalls.end() }
}
