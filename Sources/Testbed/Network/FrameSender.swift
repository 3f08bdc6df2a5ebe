// SPDX-License-Identifier: GPL-3.0-or-later
import Commands
import Foundation
import SystemPackage

/// Sends frames into a local network, byte by byte as they are given: a neighbour that keeps to no rule.
///
/// `socat` turns each datagram of a UNIX socket into a frame; the socket is a file that inside and outside of the sandbox is the
/// same.
public final class FrameSender: Sendable {
    private let path: FilePath
    private let process: BackgroundCommand

    /// Starts to listen for frames.
    ///
    /// - Parameters:
    ///   - bridge: The local network's bridge.
    ///   - sandbox: Where it is.
    /// - Throws: `NetworkFailure` when `socat` does not start.
    public init(into bridge: String = PrivateNetwork.bridge, in sandbox: Sandbox) async throws {
        let path = sandbox.work.appending("frames-\(bridge).sock")
        self.path = path
        try? FileManager.default.removeItem(atPath: path.string)
        // A cable of its own into the bridge: what is sent on the bridge itself would not be switched like a neighbour's frame.
        let lines = [
            "link add frames0 type veth peer name frames1", "link set frames0 master \(bridge)",
            "link set frames0 up", "link set frames1 arp off up",
        ]
        _ = try? await sandbox.command("ip", ["-batch", "-"], in: PrivateNetwork.lan).output(
            input: lines.joined(separator: "\n") + "\n")
        _ = try await sandbox.command("ip", ["link", "set", "frames0", "master", bridge], in: PrivateNetwork.lan)
            .output()
        process = sandbox.start(
            "frames-\(bridge)", "socat", ["-u", "-b", "4096", "UNIX-RECV:\(path)", "INTERFACE:frames1"],
            in: PrivateNetwork.lan)
        do {
            try await waitUntil("socat", answers: process) { FileManager.default.fileExists(atPath: path.string) }
        } catch {
            await process.stop()
            throw error
        }
    }

    /// Sends frames, one every few milliseconds, so that none is lost in a queue.
    ///
    /// - Parameter frames: Whole frames without checksum, 14…1514 bytes.
    /// - Throws: `Errno` when nobody takes them.
    public func send(_ frames: [[UInt8]]) async throws {
        let socket = try UNIXSocket(SOCK_DGRAM, to: path)
        for (index, frame) in frames.enumerated() {
            _ = try socket.send(frame[...])
            if index % 8 == 7 { try await Task.sleep(for: .milliseconds(10)) }
        }
        // The last ones are still on their way through socat.
        try await Task.sleep(for: .milliseconds(200))
    }

    /// Ends it.
    public func stop() async { await process.stop() }
}
