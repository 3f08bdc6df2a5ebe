// SPDX-License-Identifier: GPL-3.0-or-later
import Linux
import Testing

@testable import Emergency

/// A message of the kernel, with its zeros.
func message(_ words: String...) -> [UInt8] { words.flatMap { Array($0.utf8) + [0] } }

private let stick = "/devices/pci0000:00/0000:00:14.0/usb2/2-1/2-1:1.0/host6/target6:0:0/6:0:0:0/block/sdb"

/// What the watch says to a message; `nil` when it is no message.
private func verdict(_ bytes: [UInt8], devicePath: String = stick) -> MediumWatch.Verdict? {
    bytes.withUnsafeBytes { buffer in
        DeviceEvent(buffer).map { MediumWatch(devicePath: devicePath).verdict($0) }
    }
}

/// A watch whose changes `#expect` can ask for.
private final class WatchUnderTest {
    private var watch = MediumWatch(devicePath: stick)
    func verdict(_ answer: MediumWatch.Answer) -> MediumWatch.Verdict { watch.verdict(answer) }
    func silent(now: Int64, answers: Int64) -> MediumWatch.Verdict { watch.silent(now: now, answers: answers) }
    func woke(now: Int64) { watch.woke(now: now) }
    func interval(now: Int64) -> Int32 { watch.interval(now: now) }
}

@Suite("The boot medium is missed when it is gone, and only then")
struct MediumWatchTests {
    @Test func `Pulling out the stick is noticed, by the disk, the drive or the socket`() {
        #expect(verdict(message("remove@\(stick)", "ACTION=remove", "SUBSYSTEM=block", "DEVTYPE=disk")) == .gone)
        for parent in [
            "/devices/pci0000:00/0000:00:14.0/usb2/2-1", "/devices/pci0000:00/0000:00:14.0/usb2/2-1/2-1:1.0/host6",
        ] {
            #expect(verdict(message("remove@\(parent)", "ACTION=remove", "SUBSYSTEM=usb")) == .gone)
        }
        #expect(verdict(message("offline@\(stick)", "SUBSYSTEM=block")) == .gone)
    }

