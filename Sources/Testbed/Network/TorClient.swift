// SPDX-License-Identifier: GPL-3.0-or-later
import Commands
import Foundation
import SystemPackage

/// An ordinary tor on the LAN's computer, used like any program uses tor: by its SOCKS port.
public final class TorClient: Sendable {
    /// Where it accepts SOCKS connections, on the LAN's computer only.
    public static let socks = "127.0.0.1:9050"
    private let sandbox: Sandbox
    private let process: BackgroundCommand

    static func start(configuration: [String], in sandbox: Sandbox, limit: Duration) async throws -> TorClient {
        let folder = sandbox.work.appending("tor-client")
        try? FileManager.default.removeItem(atPath: folder.string)
        try FileManager.default.createDirectory(
            atPath: folder.string, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        let lines = configuration + ["DataDirectory \(folder)", "SocksPort \(socks)", "Log notice stdout"]
        let torrc = folder.appending("torrc")
        try Data(lines.map { $0 + "\n" }.joined().utf8).write(to: URL(fileURLWithPath: torrc.string))
        let process = sandbox.start(
            "tor-client", "tor", ["--defaults-torrc", "/dev/null", "-f", torrc.string], in: PrivateNetwork.computer)
        do {
            try await waitUntil("The Tor client", answers: process, within: limit) {
                (try? String(contentsOfFile: process.log.string, encoding: .utf8))?.contains("Bootstrapped 100%")
                    == true
            }
        } catch {
            await process.stop()
            throw error
        }
        return TorClient(sandbox: sandbox, process: process)
    }

    private init(sandbox: Sandbox, process: BackgroundCommand) {
        self.sandbox = sandbox
        self.process = process
    }

    /// Fetches a page through Tor; names are looked up by the exit.
    ///
    /// - Parameter page: The page's address.
    /// - Returns: The page without white space at its ends.
    /// - Throws: `CommandFailure` when it does not arrive within 30 s.
    public func fetch(_ page: String = WebServer.page) async throws -> String {
        try await sandbox.command(
            "curl", ["-sS", "--max-time", "30", "--socks5-hostname", Self.socks, page], in: PrivateNetwork.computer
        ).output().trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// Stops it.
    public func stop() async { await process.stop() }
}
