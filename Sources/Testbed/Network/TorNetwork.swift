// SPDX-License-Identifier: GPL-3.0-or-later
import Commands
import Foundation
import SystemPackage

/// A Tor network of its own: three authorities and three exit relays, the ordinary `tor` of this machine, each with an address
/// of its own in the private network.
///
/// A client is bootstrapped about 12 s after the start, where tor's own testing intervals take more than two minutes: the first
/// vote is timed so that it comes when the relays have just told of themselves, and not when the clock happens to say so.
/// Clients enter by the authorities, which are the only directories; see `TorRelay`.
public final class TorNetwork: Sendable {
    /// What the start has come to.
    public enum Stage: Sendable, CustomStringConvertible {
        /// The relays' keys are made.
        case keys
        /// The relays start.
        case relays
        /// The authorities have not yet agreed on a consensus in which the exits run.
        case voting
        /// Clients can use it.
        case ready

        /// The stage for a person.
        public var description: String {
            switch self {
            case .keys: "making the relays' keys"
            case .relays: "starting the relays"
            case .voting: "waiting for the authorities' vote"
            case .ready: "ready"
            }
        }
    }

    /// The seconds between two consensuses: of the first ones, and of those after the first.
    static let votingInterval = (first: 10, later: 20)
    /// The seconds from a first vote to its count, and again from there to the consensus.
    static let votingDelay = 2
    /// The seconds from the start of the relays to the first vote: what they need to tell the authorities of themselves.
    static let announcing = 4
    static let resolverFile = "exit-resolver.conf"

    /// The relays, authorities first.
    public let relays: [TorRelay]
    /// The addresses one of which the web server sees when a page is fetched through the network.
    public var exitAddresses: [String] { relays.filter { $0.role == .exit }.map(\.address) }
    private let network: PrivateNetwork
    private let running: [(relay: TorRelay, process: BackgroundCommand)]

    /// Starts the network and waits until every authority has a consensus in which all relays run.
    ///
    /// - Parameters:
    ///   - network: Where the relays are to be; one Tor network fits into it.
    ///   - limit: How long it may take, keys included.
    ///   - progress: Is told each stage as it begins.
    /// - Returns: The network, ready for clients.
    /// - Throws: `NetworkFailure` with the end of the log of the relay that failed; `CommandFailure` of the key makers.
    public static func start(
        in network: PrivateNetwork, limit: Duration = .seconds(90), progress: @Sendable (Stage) -> Void = { _ in }
    ) async throws -> TorNetwork {
        let deadline = ContinuousClock.now + limit
        progress(.keys)
        let relays = try await makeRelays(in: network.sandbox)
        progress(.relays)
        let resolver = network.sandbox.work.appending(resolverFile)
        try Data("nameserver \(Address.exitResolver)\n".utf8).write(to: URL(fileURLWithPath: resolver.string))
        let common = ["TestingTorNetwork 1"] + relays.compactMap(\.directoryLine)
        let exits = relays.filter { $0.role == .exit }.map(\.fingerprint)
        // Consensuses become valid when the time since midnight, less the offset, is a multiple of the interval.
        let first = Int(Date().timeIntervalSince1970) + announcing + 2 * votingDelay
        let offset = first % votingInterval.first
        var running: [(TorRelay, BackgroundCommand)] = []
        do {
            for relay in relays {
                let process = try relay.start(
                    common: common, exits: exits, votingOffset: offset, in: network.sandbox)
                running.append((relay, process))
            }
            let tor = TorNetwork(relays: relays, network: network, running: running)
            progress(.voting)
            try await tor.waitForConsensus(until: deadline)
            progress(.ready)
            return tor
        } catch {
            await stop(running.map(\.1))
            throw error
        }
    }

    private init(relays: [TorRelay], network: PrivateNetwork, running: [(TorRelay, BackgroundCommand)]) {
        self.relays = relays
        self.network = network
        self.running = running
    }

