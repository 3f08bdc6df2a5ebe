// SPDX-License-Identifier: GPL-3.0-or-later
import ControlFilter
import FuzzDriver

/// What a client of the control filter may send, and what Tor may answer.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    FilterProbe.conversation(Array(UnsafeBufferPointer(start: start, count: count)))
    return 0
}

/// The program's start.
@_cdecl("ControlFilterFuzz_main")
public func start(_ count: CInt, _ words: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?) -> CInt {
    fuzzerMain(count, words, fuzz)
}
