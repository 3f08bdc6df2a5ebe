// SPDX-License-Identifier: GPL-3.0-or-later
import TorControl
import Varlink

/// Asks Tor, through the control filter, and the connection service.
public struct StatusReader: Sendable {
    /// The filter's socket for this program.
    public var control = "/run/needletail/control/status.sock"
    /// Tor's cookie, where this is Tor's own socket.
    public var cookie: String?
    /// The connection service's socket.
    public var connection = "/run/needletail/connection.sock"

    /// Asks at the usual sockets.
    public init() {}

    /// Asks everything once.
    ///
    /// - Returns: what is known; what cannot be asked is missing and said so in ``TorStatus/failure``.
    public func read() async -> TorStatus {
        var report = TorStatus()
        async let connectionReport = readConnection()
        do {
            let client = try await connect()
            try await fill(&report, client)
            await client.close()
        } catch let failure as ControlFailure {
            report.failure = StatusWords.reason(failure)
        } catch {
            report.failure = "\(error)".printable
        }
        report.connection = await connectionReport
        return report
    }

    func connect() async throws -> Client { try await Client.connect(socket: control, cookie: cookie) }

    func fill(_ report: inout TorStatus, _ client: Client) async throws {
        let bootstrap = try await client.bootstrap()
        report.progress = bootstrap.progress
        report.step = bootstrap.summary.printable
        report.warning = bootstrap.warning?.printable
        // Tor keeps 100 % when it can no longer make circuits.
        let canUse = try? await client.getInfo("status/circuit-established")
        report.isConnected = bootstrap.isDone && canUse != "0"
        report.knowsCountries = (try? await client.getInfo("ip-to-country/ipv4-available")) == "1"
        var countries: [String: String] = [:]
        for circuit in try await client.circuits() {
            guard circuit.status == .built else {
                report.circuitsInTheMaking += 1
                continue
            }
            var relays: [TorStatus.RelayReport] = []
            for relay in circuit.path {
                if report.knowsCountries, countries[relay.fingerprint] == nil {
                    countries[relay.fingerprint] = await country(of: relay, client)
                }
                relays.append(
                    .init(
                        fingerprint: relay.fingerprint, nickname: relay.nickname, country: countries[relay.fingerprint])
                )
            }
            report.circuits.append(
                .init(identifier: circuit.identifier, purpose: circuit.purpose?.printable, relays: relays))
        }
    }

    /// Two letters, from the address that the consensus gives for a relay; bridges are not in it.
    private func country(of relay: Relay, _ client: Client) async -> String? {
        guard let entry = try? await client.getInfo("ns/id/\(relay.fingerprint)"),
            let line = entry.split(separator: "\n").first(where: { $0.hasPrefix("r ") })
        else { return nil }
        // r nickname identity digest date time address ORPort DirPort: dir-spec 3.4.1.
        let words = line.split(separator: " ")
        guard words.count >= 9, let country = try? await client.getInfo("ip-to-country/\(words[6])"),
            country.utf8.count == 2,
            country != "??"
        else { return nil }
        return country.printable
    }

    private func readConnection() async -> TorStatus.ConnectionReport? {
        struct Answer: Codable, Sendable { var state: TorStatus.ConnectionReport }
        let answer = try? await VarlinkClient(path: connection).call(
            "org.needletail.Connection.GetState", within: .seconds(5), returning: Answer.self)
        guard var state = answer?.state else { return nil }
        state.sentence = state.sentence?.printable
        state.explanation = state.explanation?.printable
        state.advice = state.advice?.printable
        return state
    }
}
