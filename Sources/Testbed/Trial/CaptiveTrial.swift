// SPDX-License-Identifier: GPL-3.0-or-later
import Commands
import Foundation
import SystemPackage

/// A rehearsal behind a router that wants a login first. What the machine sends is judged by parts of its time: the browser for
/// the login page may talk to the router only while it is open.
public struct CaptiveTrial: Sendable {
    /// The machine and what is around it.
    public let trial: Trial
    /// The router.
    public let router: CaptiveRouter

    /// A part of the machine's time, by the maker's clock.
    public struct Window: Sendable, Hashable {
        /// Nanoseconds since 1970.
        public let start: UInt64
        /// Nanoseconds since 1970.
        public let end: UInt64

        /// A part of time.
        public init(from start: UInt64, to end: UInt64) {
            self.start = start
            self.end = end
        }

        func contains(_ time: UInt64) -> Bool { time >= start && time < end }
    }

    /// What the machine sent, to be judged.
    public struct Evidence: Sendable {
        let frames: [CapturedFrame]
        let judge: Judge
        /// Frames that the kernel dropped before they were captured; `nil` when that is not known.
        public let dropped: Int?

        /// Judges the frames.
        ///
        /// - Parameters:
        ///   - windows: when the login page was open.
        ///   - part: the part of time that is judged.
        /// - Returns: the verdict on both.
        public func verdict(windows: [Window], in part: Window) -> Verdict {
            let frames = frames.filter { part.contains($0.nanoseconds) }
            let (open, closed) = (
                frames.filter { frame in windows.contains { $0.contains(frame.nanoseconds) } },
                frames.filter { frame in !windows.contains { $0.contains(frame.nanoseconds) } }
            )
            var lenient = judge
            lenient.allowList.exceptions += Self.exceptions
            return judge.verdict(on: closed).adding(lenient.verdict(on: open))
        }

        private static var exceptions: [AllowList.Exception] {
            guard let router = IPv4Address(Address.router) else { return [] }
            let names = Endpoint(router, UInt16(CaptiveRouter.places.names))
            let pages = Endpoint(router, UInt16(CaptiveRouter.places.pages))
            return [
                .init(
                    name: "Portal names", reason: "the browser asks the name server of the network",
                    rule: .udp(to: [names])),
                .init(
                    name: "Portal pages", reason: "the browser shows the login page", rule: .tcp(to: [pages, names])),
            ]
        }
    }

    /// Now, as the capture counts time.
    public static var now: UInt64 { UInt64(Date().timeIntervalSince1970 * 1e9) }

    /// Starts everything, runs a body, and stops everything.
    ///
    /// - Parameters:
    ///   - plan: What is started.
    ///   - work: As for `Trial.with`.
    ///   - body: What is done while the machine runs.
    /// - Returns: What the body returns, and what the machine sent until its end.
    /// - Throws: As `Trial.with`.
    public nonisolated(nonsending) static func with<Value: Sendable>(
        _ plan: Trial.Plan, work: FilePath, _ body: nonisolated(nonsending) (CaptiveTrial) async throws -> Value
    ) async throws -> (Value, Evidence) {
        let sandbox = try await Sandbox.open(work: work)
        do {
            let network = try await PrivateNetwork.start(in: sandbox)
            let tor = try await TorNetwork.start(in: network)
            let router = try await CaptiveRouter.start(in: network)
            try await network.addTap(Trial.tap)
            let capture = try await FrameCapture(of: Trial.tap, in: sandbox, namespace: PrivateNetwork.lan)
            let value = try await Machine.with(
                Trial.description(plan, tor: tor), in: sandbox, namespace: PrivateNetwork.lan
            ) { machine in
                let trial = Trial(machine: machine, network: network, tor: tor, capture: capture)
                return try await body(CaptiveTrial(trial: trial, router: router))
            }
            let recording = await capture.stop()
            let frames = try PcapFile(readingFrom: recording.fromGuest).frames
            let evidence = Evidence(frames: frames, judge: try Trial.judge(for: tor), dropped: recording.dropped)
            await router.stop()
            await sandbox.close()
            return (value, evidence)
        } catch {
            await sandbox.close()
            throw error
        }
    }
}