    @Test func `Other devices, partitions and names that only begin alike are not the stick`() {
        for path in [
            "\(stick)/sdb3", "\(stick)c", String(stick.dropLast()), "/devices/pci0000:00/0000:00:14.0/usb2/2-1/2-1:1.1",
            "/devices/pci0000:00/0000:00:14.0/usb2/2-", "/devices/virtual/block/dm-3", "/",
        ] { #expect(verdict(message("remove@\(path)", "SUBSYSTEM=block")) != .gone, "\(path)") }
        for action in ["add", "change", "bind", "unbind", "move", "online", "removed", "REMOVE"] {
            #expect(verdict(message("\(action)@\(stick)", "SUBSYSTEM=block")) == .fine, "\(action)")
        }
    }

    @Test func `What somebody writes into a file of the kernel is no removal`() {
        #expect(verdict(message("remove@\(stick)", "ACTION=remove", "SUBSYSTEM=block", "SYNTH_UUID=0")) == .fine)
    }

    @Test func `The button of the DVD drive counts at once, a changed disc is looked at`() {
        let drive = "/devices/pci0000:00/0000:00:1f.2/ata1/host0/target0:0:0/0:0:0:0/block/sr0"
        func change(_ word: String, at path: String = drive) -> MediumWatch.Verdict? {
            verdict(message("change@\(path)", "SUBSYSTEM=block", word), devicePath: drive)
        }
        #expect(change("DISK_EJECT_REQUEST=1") == .gone)
        #expect(change("DISK_MEDIA_CHANGE=1") == .look)
        #expect(change("DISK_EJECT_REQUEST=1", at: drive.replacing("sr0", with: "sr1")) == .fine)
        #expect(change("DISK_EJECT_REQUEST=1", at: "/devices/pci0000:00") == .fine)
    }

    @Test func `Nothing that arrives harms: not empty, cut, endless or random messages`() {
        for bytes in [
            [], [0], message("@"), message("remove@"), message("remove@devices"), message("libudev"),
            Array("remove@/x".utf8),
        ] {
            _ = verdict(bytes)
        }
        let whole = message("remove@\(stick)", "SUBSYSTEM=block", "DEVNAME=input/event12", "DISK_EJECT_REQUEST=1")
        for length in 0...whole.count { _ = verdict(Array(whole.prefix(length))) }
        _ = verdict([UInt8](repeating: 0x40, count: 65_536))
        _ = verdict(message("add@/" + String(repeating: "x", count: 65_000)))
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<2000 {
            var bytes = whole
            for _ in 0..<8 { bytes[Int.random(in: 0..<bytes.count, using: &generator)] = .random(in: 0...255) }
            _ = verdict(bytes)
        }
    }

    @Test func `A keyboard that comes is known by its number`() {
        func number(_ name: String, _ action: String = "add", _ subsystem: String = "input") -> Int32? {
            message("\(action)@/devices/x/input/input9/event4", "SUBSYSTEM=\(subsystem)", "DEVNAME=\(name)")
                .withUnsafeBytes {
                    DeviceEvent($0).flatMap { $0.isNewKeyboard ? $0.keyboard : nil }
                }
        }
        #expect(number("input/event4") == 4)
        #expect(number("input/event63") == 63)
        for name in ["input/event", "input/event-1", "input/event4x", "input/event99999", "input/mouse0", "event4"] {
            #expect(number(name) == nil, "\(name)")
        }
        #expect(number("input/event4", "remove") == nil)
        #expect(number("input/event4", "add", "block") == nil)
    }

    @Test func `A stick that answers with an error is asked again, three times in less than a second`() {
        let watch = WatchUnderTest()
        #expect(watch.interval(now: 0) == 1000)
        #expect(watch.verdict(.failed(5)) == .look)
        #expect(watch.interval(now: 0) == 200)
        #expect(watch.verdict(.failed(5)) == .look)
        #expect(watch.verdict(.same) == .fine)
        #expect(watch.verdict(.failed(5)) == .look)
        #expect(watch.verdict(.failed(5)) == .look)
        #expect(watch.verdict(.failed(5)) == .gone)
    }

    @Test func `A device that does not exist any more, and another stick in its place, count at once`() {
        for number: Int32 in [6, 19, 108, 123] {
            let watch = WatchUnderTest()
            #expect(watch.verdict(.failed(number)) == .gone)
        }
        let watch = WatchUnderTest()
        #expect(watch.verdict(.different) == .gone)
    }

    @Test func `A slow stick is not a missing one, a bus that is dead for a minute is`() {
        let watch = WatchUnderTest()
        var now: Int64 = 5000
        // It writes, and answers somebody every half minute.
        for count in 0..<20 as Range<Int64> {
            now += 30_000
            #expect(watch.silent(now: now, answers: count) == .fine)
        }
        #expect(watch.silent(now: now + 59_999, answers: 19) == .fine)
        #expect(watch.silent(now: now + 60_000, answers: 19) == .gone)
        #expect(watch.silent(now: now, answers: -1) == .gone)
    }

    @Test func `After waking it is looked at five times a second, and silence is counted anew`() {
        let watch = WatchUnderTest()
        _ = watch.silent(now: 0, answers: 7)
        watch.woke(now: 70_000)
        #expect(watch.interval(now: 70_000) == 200)
        #expect(watch.interval(now: 80_001) == 1000)
        #expect(watch.silent(now: 70_000, answers: 7) == .fine)
    }

    @Test func `The record of the boot stage comes back as it was written, and nothing else is taken for one`() {
        let record = MediumRecord(name: "sdb", devicePath: stick, isDisc: false, offset: 1 << 30, isInMemory: false)
        #expect(MediumRecord(parsing: record.text) == record)
        let disc = MediumRecord(
            name: "sr0", devicePath: "/devices/x/block/sr0", isDisc: true, offset: 2048, isInMemory: true)
        #expect(MediumRecord(parsing: disc.text) == disc)
        for (from, to) in [
            ("name=sdb", "name=../sdb"), ("name=sdb", "name=sda"), ("name=sdb", "name="),
            ("path=/devices", "path=/virtual"),
            ("kind=disk", "kind=tape"), ("offset=1073741824", "offset=1"), ("offset=1073741824", "offset=-512"),
            ("memory=no", "memory="), ("memory=no\n", ""), ("kind=disk", "kind"),
        ] { #expect(MediumRecord(parsing: record.text.replacing(from, with: to)) == nil, "\(to)") }
        #expect(MediumRecord(parsing: "") == nil)
        #expect(MediumRecord(parsing: record.text + String(repeating: "x=y\n", count: 2000)) == nil)
    }
}
