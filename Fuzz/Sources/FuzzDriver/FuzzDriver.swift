// SPDX-License-Identifier: GPL-3.0-or-later

/// libFuzzer's own loop, in the toolchain's `libclang_rt.fuzzer`.
@_silgen_name("LLVMFuzzerRunDriver")
private func runDriver(
    _ count: UnsafeMutablePointer<CInt>,
    _ words: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?>,
    _ body: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
) -> CInt

/// Runs a target. The package manager gives the `main` of a program the name `PROGRAM_main`, so a target defines that, and
/// libFuzzer's `main` is not used.
public func fuzzerMain(
    _ count: CInt, _ words: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?,
    _ body: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
) -> CInt {
    var count = count
    var words = words
    return runDriver(&count, &words, body)
}
