// SPDX-License-Identifier: GPL-3.0-or-later
import Linux

/// Overwrites free memory until a time in milliseconds of `CLOCK_MONOTONIC`, in a thread of its own. `@Sendable`, because a closure
/// of a main.swift would otherwise belong to the main thread and trap in any other.
public typealias Wipe = @convention(c) @Sendable (_ until: Int64) -> Void

/// What the threads of the crew share, at a place that never moves. Each field is written by one thread only.
struct Shared {
    /// What each step returned.
    let results: UnsafeMutablePointer<Int32>
    /// When the emergency began.
    var begin: Int64 = 0
    /// Overwrites free memory. Not held to allocate nothing: it runs when everything else has given its memory back.
    let wipe: Wipe

    /// The boot medium: its descriptor, and the place on it that is read.
    var medium: Int32 = -1
    var isDisc = false
    var offset: UInt64 = 0
    /// What was there at the start, and what was there last.
    let reference: UnsafeMutableRawPointer
    let block: UnsafeMutableRawPointer
    var hasReference = false
    /// How the last read ended: 0, an error number, or ``Shared/different``.
    var answer: Int32 = 0

    static var different: Int32 { @_noAllocation get { -2 } }
    /// The thread that reads the medium, after those of the steps.
    static var reader: Int32 { @_noAllocation get { 12 } }
    static var crew: Int32 { @_noAllocation get { 13 } }

    init(wipe: @escaping Wipe) {
        results = .allocate(capacity: Int(Self.crew))
        results.initialize(repeating: -1, count: Int(Self.crew))
        reference = .allocate(byteCount: 4096, alignment: 4096)
        block = .allocate(byteCount: 4096, alignment: 4096)
        reference.initializeMemory(as: UInt8.self, repeating: 0, count: 4096)
        block.initializeMemory(as: UInt8.self, repeating: 0, count: 4096)
        self.wipe = wipe
    }

    /// Looks at the medium.
    @_noAllocation mutating func look() {
        if isDisc {
            answer = LastCalls.isEjected(medium) ? 123 : 0  // ENOMEDIUM
            return
        }
        answer = LastCalls.read(medium, at: offset, into: block)
        guard answer == 0 else { return }
        if !hasReference {
            reference.copyMemory(from: block, byteCount: 4096)
            hasReference = true
        }
        var index = 0
        while index < 4096 {
            let now = block.load(fromByteOffset: index, as: UInt64.self)
            if now != reference.load(fromByteOffset: index, as: UInt64.self) {
                answer = Self.different
                return
            }
            index += 8
        }
    }

    /// Does a step, in its thread.
    @_noAllocation mutating func perform(_ member: Int32) {
        if member == Self.reader {
            look()
            return
        }
        guard let step = Step.numbered(member) else { return }
        let index = Int(member)
        switch step {
        case .lights: results[index] = LastCalls.switchLightsOff()
        case .network: results[index] = LastCalls.takeNetworkDown()
        case .keys: results[index] = LastCalls.wipeKeys()
        case .freeze: results[index] = LastCalls.freeze()
        case .kill: results[index] = killAll()
        case .reap:
            let rest = begin + Course.reaped - 200 - LastCalls.now()
            results[index] = LastCalls.reap(milliseconds: rest > 0 ? rest : 0)
        case .dark: results[index] = LastCalls.darken()
        case .detach: results[index] = LastCalls.detach()
        case .cut: results[index] = LastCalls.cutDisks()
        case .drop: results[index] = LastCalls.dropCaches()
        case .wipe: break
        case .watchdog:
            while LastCalls.now() < begin + Course.off { LastCalls.pause(50) }
            LastCalls.end()
        }
    }

    /// Until nothing is left; who waits for a dead disk may never go.
    @_noAllocation private func killAll() -> Int32 {
        if results[Int(Step.freeze.number)] <= 0 { LastCalls.stop() }
        LastCalls.kill()
        while true {
            let living = LastCalls.living()
            if living == 0 || LastCalls.now() > begin + Course.killed { return living }
            // Looking through /proc takes the processor from those that are dying.
            LastCalls.pause(50)
            // Process 1, when it is not frozen, may have started another.
            LastCalls.kill()
        }
    }
}
