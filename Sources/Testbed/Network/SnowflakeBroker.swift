// SPDX-License-Identifier: GPL-3.0-or-later
import Commands
import Foundation
import SystemPackage

/// Stands in for the server that leads snowflake to its volunteers. It takes connections and datagrams, and answers nothing: the
/// real one is no part of Debian, and what a machine sends on its way there is seen without it.
public final class SnowflakeBroker: Sendable {
    /// The line of a bridge that begins here. Its own address is nobody's, as in the lines that people get.
    public static let line =
        "snowflake 192.0.2.3:80 \(fingerprint) fingerprint=\(fingerprint) url=https://broker.example/ "
        + "fronts=\(Address.brokerNames.front) ice=stun:\(Address.brokerNames.stun):\(ports.stun)"
    private static let fingerprint = "0123456789ABCDEF0123456789ABCDEF01234567"
    static let ports = (broker: 443, stun: 3478)

    private let servers: [BackgroundCommand]

    /// Starts it.
    ///
    /// - Parameter network: Where it is to be.
    /// - Returns: The server, listening.
    /// - Throws: `NetworkFailure`.
    public static func start(in network: PrivateNetwork) async throws -> SnowflakeBroker {
        let sandbox = network.sandbox
        // -d -d: a line for each connection. It holds each open until the other side has had enough.
        let listeners = [
            ("broker", "TCP-LISTEN:\(ports.broker),bind=\(Address.broker),reuseaddr,fork"),
            ("stun", "UDP-RECV:\(ports.stun),bind=\(Address.broker)"),
        ]
        let servers = listeners.map { name, address in
            sandbox.start(name, "socat", ["-d", "-d", "-u", address, "OPEN:/dev/null"], in: PrivateNetwork.webHost)
        }
        let broker = SnowflakeBroker(servers: servers)
        do {
            for (server, word) in zip(servers, ["listening on", "starting data transfer loop"]) {
                try await waitUntil("The stand-in for snowflake", answers: server) {
                    (try? String(contentsOfFile: server.log.string, encoding: .utf8))?.contains(word) == true
                }
            }
            return broker
        } catch {
            await broker.stop()
            throw error
        }
    }

    private init(servers: [BackgroundCommand]) { self.servers = servers }

    /// How many connections have come so far.
    ///
    /// - Throws: An error of Foundation when the log cannot be read.
    public func connections() throws -> Int {
        guard let log = servers.first?.log else { return 0 }
        return try String(contentsOfFile: log.string, encoding: .utf8).split(separator: "\n").count {
            $0.contains("accepting connection from")
        }
    }

    func stop() async { for server in servers { await server.stop() } }

    /// Where it takes connections.
    static var endpoint: Endpoint? { IPv4Address(Address.broker).map { Endpoint($0, UInt16(ports.broker)) } }

    /// What a machine sends on its way to a volunteer, beside connections to the broker.
    static var exceptions: [AllowList.Exception] {
        guard let broker = IPv4Address(Address.broker), let router = IPv4Address(Address.router) else { return [] }
        return [
            .init(
                name: "Snowflake's names", reason: "the transport has to find its broker before there is any Tor",
                rule: .names(
                    [Address.brokerNames.front, Address.brokerNames.stun], of: [Endpoint(router, 53)])),
            .init(
                name: "Snowflake's own address", reason: "the transport asks how it is seen from outside",
                rule: .udp(to: [Endpoint(broker, UInt16(ports.stun))])),
        ]
    }
}
