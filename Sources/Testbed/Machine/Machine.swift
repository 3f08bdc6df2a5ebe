// SPDX-License-Identifier: GPL-3.0-or-later
import Commands
import Foundation
import Synchronization
import SystemPackage

/// A virtual machine that runs in a sandbox.
///
/// ```swift
/// try await Machine.with(description, in: sandbox, namespace: "guest") { machine in
///     try await machine.wait(forLine: "login:", within: .seconds(120))
///     let answer = try await machine.shell.run("uname -r")
///     try await machine.screenshot()
/// }
/// ```
///
/// It never has another network than a tap device of the sandbox, and no image changes unless its drive says so. A guest's
/// power-off leaves it standing with its memory, until it is stopped.
public final class Machine: Sendable {
    /// Why a machine does not run.
    public enum ExitReason: Sendable, Hashable, CustomStringConvertible {
        /// The guest switched itself off; its memory is still there.
        case poweredOff
        /// The guest asked for a reset, and the description does not let it start again; its memory is still there.
        case reset
        /// The guest's kernel said that it panicked.
        case panicked
        /// It was stopped from outside.
        case stopped
        /// QEMU ended by itself.
        case crashed

        /// For a person.
        public var description: String {
            switch self {
            case .poweredOff: "the guest switched itself off"
            case .reset: "the guest asked for a reset"
            case .panicked: "the guest's kernel panicked"
            case .stopped: "the machine was stopped"
            case .crashed: "QEMU ended by itself"
            }
        }
    }

    /// What the machine is made of.
    public let description: MachineDescription
    /// The folder with its sockets, logs and pictures, in the sandbox's.
    public let folder: FilePath
    /// Its serial port.
    public let console: SerialConsole
    /// The root shell in the guest; it answers when the guest's systemd has started it. See `MachineDescription.hasShell`.
    public let shell: GuestShell
    /// When the machine was switched on, by the maker's clock.
    public let powerOn: ContinuousClock.Instant

    let files: MachineFiles
    let arguments: MachineArguments
    let qmp: QMPClient
    private let sandbox: Sandbox
    private let process: BackgroundCommand
    private let wasStopped = Mutex(false)
    let pictures = Mutex(0)

    /// Runs a machine for as long as a closure does.
    ///
    /// - Parameters:
    ///   - description: What the machine is made of.
    ///   - sandbox: Where it runs.
    ///   - namespace: The network namespace in the sandbox that has its tap device; the sandbox's own when `nil`.
    ///   - name: The name of its folder in the sandbox's.
    ///   - body: What is done with it.
    /// - Returns: What the closure returns.
    /// - Throws: `MachineFailure`, `CommandFailure`, and what the closure throws; the machine is gone then too.
    public nonisolated(nonsending) static func with<Result>(
        _ description: MachineDescription, in sandbox: Sandbox, namespace: String? = nil, name: String = "machine",
        _ body: nonisolated(nonsending) (Machine) async throws -> Result
    ) async throws -> Result {
        let machine = try await start(description, in: sandbox, namespace: namespace, name: name)
        do {
            let result = try await body(machine)
            await machine.stop()
            return result
        } catch {
            await machine.stop()
            throw error
        }
    }

