// SPDX-License-Identifier: GPL-3.0-or-later

/// One of the kernel's messages about devices, read in place: nothing is allocated. (`BootStage.Uevent` is the same in comfort.)
///
/// A message is `ACTION@/devices/…`, then words `KEY=value`, with a zero after each.
struct DeviceEvent {
    enum Action { case add, remove, change, offline, other }
    enum Subsystem { case block, input, other }

    private(set) var action = Action.other
    private(set) var subsystem = Subsystem.other
    /// The device's directory below `/sys`, a part of the message.
    private(set) var path: UnsafeRawBufferPointer
    /// Somebody wrote to a file `uevent`: nothing has happened to the device.
    private(set) var isSynthetic = false
    /// Somebody pressed the button of a drive.
    private(set) var isEjectRequest = false
    /// A drive has another disc, or none.
    private(set) var isMediaChange = false
    /// N of `/dev/input/eventN`; -1 for other devices.
    private(set) var keyboard: Int32 = -1

    /// Whether ``keyboard`` has come.
    var isNewKeyboard: Bool {
        @_noAllocation get {
            guard case .input = subsystem, case .add = action else { return false }
            return keyboard >= 0
        }
    }

    /// Reads a message; `nil` when it is not one of the kernel's.
    @_noAllocation init?(_ message: UnsafeRawBufferPointer) {
        var at = 0
        while at < message.count, message[at] != 0x40, message[at] != 0 { at += 1 }
        guard at > 0, at < message.count, message[at] == 0x40 else { return nil }
        var end = at + 1
        while end < message.count, message[end] != 0 { end += 1 }
        path = UnsafeRawBufferPointer(rebasing: message[(at + 1)..<end])
        guard path.count > 1, path[0] == 0x2f else { return nil }
        let word = UnsafeRawBufferPointer(rebasing: message[0..<at])
        if Self.equals(word, "remove") {
            action = .remove
        } else if Self.equals(word, "add") {
            action = .add
        } else if Self.equals(word, "change") {
            action = .change
        } else if Self.equals(word, "offline") {
            action = .offline
        }
        var start = end + 1
        while start < message.count {
            end = start
            while end < message.count, message[end] != 0 { end += 1 }
            take(UnsafeRawBufferPointer(rebasing: message[start..<end]))
            start = end + 1
        }
    }

    @_noAllocation private mutating func take(_ word: UnsafeRawBufferPointer) {
        if Self.equals(word, "SUBSYSTEM=block") {
            subsystem = .block
        } else if Self.equals(word, "SUBSYSTEM=input") {
            subsystem = .input
        } else if Self.equals(word, "DISK_EJECT_REQUEST=1") {
            isEjectRequest = true
        } else if Self.equals(word, "DISK_MEDIA_CHANGE=1") {
            isMediaChange = true
        } else if Self.begins(word, "SYNTH_UUID=") {
            isSynthetic = true
        } else if Self.begins(word, "DEVNAME=input/event") {
            keyboard = Self.number(word, from: 19)
        }
    }

    @_noAllocation static func equals(_ bytes: UnsafeRawBufferPointer, _ text: StaticString) -> Bool {
        bytes.count == text.utf8CodeUnitCount && begins(bytes, text)
    }

    @_noAllocation static func begins(_ bytes: UnsafeRawBufferPointer, _ text: StaticString) -> Bool {
        guard bytes.count >= text.utf8CodeUnitCount else { return false }
        var index = 0
        while index < text.utf8CodeUnitCount {
            if bytes[index] != text.utf8Start[index] { return false }
            index += 1
        }
        return true
    }

    /// Digits to the end, at most four; -1 for anything else.
    @_noAllocation private static func number(_ word: UnsafeRawBufferPointer, from start: Int) -> Int32 {
        guard word.count > start, word.count <= start + 4 else { return -1 }
        var value: Int32 = 0
        var index = start
        while index < word.count {
            guard word[index] >= 0x30, word[index] <= 0x39 else { return -1 }
            value = value * 10 + Int32(word[index] - 0x30)
            index += 1
        }
        return value
    }
}
