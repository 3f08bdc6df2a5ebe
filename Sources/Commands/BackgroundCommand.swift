// SPDX-License-Identifier: GPL-3.0-or-later
import Subprocess
import Synchronization
import SystemPackage

/// A command that runs beside its caller until it ends or is stopped.
public final class BackgroundCommand: Sendable {
    /// What runs.
    public let command: Command
    /// Where its output goes.
    public let log: FilePath
    private let work: Task<Void, any Error>
    private let ended = Mutex(false)

    /// Starts the command; its output (both streams) is appended to a log file.
    public init(_ command: Command, log: FilePath) {
        self.command = command
        self.log = log
        work = Task { try await command.run(log: log) }
        Task { [weak self, work] in
            _ = await work.result
            self?.ended.withLock { $0 = true }
        }
    }

    /// Whether the command has ended, by itself or not.
    public var hasEnded: Bool { ended.withLock { $0 } }

    /// Waits until the command ends by itself.
    ///
    /// - Throws: `CommandFailure` when it ends with another status than 0; `CancellationError` when it was stopped.
    public func wait() async throws { try await work.value }

    /// Stops the command (SIGTERM, then SIGKILL after its grace period) and waits until it is gone.
    public func stop() async {
        work.cancel()
        _ = await work.result
    }
}