    /// Starts a machine, which runs until `stop()` or the sandbox's end. The guest's first instruction runs when all of the
    /// test bed listens, so that nothing it says is lost.
    ///
    /// - Throws: `MachineFailure` for a description that cannot be and when QEMU does not start, `CommandFailure`.
    public static func start(
        _ description: MachineDescription, in sandbox: Sandbox, namespace: String? = nil, name: String = "machine"
    ) async throws -> Machine {
        try description.validate()
        let files = MachineFiles(folder: sandbox.work.appending(name))
        try files.validate()
        let arguments = MachineArguments(
            description: description, files: files, firmware: try FirmwareFiles.find(description.firmware))
        try await arguments.prepare(in: sandbox)
        let process = BackgroundCommand(
            sandbox.command(
                "qemu-system-x86_64", arguments.words(), in: namespace,
                environment: description.display == .window ? try arguments.desktop() : [:]), log: files.log)
        do {
            let qmp = QMPClient(try await connect(to: files.control, of: process, log: files.log))
            try await qmp.negotiate(timeout: .seconds(30))
            let shell = GuestShell(
                connection: description.hasShell
                    ? try await connect(to: files.shell, of: process, log: files.log) : nil, qmp: qmp)
            _ = try await qmp.execute("cont")
            return Machine(
                description: description, arguments: arguments, sandbox: sandbox, process: process, qmp: qmp,
                shell: shell)
        } catch {
            await process.stop()
            arguments.removeOverlays()
            guard error is QMPClient.Failure else { throw error }
            throw MachineFailure(
                .ended, "QEMU did not start.", lastLines: lastLines(of: files.log), log: files.log)
        }
    }

    private init(
        description: MachineDescription, arguments: MachineArguments, sandbox: Sandbox, process: BackgroundCommand,
        qmp: QMPClient, shell: GuestShell
    ) {
        self.description = description
        self.arguments = arguments
        self.sandbox = sandbox
        self.process = process
        self.qmp = qmp
        self.shell = shell
        files = arguments.files
        folder = arguments.files.folder
        console = SerialConsole(log: arguments.files.serialLog, socket: arguments.files.serial)
        powerOn = .now
    }

    // MARK: State

    /// All that QEMU told since the machine was made.
    public var events: [MachineEvent] { qmp.events }

    /// Why the machine does not run; `nil` while it does.
    public var exitReason: ExitReason? {
        if wasStopped.withLock({ $0 }) { return .stopped }
        // What was before a snapshot was loaded, or the machine set going again, is past.
        let all = qmp.events
        let events = all.suffix(from: all.lastIndex { $0.name == "RESUME" } ?? 0)
        if events.contains(where: { $0.name == "GUEST_PANICKED" }) { return .panicked }
        if let shutdown = events.last(where: { $0.name == "SHUTDOWN" }) {
            return shutdown.data["reason"]?.text == "guest-reset" ? .reset : .poweredOff
        }
        return process.hasEnded || !qmp.isOpen ? .crashed : nil
    }

    /// Seconds since the machine was switched on, by the maker's clock.
    public var secondsSincePowerOn: Double { (ContinuousClock.now - powerOn) / .seconds(1) }

    /// Stops the machine, as by pulling its plug, and removes what its drives were written. Done twice, it does nothing.
    ///
    /// Logs and pictures stay in `folder`.
    public func stop() async {
        guard
            !wasStopped.withLock({ was in
                defer { was = true }
                return was
            })
        else { return }
        // Not cancellable: what is cancelled has to end all the same.
        await Task.detached { [self] in
            shell.close()
            console.release()
            if !process.hasEnded {
                _ = try? await qmp.execute("quit", timeout: .seconds(5))
                _ = try? await poll(for: .seconds(5)) { process.hasEnded ? true : nil }
            }
            await process.stop()
            arguments.removeOverlays()
        }.value
    }

    // MARK: Waiting

    /// Waits until the guest has switched itself off (or asked for a reset, where that ends it); memory and screen are still there.
    ///
    /// - Throws: `MachineFailure` when that takes longer, with the console's last lines and a picture.
    @discardableResult
    public func waitForPowerOff(within timeout: Duration) async throws -> ExitReason {
        if let reason = try await poll(for: timeout, { exitReason }) {
            guard reason != .crashed else { throw ended() }
            return reason
        }
        throw await failure(.timedOut, "The machine was not switched off within \(timeout).")
    }

