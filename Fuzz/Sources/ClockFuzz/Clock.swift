// SPDX-License-Identifier: GPL-3.0-or-later
import Clock
import FuzzDriver

/// What web sites and relays say about the time.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    ClockProbe.words(Array(UnsafeBufferPointer(start: start, count: count)))
    return 0
}

/// The program's start.
@_cdecl("ClockFuzz_main")
public func start(_ count: CInt, _ words: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?) -> CInt {
    fuzzerMain(count, words, fuzz)
}
