// SPDX-License-Identifier: GPL-3.0-or-later
import Foundation
import Subprocess
import SystemPackage

/// A program of the maker's machine with its arguments, run without a shell and in an environment of its own.
///
/// The environment holds nothing of the caller's but `PATH` and `HOME`: locale, time zone and the like are fixed, so that
/// no tool's output depends on who runs it.
public struct Command: Sendable {
    /// The program: a path, or a name that is looked up in `PATH`.
    public var executable: String
    /// The arguments, without the program's own name.
    public var arguments: [String]
    /// Variables added to the fixed environment.
    public var environment: [String: String]
    /// The folder in which the program starts; the caller's when `nil`.
    public var workingDirectory: FilePath?
    /// How long the program has after SIGTERM, when it is cancelled, before it is killed.
    public var gracePeriod: Duration = .seconds(5)

    /// Creates a command; nothing runs yet.
    public init(
        _ executable: String, _ arguments: [String] = [], environment: [String: String] = [:],
        workingDirectory: FilePath? = nil
    ) {
        self.executable = executable
        self.arguments = arguments
        self.environment = environment
        self.workingDirectory = workingDirectory
    }

    /// Runs the command to its end, its output (both streams) appended to a log file.
    ///
    /// - Parameters:
    ///   - log: The file that takes the output; made when it is missing.
    ///   - input: A file that becomes the standard input; nothing when `nil`.
    /// - Throws: `CommandFailure` when it cannot start or ends with another status than 0; `CancellationError`.
    public func run(log: FilePath, input: FilePath? = nil) async throws {
        let output = try FileDescriptor.open(
            log, .writeOnly, options: [.create, .append, .closeOnExec],
            permissions: [.ownerReadWrite, .groupRead, .otherRead])
        defer { try? output.close() }
        let start = try output.seek(offset: 0, from: .end)
        let standardInput = try FileDescriptor.open(input ?? "/dev/null", .readOnly, options: .closeOnExec)
        defer { try? standardInput.close() }
        let result: ExecutionResult<Void, FileDescriptorOutput, FileDescriptorOutput>
        do {
            result = try await Subprocess.run(
                configuration,
                input: .fileDescriptor(standardInput, closeAfterSpawningProcess: false),
                output: .fileDescriptor(output, closeAfterSpawningProcess: false),
                error: .fileDescriptor(output, closeAfterSpawningProcess: false))
        } catch let error as SubprocessError {
            try Task.checkCancellation()
            throw CommandFailure(command: self, status: "could not be run: \(error)", lastLines: [], log: log)
        }
        try Task.checkCancellation()
        guard result.terminationStatus.isSuccess else {
            throw CommandFailure(
                command: self, status: Self.words(result.terminationStatus),
                lastLines: Self.tail(of: log, from: UInt64(start)), log: log)
        }
    }

    /// Runs the command to its end and returns what it wrote to its standard output.
    ///
    /// - Parameters:
    ///   - input: Text that becomes the standard input.
    ///   - limit: The most bytes of output that are taken; more is a failure.
    /// - Returns: The output as text.
    /// - Throws: `CommandFailure` when it cannot start or ends with another status than 0; `CancellationError`.
    public func output(input: String = "", limit: Int = 64 << 20) async throws -> String {
        let result: ExecutionResult<Void, StringOutput<UTF8>, StringOutput<UTF8>>
        do {
            result = try await Subprocess.run(
                configuration, input: .string(input), output: .string(limit: limit), error: .string(limit: limit))
        } catch let error as SubprocessError {
            try Task.checkCancellation()
            throw CommandFailure(command: self, status: "could not be run: \(error)", lastLines: [], log: nil)
        }
        try Task.checkCancellation()
        guard result.terminationStatus.isSuccess else {
            let lines = result.standardError.split(separator: "\n").suffix(20).map(String.init)
            throw CommandFailure(
                command: self, status: Self.words(result.terminationStatus), lastLines: lines, log: nil)
        }
        return result.standardOutput
    }

    /// The command as a person would type it, for messages and logs; never handed to a shell.
    public var line: String {
        ([executable] + arguments).map { word in
            word.allSatisfy { $0.isLetter || $0.isNumber || "-_./=:,+@%".contains($0) } && !word.isEmpty
                ? word : "'\(word.replacing("'", with: "'\\''"))'"
        }.joined(separator: " ")
    }

    var configuration: Configuration {
        var variables: [Environment.Key: String] = [
            "PATH": Self.searchPath, "LC_ALL": "C.UTF-8", "TZ": "UTC", "HOME": NSHomeDirectory(),
        ]
        for (name, value) in environment {
            variables[Environment.Key(stringLiteral: name)] = value
        }
        var options = PlatformOptions()
        options.teardownSequence = [.gracefulShutDown(allowedDurationToNextStep: gracePeriod)]
        return Configuration(
            executable: executable.contains("/") ? .path(FilePath(executable)) : .name(executable),
            arguments: Arguments(arguments), environment: .custom(variables), workingDirectory: workingDirectory,
            platformOptions: options)
    }

    /// The caller's `PATH`, with the folders that Debian leaves out of an ordinary user's.
    static var searchPath: String {
        let own = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin"
        return own + ":/usr/local/sbin:/usr/sbin:/sbin"
    }

    static func words(_ status: TerminationStatus) -> String {
        switch status {
        case .exited(let code): "ended with status \(code)"
        case .signaled(let signal): "was ended by signal \(signal)"
        }
    }

    static func tail(of log: FilePath, from offset: UInt64, lines: Int = 20) -> [String] {
        guard let file = FileHandle(forReadingAtPath: log.string) else { return [] }
        defer { try? file.close() }
        let end = (try? file.seekToEnd()) ?? 0
        try? file.seek(toOffset: max(offset, end > 65536 ? end - 65536 : 0))
        let text = String(decoding: (try? file.readToEnd()) ?? Data(), as: UTF8.self)
        return text.split(whereSeparator: \.isNewline).suffix(lines).map(String.init)
    }
}
