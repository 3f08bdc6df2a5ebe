// SPDX-License-Identifier: GPL-3.0-or-later
import FuzzDriver
import Varlink

/// What a caller of a Varlink service may send.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    VarlinkProbe.connection(Array(UnsafeBufferPointer(start: start, count: count)))
    return 0
}

/// The program's start.
@_cdecl("VarlinkServiceFuzz_main")
public func start(_ count: CInt, _ words: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?) -> CInt {
    fuzzerMain(count, words, fuzz)
}
