// SPDX-License-Identifier: GPL-3.0-or-later
import Testing

@testable import Suspend

@Suite("The lid")
struct LidTests {
    /// A lid and a screen; the lock needs a word to become what it is.
    private struct Laptop {
        var policy: LidPolicy
        var isClosed = false
        var isLocked = false
        var isOpened = false

        init(minutes: Int) { policy = LidPolicy("# a comment\nminutes=\(minutes)\n") }

        mutating func step(_ now: Double) -> LidPolicy.Step {
            let isOpened = isOpened
            return policy.step(isClosed: isClosed, isLocked: isLocked, isOpened: { isOpened }, now: now)
        }

        /// Closed and locked.
        mutating func close(_ now: Double) {
            isClosed = true
            #expect(step(now) == .lock)
            isLocked = true
            #expect(step(now) == .wait(2))
        }
    }

    @Test("closing the lid locks at once and switches off after the time; opening it in time keeps the session")
    func time() {
        var laptop = Laptop(minutes: 2)
        #expect(laptop.step(0) == .wait(nil))
        laptop.close(10)
        #expect(laptop.step(100) == .wait(2))
        laptop.isClosed = false
        #expect(laptop.step(110) == .wait(nil))
        // Still locked, and closed again.
        laptop.isClosed = true
        #expect(laptop.step(500) == .lock)
        #expect(laptop.step(619) == .wait(1))
        #expect(laptop.step(620) == .powerOff(.closedTooLong))
    }

    @Test("when the lock does not come up, the computer goes off after ten seconds, also when the lid is opened again")
    func noLock() {
        for opensAgain in [false, true] {
            var laptop = Laptop(minutes: 30)
            #expect(laptop.step(1) == .wait(nil))
            laptop.isClosed = true
            #expect(laptop.step(100) == .lock)
            #expect(laptop.step(100) == .wait(0.05))
            laptop.isClosed = !opensAgain
            // A lock that was never seen cannot have been opened.
            laptop.isOpened = true
            #expect(laptop.step(109.9) == .wait(0.05))
            #expect(laptop.step(110) == .powerOff(.notLocked))
        }
    }

    @Test("a computer that is started with its lid closed has a minute for the lock")
    func closedAtStart() {
        var laptop = Laptop(minutes: 30)
        laptop.isClosed = true
        #expect(laptop.step(5) == .lock)
        #expect(laptop.step(64) == .wait(0.05))
        #expect(laptop.step(65) == .powerOff(.notLocked))
    }

    @Test("a lock that comes up late is a lock")
    func lateLock() {
        var laptop = Laptop(minutes: 30)
        laptop.isClosed = true
        #expect(laptop.step(100) == .lock)
        laptop.isClosed = false
        #expect(laptop.step(105) == .wait(0.05))
        laptop.isLocked = true
        #expect(laptop.step(106) == .wait(nil))
        #expect(laptop.step(1000) == .wait(nil))
    }

    @Test("a lock that is lost without having been opened has ten seconds to come back")
    func lostLock() {
        for opensAgain in [false, true] {
            var laptop = Laptop(minutes: 30)
            #expect(laptop.step(1) == .wait(nil))
            laptop.close(100)
            laptop.isLocked = false
            #expect(laptop.step(200) == .wait(0.2))
            laptop.isLocked = true
            #expect(laptop.step(205) == .wait(2))
            laptop.isLocked = false
            laptop.isClosed = !opensAgain
            #expect(laptop.step(300) == .wait(0.2))
            #expect(laptop.step(309) == .wait(0.2))
            #expect(laptop.step(310) == .powerOff(.notLocked))
        }
    }

    @Test("who unlocks with the lid closed keeps the session; locked again, the time begins anew")
    func docked() {
        var laptop = Laptop(minutes: 30)
        laptop.close(100)
        (laptop.isLocked, laptop.isOpened) = (false, true)
        #expect(laptop.step(200) == .wait(2))
        #expect(laptop.step(100_000) == .wait(2))
        (laptop.isLocked, laptop.isOpened) = (true, false)
        #expect(laptop.step(100_002) == .wait(2))
        #expect(laptop.step(101_801) == .wait(1))
        #expect(laptop.step(101_802) == .powerOff(.closedTooLong))
        // Opened and closed, all is as at the start.
        laptop.isClosed = false
        #expect(laptop.step(101_803) == .wait(nil))
        laptop.isClosed = true
        #expect(laptop.step(101_804) == .lock)
    }

    @Test("with no time at all it goes off without waiting for the lock")
    func noTime() {
        var laptop = Laptop(minutes: 0)
        laptop.isClosed = true
        #expect(laptop.step(1) == .lock)
        #expect(laptop.step(1) == .powerOff(.closedTooLong))
    }

    @Test(
        "a time that makes no sense is half an hour",
        arguments: ["", "minutes=", "minutes=-1", "minutes=100000", "minutes=x", "min=3"])
    func minutes(text: String) { #expect(LidPolicy(text).minutes == 30) }

    @Test("a device that is no lid is left alone", arguments: ["", "../sda", "event", "eventx", "event999999"])
    func noLid(device: String) { #expect([0, 2].contains(LidWatch.run(device))) }
}
