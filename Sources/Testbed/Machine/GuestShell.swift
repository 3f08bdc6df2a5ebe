// SPDX-License-Identifier: GPL-3.0-or-later
import Foundation
import Synchronization

/// A root shell in the guest, over a virtio port: outside the network, and without any hook in the image.
///
/// It is for tests only: `Machine` puts the unit that runs it into the guest by credentials. One script runs at a time; others
/// wait for their turn. When the shell in the guest ends (killed, restarted, the guest reset), the script that ran fails and
/// the next finds the new shell.
public actor GuestShell {
    /// What a script did.
    public struct Answer: Sendable, Hashable {
        /// Its exit status; 128 and more when a signal ended it.
        public let status: Int
        /// What it wrote, to both streams.
        public let bytes: [UInt8]

        /// What it wrote as text, without the last newline.
        public var output: String {
            let text = String(decoding: bytes, as: UTF8.self)
            return text.last == "\n" ? String(text.dropLast()) : text
        }
    }

    private let connection: UNIXConnection?
    private let inbox = Inbox()
    private let qmp: QMPClient
    private var isBusy = false
    private var waiting: [CheckedContinuation<Void, Never>] = []
    /// How many events were known when the shell last answered; when it closes its port after that, it has to be found anew.
    private var knownEvents: Int?

    init(connection: UNIXConnection?, qmp: QMPClient) {
        self.connection = connection
        self.qmp = qmp
        guard let connection else { return }
        Task { [inbox, incoming = connection.incoming] in
            for await piece in incoming { inbox.append(piece) }
            inbox.end()
        }
    }

    /// Waits until the shell answers.
    ///
    /// - Throws: `ShellFailure` when it does not in time, or the machine has ended or has no shell.
    public func waitUntilReady(within timeout: Duration = .seconds(180)) async throws {
        try await takingTurns { try await find(within: timeout) }
    }

    /// Runs a script of `/bin/sh` and returns its status and output.
    ///
    /// What it leaves running in the background has to have its output elsewhere (`>/dev/null 2>&1 &`): the answer waits
    /// for the end of the output. Its input is empty.
    ///
    /// - Parameters:
    ///   - script: The script, up to 90,000 bytes.
    ///   - timeout: How long it may run in the guest; it is killed then.
    /// - Returns: Status and output, whatever the status.
    /// - Throws: `ShellFailure` when it takes too long or the shell ends.
    @discardableResult
    public func run(_ script: String, timeout: Duration = .seconds(60)) async throws -> Answer {
        guard script.utf8.count <= 90_000 else {
            throw ShellFailure(
                .badScript, "A script of \(script.utf8.count) bytes is too long for the shell. Split it.")
        }
        guard !script.utf8.contains(0) else { throw ShellFailure(.badScript, "A script cannot hold a zero byte.") }
        return try await takingTurns {
            if !isKnown { try await find(within: .seconds(180)) }
            return try await execute(script, timeout)
        }
    }

    /// Runs a program with arguments, which reach it as they are.
    @discardableResult
    public func run(_ words: [String], timeout: Duration = .seconds(60)) async throws -> Answer {
        try await run(words.map { "'\($0.replacing("'", with: "'\\''"))'" }.joined(separator: " "), timeout: timeout)
    }

    /// Runs a script that has to succeed, and returns what it wrote.
    ///
    /// - Throws: `ShellFailure` with its output when its status is not 0, and as `run`.
    @discardableResult
    public func output(_ script: String, timeout: Duration = .seconds(60)) async throws -> String {
        let answer = try await run(script, timeout: timeout)
        guard answer.status == 0 else {
            throw ShellFailure(
                .failed,
                "In the guest, '\(script.prefix(200))' ended with status \(answer.status):\n\(answer.output.suffix(2000))"
            )
        }
        return answer.output
    }

    /// Reads a file of the guest.
    ///
    /// - Throws: `ShellFailure` when it cannot be read.
    public func read(_ path: String, timeout: Duration = .seconds(60)) async throws -> [UInt8] {
        let answer = try await run(["cat", "--", path], timeout: timeout)
        guard answer.status == 0 else {
            throw ShellFailure(.failed, "In the guest, \(path) cannot be read: \(answer.output)")
        }
        return answer.bytes
    }

    /// Writes a file in the guest, replacing one that is there.
    ///
    /// - Throws: `ShellFailure` when it cannot be written.
    public func write(_ bytes: [UInt8], to path: String) async throws {
        let target = "'\(path.replacing("'", with: "'\\''"))'"
        try await output(": > \(target)")
        for start in stride(from: 0, to: bytes.count, by: 48_000) {
            let piece = Data(bytes[start..<min(start + 48_000, bytes.count)]).base64EncodedString()
            try await output("printf %s \(piece) | base64 -d >> \(target)")
        }
    }

    nonisolated func close() { connection?.close() }

    // MARK: Turns

    private func takingTurns<Value: Sendable>(_ work: () async throws -> Value) async throws -> Value {
        if isBusy { await withCheckedContinuation { waiting.append($0) } }
        isBusy = true
        defer {
            // The next in the row goes on with the turn still taken, so that nobody comes between.
            if waiting.isEmpty { isBusy = false } else { waiting.removeFirst().resume() }
        }
        try Task.checkCancellation()
        return try await work()
    }

    // MARK: Talking

    /// Whether the shell that answered last still holds its port.
    private var isKnown: Bool {
        guard let knownEvents else { return false }
        return !qmp.events.dropFirst(knownEvents).contains { isClosing($0) }
    }

    private func isClosing(_ event: MachineEvent) -> Bool {
        event.name == "RESET"
            || event.name == "VSERPORT_CHANGE" && event.data["id"]?.text == "shell-port"
                && event.data["open"]?.truth == false
    }

    private func find(within timeout: Duration) async throws {
        guard let connection else {
            throw ShellFailure(.noShell, "The machine has no shell: its description says so.")
        }
        knownEvents = nil
        let deadline = ContinuousClock.now + timeout
        while ContinuousClock.now < deadline {
            // Asked anew: a shell that ended may have taken the question with it.
            let mark = ShellFraming.mark()
            let count = qmp.events.count
            connection.send(Array("\necho \(mark)-here\n".utf8))
            let answer = Array("\(mark)-here\n".utf8)
            let found = try await poll(for: min(.seconds(5), deadline - .now)) { () -> Bool? in
                try checkOpen()
                return inbox.contains(answer) ? true : nil
            }
            guard found != nil else { continue }
            inbox.clear()
            knownEvents = count
            return
        }
        throw ShellFailure(
            .timedOut,
            "The root shell in the guest did not answer within \(timeout). Has systemd started, and is it 256 or newer?"
        )
    }

    private func execute(_ script: String, _ timeout: Duration) async throws -> Answer {
        guard let connection, let known = knownEvents else { throw ShellFailure(.noShell, "The machine has no shell.") }
        let framing = ShellFraming(script: script, seconds: max(1, Int(timeout.components.seconds)))
        inbox.clear()
        connection.send(framing.request)
        // The guest's own limit comes first; beyond it the shell itself does not answer.
        let answer = try await poll(for: timeout + .seconds(20)) { () -> Answer? in
            if let answer = try framing.answer(in: inbox.bytes) { return answer }
            try checkOpen()
            if qmp.events.dropFirst(known).contains(where: { isClosing($0) }) {
                knownEvents = nil
                throw ShellFailure(.ended, "The shell in the guest ended while it ran '\(script.prefix(200))'.")
            }
            return nil
        }
        guard let answer else {
            knownEvents = nil
            throw ShellFailure(
                .timedOut, "The shell in the guest did not answer to '\(script.prefix(200))' within \(timeout).")
        }
        guard answer.status != ShellFraming.timedOut else {
            throw ShellFailure(
                .timedOut,
                "In the guest, '\(script.prefix(200))' was killed after \(timeout):\n\(answer.output.suffix(2000))")
        }
        return answer
    }

    private func checkOpen() throws {
        guard !inbox.hasEnded else { throw ShellFailure(.noShell, "The machine has ended, and its shell with it.") }
    }
}

/// What the shell has sent and nobody has taken yet.
private final class Inbox: Sendable {
    private let state = Mutex<(bytes: [UInt8], hasEnded: Bool)>(([], false))

    var bytes: [UInt8] { state.withLock { $0.bytes } }
    var hasEnded: Bool { state.withLock { $0.hasEnded } }
    func append(_ piece: [UInt8]) { state.withLock { $0.bytes += piece } }
    func end() { state.withLock { $0.hasEnded = true } }
    func clear() { state.withLock { $0.bytes = [] } }
    func contains(_ bytes: [UInt8]) -> Bool { Data(self.bytes).range(of: Data(bytes)) != nil }
}
