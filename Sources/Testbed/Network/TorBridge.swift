// SPDX-License-Identifier: GPL-3.0-or-later
import Commands
import Foundation
import SystemPackage

/// A bridge of the private Tor network, of which its directories know nothing: once as it is, once behind obfs4.
public final class TorBridge: Sendable {
    /// Where it can be reached.
    public enum Port: Int, Sendable, CaseIterable {
        /// Without a disguise.
        case plain = 9001
        /// Behind obfs4.
        case obfs4 = 9443
        /// Where nobody listens.
        case closed = 9999
    }

    /// Its line for a client, as people get it.
    public let plainLine: String
    /// Its line for a client, with obfs4.
    public let obfs4Line: String
    /// The line of a bridge that is not there.
    public var unreachableLine: String {
        plainLine.replacing(":\(Port.plain.rawValue) ", with: ":\(Port.closed.rawValue) ")
    }
    private let process: BackgroundCommand

    /// Starts the bridge and waits until it takes connections.
    ///
    /// - Parameters:
    ///   - tor: the network that it leads into.
    ///   - network: where it is to be.
    /// - Returns: the bridge; it knows the way into the network a few seconds later.
    /// - Throws: `NetworkFailure` with the end of its log, `CommandFailure`.
    public static func start(for tor: TorNetwork, in network: PrivateNetwork) async throws -> TorBridge {
        let sandbox = network.sandbox
        let relay = try await TorRelay.make(.exit, name: "bridge", address: Address.bridge, in: sandbox)
        let lines =
            tor.clientConfiguration + [
                "Nickname bridge", "DataDirectory \(relay.folder)", "Address \(relay.address)",
                "ORPort \(relay.address):\(Port.plain.rawValue)", "OutboundBindAddress \(relay.address)",
                "BridgeRelay 1", "PublishServerDescriptor 0", "BridgeDistribution none", "ExitRelay 0",
                "ExtORPort auto", "ServerTransportPlugin obfs4 exec /usr/bin/obfs4proxy",
                "ServerTransportListenAddr obfs4 \(relay.address):\(Port.obfs4.rawValue)",
                "SocksPort 0", "Log notice stdout", "AssumeReachable 1", "ShutdownWaitLength 0", "NumCPUs 1",
                "ContactInfo none",
            ]
        let torrc = relay.folder.appending("torrc")
        try Data(lines.map { $0 + "\n" }.joined().utf8).write(to: URL(fileURLWithPath: torrc.string))
        let process = sandbox.start(
            "tor-bridge", "tor", ["--defaults-torrc", "/dev/null", "-f", torrc.string], in: PrivateNetwork.internet)
        let folder = relay.folder
        do {
            try await waitUntil("The bridge", answers: process, within: .seconds(30)) {
                let log = try? String(contentsOfFile: process.log.string, encoding: .utf8)
                return log?.contains("Bootstrapped 100%") == true && certificate(in: folder) != nil
            }
            guard let certificate = certificate(in: folder) else {
                throw NetworkFailure(.unexpectedOutput, "obfs4proxy has no certificate.", log: process.log)
            }
            return TorBridge(
                plainLine: "\(relay.address):\(Port.plain.rawValue) \(relay.fingerprint)",
                obfs4Line:
                    "obfs4 \(relay.address):\(Port.obfs4.rawValue) \(relay.fingerprint) \(certificate) iat-mode=0",
                process: process)
        } catch {
            await process.stop()
            throw error
        }
    }

    private init(plainLine: String, obfs4Line: String, process: BackgroundCommand) {
        self.plainLine = plainLine
        self.obfs4Line = obfs4Line
        self.process = process
    }

    /// Stops it.
    public func stop() async { await process.stop() }

    /// `Bridge obfs4 <IP ADDRESS>:<PORT> <FINGERPRINT> cert=… iat-mode=0`, written by obfs4proxy.
    private static func certificate(in folder: FilePath) -> String? {
        let file = folder.appending("pt_state").appending("obfs4_bridgeline.txt")
        guard let text = try? String(contentsOfFile: file.string, encoding: .utf8) else { return nil }
        return text.split(whereSeparator: \.isWhitespace).first { $0.hasPrefix("cert=") }.map(String.init)
    }
}
