// SPDX-License-Identifier: GPL-3.0-or-later
import Commands
import Foundation
import SystemPackage

/// A capture of every frame on a guest's tap device, from before the machine's power-on until it is stopped.
///
/// Two files are written, one for each direction as the kernel sees it (`tcpdump -Q`): so the judge need not guess from
/// addresses, which a guest can choose, which frames the guest sent. Start it before the machine; stop it after the machine
/// has ended, so that the last frames are in it too.
public final class FrameCapture: Sendable {
    /// What was captured.
    public struct Recording: Sendable, Hashable {
        /// The capture file with what the guest sent.
        public let fromGuest: FilePath
        /// The capture file with what was sent to the guest.
        public let toGuest: FilePath
        /// How many of the guest's frames the kernel dropped before they were written; `nil` when tcpdump could not say so,
        /// because it was killed.
        public let dropped: Int?

        /// A recording from its parts.
        public init(fromGuest: FilePath, toGuest: FilePath, dropped: Int?) {
            self.fromGuest = fromGuest
            self.toGuest = toGuest
            self.dropped = dropped
        }
    }

    /// The capture file with what the guest sent; it grows with each frame and can be read at any time.
    public let fromGuest: FilePath
    /// The capture file with what was sent to the guest.
    public let toGuest: FilePath
    private let logs: [FilePath]
    private let processes: [BackgroundCommand]

    /// Starts to capture and returns when tcpdump listens.
    ///
    /// - Parameters:
    ///   - interface: The tap device.
    ///   - sandbox: Where it is.
    ///   - namespace: The network namespace in the sandbox where it is; the sandbox's own when `nil`.
    ///   - name: The beginning of the names of the files in the sandbox's folder: `<name>-sent.pcap`, `<name>-received.pcap`.
    /// - Throws: `CommandFailure` when tcpdump is missing or cannot listen; `CaptureFailure` when it takes too long.
    public init(of interface: String, in sandbox: Sandbox, namespace: String? = nil, name: String = "guest")
        async throws
    {
        let files = ["sent", "received"].map { sandbox.work.appending("\(name)-\($0).pcap") }
        fromGuest = files[0]
        toGuest = files[1]
        logs = ["sent", "received"].map { sandbox.work.appending("\(name)-\($0).log") }
        for file in files + logs { try? FileManager.default.removeItem(atPath: file.string) }
        // -U: each frame is written at once. -s 0: all of it. -B: KiB for bursts. -Z: no other user, who could not write
        // here. -Q in: what the tap hands to the kernel, and that is what the guest sent.
        processes = zip(["in", "out"], zip(files, logs)).map { direction, paths in
            BackgroundCommand(
                sandbox.command(
                    "tcpdump",
                    [
                        "-i", interface, "-Q", direction, "-n", "-U", "-s", "0", "-B", "16384", "-Z", "root", "-w",
                        paths.0.string,
                    ], in: namespace), log: paths.1)
        }
        do {
            for (process, log) in zip(processes, logs) { try await Self.waitUntilListening(process, log) }
        } catch {
            await stopAll()
            throw error
        }
    }

    /// Ends the capture, when the last frames have been written.
    @discardableResult
    public func stop() async -> Recording {
        // tcpdump reads in blocks of up to a second's frames; what the guest sent just now is still on its way.
        await Task.detached { try? await Task.sleep(for: .milliseconds(1200)) }.value
        await stopAll()
        let log = (try? String(contentsOfFile: logs[0].string, encoding: .utf8)) ?? ""
        return Recording(fromGuest: fromGuest, toGuest: toGuest, dropped: Self.droppedFrames(inLog: log))
    }

    /// How many frames tcpdump missed, from its last words: "0 packets dropped by kernel", and also by the interface.
    static func droppedFrames(inLog log: String) -> Int? {
        var sum: Int?
        for line in log.split(whereSeparator: \.isNewline) where line.contains(" dropped by ") {
            guard let count = line.split(separator: " ").first.flatMap({ Int($0) }) else { return nil }
            sum = (sum ?? 0) + count
        }
        return sum
    }

    private func stopAll() async {
        for process in processes { await process.stop() }
    }

    private static func waitUntilListening(_ process: BackgroundCommand, _ log: FilePath) async throws {
        let deadline = ContinuousClock.now + .seconds(20)
        while ContinuousClock.now < deadline {
            if (try? String(contentsOfFile: log.string, encoding: .utf8))?.contains("listening on") == true { return }
            if process.hasEnded { try await process.wait() }
            try await Task.sleep(for: .milliseconds(20))
        }
        throw CaptureFailure(description: "tcpdump did not begin to listen within 20 s. What it wrote is in \(log).")
    }
}

/// A capture that could not begin.
public struct CaptureFailure: Error, Sendable, CustomStringConvertible {
    /// The failure for a person.
    public let description: String
}
