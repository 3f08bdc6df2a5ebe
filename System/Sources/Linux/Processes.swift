// SPDX-License-Identifier: GPL-3.0-or-later
import CLinux
import Glibc

/// Child processes of a program with a single thread, and signals that can be waited for as any descriptor.
public enum Processes {
    /// What a program is started with.
    public struct Plan: Sendable {
        /// Its name or path, and its arguments.
        public var arguments: [String]
        /// `NAME=value` words.
        public var environment: [String]
        /// Where a name without a slash is looked for.
        public var folders: [String]
        /// Its current directory; `/` when it is not there.
        public var directory: String
        /// Standard input, output and error. No other descriptor goes to the program.
        public var descriptors: (input: Int32, output: Int32, error: Int32)
        /// Whether standard input becomes its controlling terminal.
        public var controlsTerminal: Bool

        /// A plan.
        public init(
            arguments: [String], environment: [String], folders: [String] = [], directory: String = "/",
            descriptors: (input: Int32, output: Int32, error: Int32), controlsTerminal: Bool = false
        ) {
            self.arguments = arguments
            self.environment = environment
            self.folders = folders
            self.directory = directory
            self.descriptors = descriptors
            self.controlsTerminal = controlsTerminal
        }
    }

    /// Starts a program in a session of its own. It ends with 127 when it is not there, 126 when it cannot be run. Waits until the
    /// session and its terminal are there, so that a key or a signal right after the start reaches the program.
    ///
    /// - Returns: its number, which is also that of its process group.
    public static func start(_ plan: Plan) throws(SystemCallFailure) -> Int32 {
        guard !plan.arguments.isEmpty else {
            throw SystemCallFailure(call: "execve", object: "", number: .invalidArgument)
        }
        let folders = copies(plan.folders), arguments = copies(plan.arguments), environment = copies(plan.environment)
        defer { (folders + arguments + environment).forEach { free($0) } }
        return try check("fork", plan.arguments[0]) {
            clinux_start(
                folders, arguments, environment, plan.directory, plan.descriptors.input, plan.descriptors.output,
                plan.descriptors.error, plan.controlsTerminal ? 1 : 0)
        }
    }

    /// Forks. Only from a process with a single thread.
    ///
    /// - Returns: the child's number; 0 in the child.
    public static func fork() throws(SystemCallFailure) -> Int32 { try check("fork", "") { clinux_fork() } }

    /// Takes the end of a child.
    ///
    /// - Parameter child: its number; -1 for any.
    /// - Returns: its number and exit status (128 and the signal's number when a signal ended it); `nil` when none has ended.
    public static func ended(_ child: Int32 = -1) -> (child: Int32, status: Int32)? {
        var status: Int32 = 0
        let result = clinux_reap(child, &status)
        return result > 0 ? (result, status) : nil
    }

    /// Takes the end of every child, those of dead programs among them, and does nothing else.
    public static func buryForEver() -> Never {
        Program.blockSignals()
        while true {
            while ended() != nil {}
            Machine.sleep(0.005)
        }
    }

    /// Kills a process.
    public static func kill(_ process: Int32) { _ = clinux_kill(process, SIGKILL) }

    /// Sends a signal to a process group.
    public static func signal(group: Int32, _ number: Int32) { if group > 1 { _ = clinux_signal_group(group, number) } }

    /// A descriptor that can be read when a process has ended (pidfd). The caller closes it.
    public static func descriptor(of process: Int32) throws(SystemCallFailure) -> Int32 {
        try check("pidfd_open", "\(process)") { clinux_process_descriptor(process) }
    }

    /// Numbers of signals. See `man 7 signal`.
    public enum Signal {
        /// The terminal is gone.
        public static let hangUp = SIGHUP
        /// Ctrl-C.
        public static let interrupt = SIGINT
        /// Please end.
        public static let terminate = SIGTERM
        /// A child has ended.
        public static let childEnded = SIGCHLD
        /// The terminal's window has another size.
        public static let windowChanged = SIGWINCH
    }

    /// Turns signals into something that can be read. They no longer end or disturb this process.
    ///
    /// - Returns: a descriptor for ``nextSignal(_:)``, never closed.
    public static func signals(_ numbers: [Int32]) throws(SystemCallFailure) -> Int32 {
        try check("signalfd", "") { clinux_signals(numbers, numbers.count) }
    }

    /// Takes the next signal; `nil` when none has arrived.
    public static func nextSignal(_ descriptor: Int32) -> Int32? {
        let number = clinux_next_signal(descriptor)
        return number > 0 ? number : nil
    }

    private static func copies(_ words: [String]) -> [UnsafeMutablePointer<CChar>?] {
        words.map { strdup($0) } + [nil]
    }
}