    /// What a client's torrc has to say so that the client uses this network and no other.
    public var clientConfiguration: [String] {
        // A testing network lets clients believe in private addresses; as everywhere else, they are not to.
        ["TestingTorNetwork 1", "ClientDNSRejectInternalAddresses 1", "ClientRejectInternalAddresses 1"]
            + relays.compactMap(\.directoryLine)
    }

    /// Starts an ordinary tor on the LAN's computer, for comparison with a machine under test.
    ///
    /// - Parameter limit: How long its bootstrap may take.
    /// - Returns: The client, bootstrapped.
    /// - Throws: `NetworkFailure` with the end of the client's log.
    public func bareClient(limit: Duration = .seconds(30)) async throws -> TorClient {
        try await TorClient.start(configuration: clientConfiguration, in: network.sandbox, limit: limit)
    }

    /// Fails when a relay has ended.
    ///
    /// - Throws: `NetworkFailure` with the end of its log.
    public func check() throws {
        for (relay, process) in running where process.hasEnded {
            throw NetworkFailure(.ended, "The Tor relay \(relay.name) ended.", log: process.log)
        }
    }

    /// Stops the relays.
    public func stop() async { await Self.stop(running.map(\.process)) }

    private static func stop(_ processes: [BackgroundCommand]) async {
        await withTaskGroup { group in
            for process in processes { group.addTask { await process.stop() } }
        }
    }

    private static func makeRelays(in sandbox: Sandbox) async throws -> [TorRelay] {
        let authorities = Address.authorities.enumerated().map { (TorRelay.Role.authority, "authority\($0 + 1)", $1) }
        let exits = Address.exits.enumerated().map { (TorRelay.Role.exit, "exit\($0 + 1)", $1) }
        return try await withThrowingTaskGroup { group in
            for (index, (role, name, address)) in (authorities + exits).enumerated() {
                group.addTask { (index, try await TorRelay.make(role, name: name, address: address, in: sandbox)) }
            }
            var made: [(Int, TorRelay)] = []
            for try await pair in group { made.append(pair) }
            return made.sorted { $0.0 < $1.0 }.map(\.1)
        }
    }

    private func waitForConsensus(until deadline: ContinuousClock.Instant) async throws {
        let wanted = Set(relays.map(\.name))
        let authorities = running.filter { $0.relay.role == .authority }
        while true {
            try Task.checkCancellation()
            try check()
            let behind = authorities.first { !Consensus.running(in: $0.relay.folder).isSuperset(of: wanted) }
            guard let behind else { return }
            if ContinuousClock.now > deadline {
                let names = Consensus.running(in: behind.relay.folder).sorted().joined(separator: ", ")
                throw NetworkFailure(
                    .timeout,
                    "The Tor network has no consensus with all relays in time: \(behind.relay.name) counts as running: "
                        + "\(names.isEmpty ? "none" : names).", log: behind.process.log)
            }
            try await Task.sleep(for: .milliseconds(100))
        }
    }
}

/// The list of relays on which the authorities have agreed. See dir-spec, "Network status consensus".
enum Consensus {
    /// The nicknames of the relays that an authority's newest consensus counts as running.
    static func running(in dataFolder: FilePath) -> Set<String> {
        let file = dataFolder.appending("cached-microdesc-consensus")
        guard let text = try? String(contentsOfFile: file.string, encoding: .utf8) else { return [] }
        return running(in: text)
    }

    /// The nicknames of the relays with the flag Running: an `r` line names a relay, the next `s` line has its flags.
    static func running(in text: String) -> Set<String> {
        var names: Set<String> = []
        var name: Substring?
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ")
            switch words.first {
            case "r": name = words.count > 1 ? words[1] : nil
            case "s":
                if let name, words.contains("Running") { names.insert(String(name)) }
                name = nil
            default: break
            }
        }
        return names
    }
}
