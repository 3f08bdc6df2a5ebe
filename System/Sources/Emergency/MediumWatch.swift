// SPDX-License-Identifier: GPL-3.0-or-later

/// Decides whether the boot medium is gone, from what the kernel says and from how the medium answers. Nothing is allocated after
/// ``init(devicePath:)``.
///
/// A wrong alarm costs the user's work and a missed one perhaps more, so: what is certain counts at once, an error only when it
/// comes back, and silence only when the disk answers nobody for a long time (a cheap stick that writes can be silent for many
/// seconds; a read that fails takes the kernel 30 s and a reset of the bus).
struct MediumWatch {
    enum Verdict { case fine, look, gone }

    /// How an attempt to read ended.
    enum Answer {
        /// What was there at the start is still there.
        case same
        /// Something else is there: another stick in the same socket.
        case different
        /// An error number.
        case failed(Int32)
    }

    /// Errors in a row until the medium counts as gone.
    static var errorLimit: Int { @_noAllocation get { 3 } }
    /// Milliseconds without any answer until it counts as gone.
    static var silenceLimit: Int64 { @_noAllocation get { 60_000 } }
    /// Milliseconds between two reads when all is well.
    static var calmInterval: Int32 { @_noAllocation get { 1000 } }
    /// Milliseconds between two reads after an error, and for a while after waking.
    static var alertInterval: Int32 { @_noAllocation get { 200 } }
    /// Milliseconds after waking in which the medium is looked at more often.
    static var alertTime: Int64 { @_noAllocation get { 10_000 } }

    private let devicePath: UnsafeRawBufferPointer
    private var errors = 0
    private var alertUntil: Int64 = 0
    private var silentSince: Int64 = -1
    private var answersThen: Int64 = -1

    /// - Parameter devicePath: the whole disk's directory below `/sys`. The copy is kept for ever.
    init(devicePath: String) {
        let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: devicePath.utf8.count, alignment: 1)
        copy.copyBytes(from: devicePath.utf8)
        self.devicePath = UnsafeRawBufferPointer(copy)
    }

    /// What an event means. Partitions come and go while the medium stays, so only the disk itself and what it is plugged into count.
    @_noAllocation func verdict(_ event: DeviceEvent) -> Verdict {
        guard !event.isSynthetic else { return .fine }
        switch event.action {
        case .remove, .offline: return isDiskOrAbove(event.path) ? .gone : .fine
        case .change:
            guard event.path.count == devicePath.count, isDiskOrAbove(event.path) else { return .fine }
            // The button of the drive: the disc comes out in a moment, and the user wants it to.
            return event.isEjectRequest ? .gone : event.isMediaChange ? .look : .fine
        case .add, .other: return .fine
        }
    }

    /// What an answer means.
    @_noAllocation mutating func verdict(_ answer: Answer) -> Verdict {
        silentSince = -1
        switch answer {
        case .same:
            errors = 0
            return .fine
        case .different: return .gone
        case .failed(let number):
            // ENXIO, ENODEV, ESHUTDOWN, ENOMEDIUM: there is nothing any more.
            if number == 6 || number == 19 || number == 108 || number == 123 { return .gone }
            errors += 1
            return errors >= Self.errorLimit ? .gone : .look
        }
    }

    /// What it means that a read has not ended yet. `answers` is how many requests of anybody the disk has answered; -1 when the kernel
    /// does not know the disk any more.
    @_noAllocation mutating func silent(now: Int64, answers: Int64) -> Verdict {
        if answers < 0 { return .gone }
        if silentSince < 0 || answers != answersThen {
            silentSince = now
            answersThen = answers
        }
        return now - silentSince >= Self.silenceLimit ? .gone : .fine
    }

    /// The computer has slept.
    @_noAllocation mutating func woke(now: Int64) {
        alertUntil = now + Self.alertTime
        silentSince = -1
    }

    /// Milliseconds until the next read.
    @_noAllocation func interval(now: Int64) -> Int32 {
        errors > 0 || now < alertUntil ? Self.alertInterval : Self.calmInterval
    }

    /// Whether a path is the disk's or a part of it from the left, up to a slash.
    @_noAllocation private func isDiskOrAbove(_ path: UnsafeRawBufferPointer) -> Bool {
        guard path.count <= devicePath.count else { return false }
        var index = 0
        while index < path.count {
            if path[index] != devicePath[index] { return false }
            index += 1
        }
        return path.count == devicePath.count || devicePath[path.count] == 0x2f
    }
}
