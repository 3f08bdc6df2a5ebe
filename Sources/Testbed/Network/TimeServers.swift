// SPDX-License-Identifier: GPL-3.0-or-later
import Commands
import Foundation
import SystemPackage

/// Web sites with TLS in the private network that say what time it is, in the way all web servers do; the last of them lies by a
/// day. They are `socat` with a certificate of an authority that is made for the occasion, each an operator of its own.
public final class TimeServers: Sendable {
    /// Seconds by which the last server is wrong.
    public static let lie = 86_400

    private let servers: [BackgroundCommand]
    private let certificate: String

    /// The file of the guest that goes before its own list of sources.
    private static let list = "/etc/needletail/time-sources.json"
    /// The file of the guest with the authority's certificate.
    private static let authority = "/etc/needletail/time-sources.pem"

    /// Makes the certificates and starts the servers.
    ///
    /// - Parameter network: Where they are to be.
    /// - Returns: The servers, answering.
    /// - Throws: `CommandFailure`, `NetworkFailure`.
    public static func start(in network: PrivateNetwork) async throws -> TimeServers {
        let sandbox = network.sandbox
        let folder = sandbox.work.appending("time")
        try? FileManager.default.removeItem(atPath: folder.string)
        try FileManager.default.createDirectory(atPath: folder.string, withIntermediateDirectories: true)
        let (key, certificate) = (folder.appending("ca.key").string, folder.appending("ca.pem").string)
        let new = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30"]
        _ = try await sandbox.command(
            "openssl", new + ["-subj", "/CN=Testbed", "-keyout", key, "-out", certificate]
        ).output()
        var servers: [BackgroundCommand] = []
        do {
            for (index, (name, address)) in zip(Address.timeServerNames, Address.timeServers).enumerated() {
                let own = folder.appending(name).string
                _ = try await sandbox.command(
                    "openssl",
                    new + [
                        "-subj", "/CN=\(name)", "-addext", "subjectAltName=DNS:\(name)", "-CA", certificate,
                        "-CAkey", key, "-keyout", "\(own).key", "-out", "\(own).pem",
                    ]
                ).output()
                let offset = index == Address.timeServers.count - 1 ? lie : 0
                try Data(script(offset).utf8).write(to: URL(fileURLWithPath: "\(own).sh"))
                try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: "\(own).sh")
                servers.append(
                    sandbox.start(
                        "time-\(index + 1)", "socat",
                        [
                            "OPENSSL-LISTEN:443,bind=\(address),reuseaddr,fork,cert=\(own).pem,key=\(own).key,verify=0",
                            "EXEC:\(own).sh",
                        ], in: PrivateNetwork.webHost))
                let question = sandbox.command(
                    "curl",
                    [
                        "-sS", "--head", "--max-time", "2", "--cacert", certificate, "--resolve",
                        "\(name):443:\(address)", "https://\(name)/",
                    ], in: PrivateNetwork.webHost)
                try await waitUntil("The time server \(name)", answers: servers[index]) {
                    (try? await question.output())?.contains("Date: ") == true
                }
            }
            return TimeServers(
                servers: servers, certificate: try String(contentsOfFile: certificate, encoding: .utf8))
        } catch {
            for server in servers { await server.stop() }
            throw error
        }
    }

    private init(servers: [BackgroundCommand], certificate: String) {
        self.servers = servers
        self.certificate = certificate
    }

    /// What makes the guest ask these servers and no others.
    public var credentials: [Credential] {
        let operators = Address.timeServerNames.map { name in
            #"{"name": "\#(name)", "reason": "of the testbed", "sources": [{"kind": "https", "host": "\#(name)"}]}"#
        }
        let list = #"{"authorities": "\#(Self.authority)", "operators": [\#(operators.joined(separator: ", "))]}"#
        return [.file(Self.list, list + "\n"), .file(Self.authority, certificate)]
    }

    func stop() async {
        for server in servers { await server.stop() }
    }

    /// What answers one request.
    private static func script(_ offset: Int) -> String {
        """
        #!/bin/sh
        read -r request
        date=$(LC_ALL=C date -u -d "@$(($(date +%s) + \(offset)))" '+%a, %d %b %Y %H:%M:%S GMT')
        printf 'HTTP/1.1 200 OK\\r\\nDate: %s\\r\\nContent-Length: 0\\r\\nConnection: close\\r\\n\\r\\n' "$date"

        """
    }
}
