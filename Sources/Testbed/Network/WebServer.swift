// SPDX-License-Identifier: GPL-3.0-or-later
import Commands
import Foundation
import SystemPackage

/// The web server of the private network, BusyBox's `httpd`. Its page is the address of the client that asked for it.
public final class WebServer: Sendable {
    /// One connection that the server saw.
    public struct Visit: Sendable, Hashable {
        /// The client's address.
        public let address: String
        /// The client's port.
        public let port: Int
        /// What was asked for; `nil` when the client connected and asked for nothing.
        public let path: String?
    }

    /// The address of the page.
    public static let page = "http://\(Address.web)/"
    /// The folder whose files the server hands out beside its page.
    public let files: FilePath
    private let server: BackgroundCommand

    static func start(in sandbox: Sandbox) async throws -> WebServer {
        let files = sandbox.work.appending("web")
        let folder = files.appending("cgi-bin")
        try FileManager.default.createDirectory(atPath: folder.string, withIntermediateDirectories: true)
        // httpd runs this for "/", because there is no index.html.
        let page = """
            #!/bin/sh
            printf 'Content-Type: text/plain\\r\\nCache-Control: no-store\\r\\n\\r\\n%s\\n' "$REMOTE_ADDR"
            """
        let script = folder.appending("index.cgi").string
        try Data(page.utf8).write(to: URL(fileURLWithPath: script))
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: script)
        // -f: stay in the foreground; -vvv: log connections and requests.
        let server = sandbox.start(
            "web", "busybox", ["httpd", "-f", "-vvv", "-p", "\(Address.web):80", "-h", files.string],
            in: PrivateNetwork.webHost)
        let web = WebServer(files: files, server: server)
        let question = sandbox.command(
            "curl", ["-sS", "--max-time", "2", "http://\(Address.web)/"], in: PrivateNetwork.webHost)
        do {
            try await waitUntil("The web server", answers: server) {
                (try? await question.output()) == "\(Address.web)\n"
            }
        } catch {
            await server.stop()
            throw error
        }
        return web
    }

    private init(files: FilePath, server: BackgroundCommand) {
        self.files = files
        self.server = server
    }

    /// Every connection since the start, in order, but those from the server's own host.
    ///
    /// - Throws: An error of Foundation when the log cannot be read.
    public func visits() throws -> [Visit] {
        Self.visits(in: try String(contentsOfFile: server.log.string, encoding: .utf8))
    }

    func stop() async { await server.stop() }

    /// Reads httpd's log: `ADDRESS:PORT: connected`, then `ADDRESS:PORT: url:PATH`.
    static func visits(in log: String) -> [Visit] {
        var visits: [Visit] = []
        for line in log.split(separator: "\n") {
            let parts = line.split(separator: ": ", maxSplits: 1)
            guard parts.count == 2, let colon = parts[0].lastIndex(of: ":"),
                let port = Int(parts[0][parts[0].index(after: colon)...])
            else { continue }
            let address = String(parts[0][..<colon])
            guard address != Address.web else { continue }
            if parts[1] == "connected" {
                visits.append(Visit(address: address, port: port, path: nil))
            } else if parts[1].hasPrefix("url:") {
                let path = String(parts[1].dropFirst(4))
                let visit = Visit(address: address, port: port, path: path)
                if let index = visits.lastIndex(where: { $0.address == address && $0.port == port && $0.path == nil }) {
                    visits[index] = visit
                } else {
                    visits.append(visit)
                }
            }
        }
        return visits
    }
}

/// Waits until a server answers.
///
/// - Throws: `NetworkFailure` when it ended, or did not answer within 10 s, with the end of its log.
func waitUntil(
    _ name: String, answers server: BackgroundCommand, within limit: Duration = .seconds(10),
    _ isReady: () async throws -> Bool
) async throws {
    let deadline = ContinuousClock.now + limit
    while try await !isReady() {
        try Task.checkCancellation()
        if server.hasEnded { throw NetworkFailure(.ended, "\(name) ended.", log: server.log) }
        if ContinuousClock.now > deadline {
            throw NetworkFailure(.timeout, "\(name) did not answer within \(limit).", log: server.log)
        }
        try await Task.sleep(for: .milliseconds(20))
    }
}
