// SPDX-License-Identifier: GPL-3.0-or-later
import Linux
import Testing

@testable import Emergency

private let left: UInt16 = 42
private let right: UInt16 = 54
private let escape: UInt16 = 1

@Suite("The panic key works on every keyboard, and never by itself")
struct KeyTests {
    @Test func `Both Shift keys and Escape, in any order, begin an emergency with the last of them`() {
        for order in [[left, right, escape], [escape, left, right], [right, escape, left]] {
            let state = KeyState(.standard, devices: 4)
            #expect(!state.take(device: 0, code: order[0], value: 1))
            #expect(!state.take(device: 0, code: order[1], value: 1))
            #expect(state.take(device: 0, code: order[2], value: 1))
        }
    }

    @Test func `Two of the three do nothing, however often they repeat or other keys are pressed`() {
        let state = KeyState(.standard, devices: 4)
        for _ in 0..<1000 {
            #expect(!state.take(device: 0, code: left, value: 1))
            #expect(!state.take(device: 0, code: left, value: 2))
            #expect(!state.take(device: 0, code: escape, value: 1))
            #expect(!state.take(device: 0, code: 30, value: 1))
            #expect(!state.take(device: 0, code: escape, value: 2))
        }
    }

    @Test func `A key that was let go does not count`() {
        let state = KeyState(.standard, devices: 4)
        _ = state.take(device: 0, code: left, value: 1)
        _ = state.take(device: 0, code: right, value: 1)
        _ = state.take(device: 0, code: left, value: 0)
        #expect(!state.take(device: 0, code: escape, value: 1))
        #expect(state.take(device: 0, code: left, value: 1))
    }

    @Test func `A repeat stands for a press that was lost`() {
        let state = KeyState(.standard, devices: 4)
        _ = state.take(device: 0, code: left, value: 1)
        _ = state.take(device: 0, code: right, value: 1)
        #expect(state.take(device: 0, code: escape, value: 2))
    }

    @Test func `Keys of several devices count together, as a keyboard may be two`() {
        let state = KeyState(.standard, devices: 4)
        _ = state.take(device: 0, code: left, value: 1)
        _ = state.take(device: 3, code: right, value: 1)
        #expect(state.take(device: 1, code: escape, value: 1))
    }

    @Test func `A keyboard that is pulled out with keys down leaves none behind`() {
        let state = KeyState(.standard, devices: 4)
        _ = state.take(device: 2, code: left, value: 1)
        _ = state.take(device: 2, code: right, value: 1)
        state.lose(device: 2)
        #expect(!state.take(device: 0, code: escape, value: 1))
        // The other way round: one that stays keeps them.
        _ = state.take(device: 1, code: left, value: 1)
        state.lose(device: 2)
        #expect(state.take(device: 0, code: right, value: 1))
    }

    @Test func `When events were lost, what the kernel says is down counts`() {
        let state = KeyState(.standard, devices: 4)
        #expect(!state.set(device: 0, down: 0b011))
        #expect(state.set(device: 1, down: 0b100))
        #expect(!state.set(device: 1, down: 0))
    }

    @Test func `Devices and keys that do not exist are nothing`() {
        let state = KeyState(.standard, devices: 4)
        for device in [-1, 4, .max, .min] {
            #expect(!state.take(device: device, code: escape, value: 1))
            #expect(!state.set(device: device, down: .max))
            state.lose(device: device)
        }
        for code: UInt16 in [0, 0x2ff, .max] { #expect(!state.take(device: 0, code: code, value: .max)) }
    }

    @Test func `The list that is shipped is the standard, and small keyboards have its keys`() throws {
        // This file is four folders below the project's.
        let project = #filePath.split(separator: "/").dropLast(4).joined(separator: "/")
        let text = try File.text("/\(project)/image/files/core\(PanicKeys.path)")
        #expect(PanicKeys(parsing: text) == .standard)
    }

    @Test func `A list with several lines is several combinations`() {
        let keys = PanicKeys(parsing: "# remark\nLEFTSHIFT RIGHTSHIFT ESC\n\nLEFTCTRL PAUSE # another\n")
        #expect(keys?.codes == [42, 54, 1, 29, 119])
        #expect(keys?.combinations == [0b00111, 0b11000])
    }

    @Test func `A list that is not understood is none: one key, unknown names, too much`() {
        for text in [
            "", "# nothing", "ESC", "ESC ESC", "LEFTSHIFT A", "ESC LEFTSHIFT\nNONSENSE ESC",
            "ESC TAB ENTER HOME END UP DOWN", String(repeating: "ESC TAB\n", count: 9),
            String(repeating: " ", count: 5000),
        ] { #expect(PanicKeys(parsing: text) == nil, "\(text.prefix(40))") }
    }
}
