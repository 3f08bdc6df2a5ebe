// SPDX-License-Identifier: GPL-3.0-or-later
import CLinux
import Glibc

/// The virtual console that is this program's standard input and controlling terminal. See `man 4 console_ioctl`.
public struct VirtualConsole: Sendable {
    /// Its number: 8 for `/dev/tty8`.
    public let number: Int32
    private let descriptor: Int32 = 0

    /// Takes standard input.
    ///
    /// - Throws: ``SystemCallFailure`` with `ENOTTY` when it is no virtual console.
    public init() throws(SystemCallFailure) {
        number = try check("fstat", "standard input") { clinux_console_number(0) }
    }

    /// The number of the console that is on the screen.
    public var active: Int32 {
        get throws(SystemCallFailure) {
            try check("ioctl VT_GETSTATE", "/dev/tty\(number)") { clinux_console_active(descriptor) }
        }
    }

    /// Puts a console on the screen. It may take a moment until ``active`` says so.
    ///
    /// - Parameter number: 1 to 63.
    /// - Throws: ``SystemCallFailure``.
    public func show(_ number: Int32) throws(SystemCallFailure) {
        _ = try check("ioctl VT_ACTIVATE", "/dev/tty\(number)") { clinux_console_activate(descriptor, number) }
    }

    /// Sets the terminal so that bytes come as they are typed, without echo and without signals from keys, in the kernel's own
    /// font where fonts can be set.
    public func makeRaw() throws(SystemCallFailure) {
        _ = clinux_console_default_font(descriptor)
        _ = try check("tcsetattr", "/dev/tty\(number)") { clinux_terminal_raw(descriptor) }
    }

    /// Forgets what was typed and not read.
    public func forgetTyped() { _ = clinux_terminal_forget(descriptor) }

    /// The number of lines, 25 when it is not known.
    public var lines: Int {
        let lines = Int(clinux_terminal_lines(descriptor))
        return lines > 0 ? lines : 25
    }

    /// Bytes that were typed; none when nothing was.
    public func read() throws(SystemCallFailure) -> [UInt8] {
        guard !Readiness.wait([descriptor], seconds: 0).isEmpty else { return [] }
        return try UnixSocket.read(descriptor, upTo: 256) ?? []
    }

    /// Writes text as it is.
    public func write(_ text: String) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(1, $0.baseAddress, $0.count) }
            if count <= 0 { return }
            rest = rest.dropFirst(count)
        }
    }
}

/// A program that was started on this program's terminal.
public struct TerminalProgram: Sendable {
    private let process: Int32

    /// Starts a program with this program's standard input and output and no environment but what is given.
    ///
    /// - Throws: ``SystemCallFailure``; see `man 2 fork`.
    public init(_ path: String, _ arguments: [String], environment: [String]) throws(SystemCallFailure) {
        let words: [UnsafeMutablePointer<CChar>?] = ([path] + arguments).map { strdup($0) } + [nil]
        let variables: [UnsafeMutablePointer<CChar>?] = environment.map { strdup($0) } + [nil]
        defer { (words + variables).forEach { free($0) } }
        process = try check("fork", path) {
            words.withUnsafeBufferPointer { words in
                variables.withUnsafeBufferPointer { variables in
                    guard let first = words.baseAddress, let second = variables.baseAddress else { return -1 }
                    return clinux_spawn_on_terminal(path, first, second)
                }
            }
        }
    }

    /// Its exit status, or 128 and the number of the signal that ended it; `nil` while it runs. Must not be asked again after
    /// it has ended.
    public func status() -> Int32? {
        var status: Int32 = 0
        guard waitpid(process, &status, WNOHANG) == process else { return nil }
        let signal = status & 0x7f
        return signal == 0 ? status >> 8 & 0xff : 128 + signal
    }

    /// Kills it, and waits for its end.
    public func kill() {
        _ = Glibc.kill(process, SIGKILL)
        var status: Int32 = 0
        _ = waitpid(process, &status, 0)
    }

    /// Lets the keys that interrupt a program (Ctrl-C, Ctrl-Z, Ctrl-\) reach only the programs that are started.
    public static func ignoreKeys() {
        for number in [SIGINT, SIGQUIT, SIGTSTP, SIGTTOU, SIGTTIN] { signal(number, SIG_IGN) }
    }
}
