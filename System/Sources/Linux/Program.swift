// SPDX-License-Identifier: GPL-3.0-or-later
import CLinux
import Glibc

/// Running programs, and becoming one.
public enum Program {
    /// How a program ended.
    public struct Outcome: Hashable, Sendable {
        /// Its exit status, 128 and the signal's number when a signal ended it, or 255 when it took too long.
        public let status: Int32
        /// The first 64 KiB of what it wrote to standard output and standard error.
        public let output: String
    }

    /// Runs a program with no environment but what is given, standard input empty, and waits for its end.
    ///
    /// - Parameters:
    ///   - path: the program.
    ///   - arguments: its arguments, its own name not among them.
    ///   - environment: `NAME=value` words.
    ///   - seconds: it is killed when it takes longer.
    /// - Returns: how it ended; status 127 when it could not be started.
    /// - Throws: ``SystemCallFailure``; see `man 2 fork` and `man 2 pipe`.
    public static func run(
        _ path: String, _ arguments: [String], environment: [String] = [], seconds: Double = 30
    ) throws(SystemCallFailure) -> Outcome {
        var ends: [Int32] = [-1, -1]
        try check("pipe", path) { clinux_pipe(&ends) }
        let reading = File(adopting: ends[0], path: "output of \(path)")
        let child: Int32
        do {
            let writing = File(adopting: ends[1], path: "output of \(path)")
            child = try withStrings([path] + arguments) { words throws(SystemCallFailure) in
                try withStrings(environment) { variables throws(SystemCallFailure) in
                    try check("fork", path) { clinux_spawn(path, words, variables, writing.descriptor) }
                }
            }
        }
        let end = Machine.uptime + seconds
        var output: [UInt8] = []
        var isLate = false
        while true {
            guard !Readiness.wait([reading.descriptor], seconds: end - Machine.uptime).isEmpty else {
                isLate = true
                kill(child, SIGKILL)
                break
            }
            let more = try reading.read(upTo: 4096)
            if more.isEmpty { break }
            if output.count < 1 << 16 { output += more }
        }
        var status: Int32 = 0
        try check("waitpid", path) { waitpid(child, &status, 0) }
        let signal = status & 0x7f
        return Outcome(
            status: isLate ? 255 : signal == 0 ? status >> 8 & 0xff : 128 + signal,
            output: String(decoding: output, as: UTF8.self))
    }

    /// Becomes another program. Returns only by throwing. See `man 2 execve`.
    ///
    /// - Parameters:
    ///   - path: the program.
    ///   - arguments: its arguments, its own name not among them.
    ///   - environment: `NAME=value` words.
    /// - Throws: ``SystemCallFailure``.
    public static func become(
        _ path: String, _ arguments: [String], environment: [String]
    ) throws(SystemCallFailure) -> Never {
        try withStrings([path] + arguments) { words throws(SystemCallFailure) in
            try withStrings(environment) { variables throws(SystemCallFailure) in
                _ = try check("execve", path) { execve(path, words, variables) }
            }
        }
        throw SystemCallFailure(call: "execve", object: path, number: .invalidArgument)
    }

    /// Makes a directory the root of this process, and of the kernel's helpers when this is process 1.
    /// See `man 2 chroot`.
    ///
    /// - Parameter path: the directory.
    /// - Throws: ``SystemCallFailure``.
    public static func changeRoot(_ path: String) throws(SystemCallFailure) {
        try check("chroot", path) { chroot(path) }
        try check("chdir", "/") { chdir("/") }
    }

    /// Makes a directory the current one. See `man 2 chdir`.
    ///
    /// - Parameter path: the directory.
    /// - Throws: ``SystemCallFailure``.
    public static func changeDirectory(_ path: String) throws(SystemCallFailure) {
        try check("chdir", path) { chdir(path) }
    }

    /// What the kernel passed to this program, its name first: also where Swift's `CommandLine` has nothing, as was seen in the
    /// program that systemd-shutdown(8) becomes.
    public static var arguments: [String] {
        var words: [String] = []
        while let word = clinux_argument(Int32(words.count)) { words.append(String(cString: word)) }
        return words
    }

    /// The name under which the kernel started this program, without its folder; empty when that is not known. Unlike the first
    /// argument, nobody chooses it. See `man 3 getauxval`, AT_EXECFN.
    public static var executedName: String {
        guard let path = clinux_executed_path() else { return "" }
        return String(cString: path).split(separator: "/").last.map(String.init) ?? ""
    }

    /// The number of this process.
    public static var identifier: Int32 { getpid() }

    /// Ends this process. See `man 3 exit`.
    ///
    /// - Parameter status: 0 to 255.
    public static func exit(_ status: Int32) -> Never { Glibc.exit(status) }

    /// Sets the permission bits that new files never get. See `man 2 umask`.
    ///
    /// - Parameter mask: the bits.
    public static func setFileModeMask(_ mask: UInt32) { umask(mask) }

    private static func withStrings<Result>(
        _ strings: [String],
        _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) throws(SystemCallFailure) -> Result
    ) throws(SystemCallFailure) -> Result {
        let copies: [UnsafeMutablePointer<CChar>?] = strings.map { strdup($0) } + [nil]
        defer { copies.forEach { free($0) } }
        return try copies.withUnsafeBufferPointer { buffer throws(SystemCallFailure) in
            guard let base = buffer.baseAddress else {
                throw SystemCallFailure(call: "execve", object: "", number: .invalidArgument)
            }
            return try body(base)
        }
    }
}
