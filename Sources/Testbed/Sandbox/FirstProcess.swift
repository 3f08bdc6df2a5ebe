// SPDX-License-Identifier: GPL-3.0-or-later
import Commands
import Foundation
import Synchronization
import SystemPackage

/// Process 1 of a sandbox. It does nothing but wait for the end of the pipe that the owner holds; when it ends, the kernel
/// kills every other process of the sandbox.
final class FirstProcess: Sendable {
    private let mark: FilePath
    private let log: FilePath
    private let work: Task<Void, any Error>
    private let ended = Mutex(false)

    /// Starts the process; `unshare` makes the namespaces.
    ///
    /// - Parameters:
    ///   - mark: The file in which it will tell its process number; missing now.
    ///   - log: The file that takes its messages.
    ///   - pipe: The reading end of the pipe. It has to stay open until `number` has returned.
    init(mark: FilePath, log: FilePath, pipe: FileDescriptor) {
        self.mark = mark
        self.log = log
        // The text is fixed; what varies is an argument. /proc is still the host's when the number is read, so that it is
        // the number that the host knows. /run is covered, so that no service of the host is in reach by its socket.
        let script = """
            set -e
            read -r number rest </proc/self/stat
            mount -t proc -o nosuid,nodev,noexec proc /proc
            mount -t tmpfs -o mode=755,nosuid,nodev tmpfs /run
            ip link set lo up
            printf '%s\\n' "$number" >"$1"
            exec cat
            """
        let user = geteuid() == 0 ? [] : ["--user", "--map-root-user"]
        let command = Command(
            "unshare",
            user + ["--net", "--mount", "--pid", "--fork", "--kill-child", "--", "sh", "-c", script, "sh", mark.string])
        let input = FilePath("/proc/self/fd/\(pipe.rawValue)")
        work = Task { try await command.run(log: log, input: input) }
        Task { [weak self, work] in
            _ = await work.result
            self?.ended.withLock { $0 = true }
        }
    }

    /// Whether it has ended, and with it everything in the sandbox.
    var hasEnded: Bool { ended.withLock { $0 } }

    /// Its process number outside, once the sandbox is ready.
    func number() async throws -> Int {
        for _ in 0..<1000 {
            if let text = try? String(contentsOfFile: mark.string, encoding: .utf8), text.hasSuffix("\n"),
                let number = Int(text.dropLast())
            {
                return number
            }
            if hasEnded {
                try await work.value
                throw SandboxFailure(.notReady, "The sandbox ended before it was ready. What it wrote is in \(log).")
            }
            try await Task.sleep(for: .milliseconds(10))
        }
        throw SandboxFailure(.notReady, "The sandbox was not ready after 10 s. What it wrote is in \(log).")
    }

    /// Waits until it has ended after its pipe was closed, and kills it when that takes longer than 5 s.
    func end() async {
        let deadline = ContinuousClock.now + .seconds(5)
        while !hasEnded, ContinuousClock.now < deadline {
            // Not cancellable: what is cancelled has to be cleaned up all the same.
            await Task.detached { try? await Task.sleep(for: .milliseconds(5)) }.value
        }
        await stop()
    }

    /// Ends it without regard to the pipe.
    func stop() async {
        work.cancel()
        _ = await work.result
    }
}