    /// Waits until the guest has written a line to its serial port that matches.
    ///
    /// - Parameters:
    ///   - pattern: A regular expression in Swift's syntax; it has to match within one line, colours removed.
    ///   - timeout: The longest wait.
    ///   - count: How many lines from the console's beginning are not looked at.
    /// - Returns: The line.
    /// - Throws: `MachineFailure` when no such line comes, with the console's last lines and a picture.
    @discardableResult
    public func wait(forLine pattern: String, within timeout: Duration, after count: Int = 0) async throws -> String {
        var search = try LineSearch(pattern)
        let deadline = ContinuousClock.now + timeout
        while true {
            let hasEnded = exitReason != nil
            if let line = search.first(in: Array(console.lines.dropFirst(count))) { return line }
            if hasEnded {
                let reason = exitReason ?? .stopped
                throw await failure(.ended, "No line matched '\(pattern)' before the end: \(reason).")
            }
            guard ContinuousClock.now < deadline else {
                throw await failure(.timedOut, "No line matched '\(pattern)' within \(timeout).")
            }
            try await Task.sleep(for: .milliseconds(100))
        }
    }

    /// Waits for an event.
    ///
    /// - Parameters:
    ///   - name: QEMU's name for it.
    ///   - count: How many of all events so far (`events.count`) are not looked at.
    ///   - timeout: The longest wait.
    ///   - isMeant: Whether it is this one of that name.
    /// - Returns: The event.
    /// - Throws: `MachineFailure` when it does not come.
    @discardableResult
    public func wait(
        forEvent name: String, after count: Int = 0, within timeout: Duration,
        where isMeant: (MachineEvent) -> Bool = { _ in true }
    ) async throws -> MachineEvent {
        let event = try await poll(for: timeout) {
            qmp.events.dropFirst(count).first { $0.name == name && isMeant($0) }
        }
        if let event { return event }
        throw await failure(.timedOut, "The event \(name) did not come within \(timeout).")
    }

    // MARK: QEMU

    /// Runs one of QEMU's own commands (QMP) and returns its reply.
    ///
    /// - Throws: `MachineFailure` when QEMU refuses, does not answer or has ended.
    @discardableResult
    public func execute(
        _ command: String, _ arguments: JSONValue? = nil, timeout: Duration = .seconds(60)
    ) async throws -> JSONValue {
        do {
            return try await qmp.execute(command, arguments, timeout: timeout)
        } catch QMPClient.Failure.refused(_, let words) {
            throw MachineFailure(.refused, "QEMU refused '\(command)': \(words)")
        } catch QMPClient.Failure.timedOut {
            throw MachineFailure(.timedOut, "QEMU did not answer '\(command)' within \(timeout).")
        } catch QMPClient.Failure.disconnected {
            throw ended()
        }
    }

    /// A failure with all that a person wants to see of the machine.
    func failure(_ code: MachineFailure.Code, _ message: String) async -> MachineFailure {
        MachineFailure(
            code, message, lastLines: console.tail(), screenshot: try? await screenshot(), log: console.log)
    }

    private func ended() -> MachineFailure {
        MachineFailure(
            .ended, wasStopped.withLock { $0 } ? "The machine was stopped." : "QEMU has ended.",
            lastLines: Self.lastLines(of: files.log), log: files.log)
    }

    private static func lastLines(of log: FilePath) -> [String] {
        let text = (try? String(contentsOfFile: log.string, encoding: .utf8)) ?? ""
        return text.split(separator: "\n").suffix(10).map(String.init)
    }

    /// A command for a tool beside the machine.
    func tool(_ executable: String, _ words: [String]) -> Command { sandbox.command(executable, words) }

    private static func connect(to path: FilePath, of process: BackgroundCommand, log: FilePath) async throws
        -> UNIXConnection
    {
        let connection = try await poll(for: .seconds(30)) { () -> UNIXConnection? in
            if process.hasEnded {
                do { try await process.wait() } catch let failure as CommandFailure {
                    throw MachineFailure(.ended, "QEMU did not start.", lastLines: failure.lastLines, log: log)
                }
                throw MachineFailure(.ended, "QEMU ended at once.", log: log)
            }
            return try? UNIXConnection(path: path)
        }
        guard let connection else {
            throw MachineFailure(.timedOut, "QEMU did not open \(path) within 30 s.", log: log)
        }
        return connection
    }
}
