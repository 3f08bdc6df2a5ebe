// SPDX-License-Identifier: GPL-3.0-or-later
import Connection
import FuzzDriver

/// What a person pastes as bridge lines, or a QR code holds.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    BridgeProbe.lines(Array(UnsafeBufferPointer(start: start, count: count)))
    return 0
}

/// The program's start.
@_cdecl("BridgeParserFuzz_main")
public func start(_ count: CInt, _ words: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?) -> CInt {
    fuzzerMain(count, words, fuzz)
}
