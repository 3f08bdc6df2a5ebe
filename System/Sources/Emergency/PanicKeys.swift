// SPDX-License-Identifier: GPL-3.0-or-later

/// The combinations of keys that start an emergency: `/usr/lib/needletail/panic-keys`, a line each, names of keys with blanks between.
public struct PanicKeys: Hashable, Sendable {
    /// Where the system has them. Read once, at the start.
    public static let path = "/usr/lib/needletail/panic-keys"

    /// Both Shift keys and Escape: on every keyboard, typed by no program and by no accident.
    public static let standard = PanicKeys(codes: [42, 54, 1], combinations: [0b111])

    /// The keys of all combinations, as the kernel numbers them.
    let codes: [UInt16]
    /// Which of the keys make a combination, as bits.
    let combinations: [UInt64]

    private init(codes: [UInt16], combinations: [UInt64]) {
        self.codes = codes
        self.combinations = combinations
    }

    /// Reads combinations; `nil` when there is none, or a line that is not understood: half a list is worse than the standard.
    ///
    /// - Parameter text: at most 4 KiB; 2 to 6 keys a line, 8 lines, `#` begins a remark.
    public init?(parsing text: String) {
        guard text.utf8.count <= 4096 else { return nil }
        var codes: [UInt16] = []
        var combinations: [UInt64] = []
        for line in text.split(separator: "\n") {
            let words = line.prefix { $0 != "#" }.split(separator: " ")
            if words.isEmpty { continue }
            var bits: UInt64 = 0
            for word in words {
                guard let code = Self.names[String(word)] else { return nil }
                let place = codes.firstIndex(of: code) ?? codes.count
                if place == codes.count { codes.append(code) }
                bits |= 1 << UInt64(place)
            }
            guard (2...6).contains(bits.nonzeroBitCount), combinations.count < 8 else { return nil }
            combinations.append(bits)
        }
        guard !combinations.isEmpty else { return nil }
        self.init(codes: codes, combinations: combinations)
    }

    /// Keys that can be in a combination, by the names of `<linux/input-event-codes.h>` without `KEY_`.
    private static let names: [String: UInt16] = [
        "ESC": 1, "BACKSPACE": 14, "TAB": 15, "ENTER": 28, "LEFTCTRL": 29, "LEFTSHIFT": 42, "RIGHTSHIFT": 54,
        "LEFTALT": 56, "SPACE": 57, "CAPSLOCK": 58, "RIGHTCTRL": 97, "RIGHTALT": 100, "HOME": 102, "UP": 103,
        "LEFT": 105, "RIGHT": 106, "END": 107, "DOWN": 108, "INSERT": 110, "DELETE": 111, "POWER": 116, "PAUSE": 119,
        "LEFTMETA": 125, "RIGHTMETA": 126,
    ]
}

/// Which of the panic keys are down, on all keyboards together: a keyboard may be two devices, and a hand may be on each of two.
/// Nothing is allocated after ``init(_:devices:)``.
struct KeyState {
    /// The keys, for the kernel.
    let codes: UnsafePointer<UInt16>
    let codeCount: Int
    private let combinations: UnsafePointer<UInt64>
    private let combinationCount: Int
    /// The bits of each device.
    private let down: UnsafeMutablePointer<UInt64>
    private let deviceCount: Int

    init(_ keys: PanicKeys, devices: Int) {
        let codes = UnsafeMutablePointer<UInt16>.allocate(capacity: keys.codes.count)
        for (index, code) in keys.codes.enumerated() { codes[index] = code }
        let combinations = UnsafeMutablePointer<UInt64>.allocate(capacity: keys.combinations.count)
        for (index, bits) in keys.combinations.enumerated() { combinations[index] = bits }
        self.codes = UnsafePointer(codes)
        codeCount = keys.codes.count
        self.combinations = UnsafePointer(combinations)
        combinationCount = keys.combinations.count
        down = .allocate(capacity: devices)
        down.initialize(repeating: 0, count: devices)
        deviceCount = devices
    }

    /// A key has gone down (1), is still down (2: its first event may have been lost), or up (0). True when that completes a
    /// combination.
    @_noAllocation func take(device: Int, code: UInt16, value: Int32) -> Bool {
        guard device >= 0, device < deviceCount else { return false }
        var index = 0
        while index < codeCount {
            if codes[index] == code {
                let bit = UInt64(1) << UInt64(index)
                if value == 0 {
                    down[device] &= ~bit
                    return false
                }
                down[device] |= bit
                return isComplete()
            }
            index += 1
        }
        return false
    }

    /// All keys of a device, as the kernel has them when events were lost. True when that completes a combination.
    @_noAllocation func set(device: Int, down bits: UInt64) -> Bool {
        guard device >= 0, device < deviceCount else { return false }
        down[device] = bits
        return isComplete()
    }

    /// A device is gone: its keys are up.
    @_noAllocation func lose(device: Int) {
        if device >= 0, device < deviceCount { down[device] = 0 }
    }

    @_noAllocation private func isComplete() -> Bool {
        var all: UInt64 = 0
        var device = 0
        while device < deviceCount {
            all |= down[device]
            device += 1
        }
        var index = 0
        while index < combinationCount {
            if all & combinations[index] == combinations[index] { return true }
            index += 1
        }
        return false
    }
}
