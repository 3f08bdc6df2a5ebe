// SPDX-License-Identifier: GPL-3.0-or-later
import Commands
import Foundation
import SystemPackage

/// A rehearsal in which the user chooses how to connect, with a bridge outside. What the machine sends is judged by parts of
/// its time: before the choice, while it hides, when it connects directly.
public struct BridgeTrial: Sendable {
    /// The machine and what is around it.
    public let trial: Trial
    /// The bridge.
    public let bridge: TorBridge
    /// Where snowflake begins.
    public let broker: SnowflakeBroker

    /// Whom the machine may talk to, beside the LAN's router for an address.
    public enum Reach: Sendable, CaseIterable {
        case nobody
        /// The bridge, and nobody else: no relay, no directory.
        case bridge
        /// Where snowflake begins, and nobody else: no bridge, no relay, no directory; and the LAN's server for the two names.
        case snowflake
        /// Every relay and the bridge.
        case everybody
    }

    /// What the machine sent, to be judged.
    public struct Evidence: Sendable {
        let frames: [CapturedFrame]
        let tor: TorNetwork
        /// Frames that the kernel dropped before they were captured; `nil` when that is not known.
        public let dropped: Int?

        /// Judges a part of the machine's time.
        ///
        /// - Parameters:
        ///   - part: the part; `nil` for all of it.
        ///   - reach: whom the machine may talk to in it.
        /// - Returns: the verdict.
        /// - Throws: `CaptureFailure`.
        public func verdict(on part: CaptiveTrial.Window?, mayReach reach: Reach) throws -> Verdict {
            var judge = try Trial.judge(for: tor)
            let bridge = IPv4Address(Address.bridge).map { address in
                TorBridge.Port.allCases.map { Endpoint(address, UInt16($0.rawValue)) }
            }
            judge.allowList.exceptions = judge.allowList.exceptions.compactMap { exception in
                guard case .tcp(let relays) = exception.rule else { return exception }
                let places: Set<Endpoint> =
                    switch reach {
                    case .nobody: []
                    case .snowflake: Set(SnowflakeBroker.endpoint.map { [$0] } ?? [])
                    case .bridge: Set(bridge ?? [])
                    case .everybody: relays.union(bridge ?? [])
                    }
                return .init(name: exception.name, reason: exception.reason, rule: .tcp(to: places))
            }
            if reach == .snowflake { judge.allowList.exceptions += SnowflakeBroker.exceptions }
            return judge.verdict(on: part.map { part in frames.filter { part.contains($0.nanoseconds) } } ?? frames)
        }
    }

    /// Starts everything, runs a body, and stops everything.
    ///
    /// - Parameters:
    ///   - plan: what is started; the boot menu must be readable, which it is with a BIOS.
    ///   - keys: what is pressed in the boot menu.
    ///   - work: as for `Trial.with`.
    ///   - body: what is done while the machine runs, from the menu on.
    /// - Returns: what the body returns, and what the machine sent until its end.
    /// - Throws: as `Trial.with`.
    public nonisolated(nonsending) static func with<Value: Sendable>(
        _ plan: Trial.Plan, menu keys: [String], work: FilePath,
        _ body: nonisolated(nonsending) (BridgeTrial) async throws -> Value
    ) async throws -> (Value, Evidence) {
        let sandbox = try await Sandbox.open(work: work)
        do {
            let network = try await PrivateNetwork.start(in: sandbox)
            let tor = try await TorNetwork.start(in: network)
            let bridge = try await TorBridge.start(for: tor, in: network)
            let broker = try await SnowflakeBroker.start(in: network)
            try await network.addTap(Trial.tap)
            let capture = try await FrameCapture(of: Trial.tap, in: sandbox, namespace: PrivateNetwork.lan)
            let value = try await Machine.with(
                Trial.description(plan, tor: tor), in: sandbox, namespace: PrivateNetwork.lan
            ) { machine in
                try await machine.wait(forScreenText: "Choose how to connect", within: .seconds(60))
                try await machine.sendKeys(keys)
                let trial = Trial(machine: machine, network: network, tor: tor, capture: capture)
                return try await body(BridgeTrial(trial: trial, bridge: bridge, broker: broker))
            }
            let recording = await capture.stop()
            let frames = try PcapFile(readingFrom: recording.fromGuest).frames
            await bridge.stop()
            await broker.stop()
            await sandbox.close()
            return (value, Evidence(frames: frames, tor: tor, dropped: recording.dropped))
        } catch {
            await sandbox.close()
            throw error
        }
    }
}
