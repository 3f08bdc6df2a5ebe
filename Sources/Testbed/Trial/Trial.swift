// SPDX-License-Identifier: GPL-3.0-or-later
import Commands
import Foundation
import SystemPackage

/// A whole rehearsal: a machine that starts an image, a private Tor network around it, and a capture of every frame that the
/// machine sends from power-on.
///
/// ```swift
/// try await Trial.with(plan, work: folder) { trial in
///     try await trial.waitForTor(within: .seconds(180))
///     let address = try await trial.fetchPage()
/// }
/// ```
public struct Trial: Sendable {
    /// What is started, and how.
    public struct Plan: Sendable {
        /// The image.
        public var image: FilePath
        /// How the image is attached.
        public var attachment: Drive.Attachment
        /// What becomes of what the guest writes to it.
        public var writes = Drive.Writes.discarded
        /// What the machine starts with.
        public var firmware: MachineDescription.Firmware
        /// Memory in MiB.
        public var memory: Int
        /// How the screen is shown.
        public var display: MachineDescription.Display
        /// Whether a root shell is put into the guest. The image is the same either way.
        public var hasShell = true
        /// Whether a reset by the guest starts it again.
        public var reboots = true
        /// Further drives.
        public var otherDrives: [Drive] = []
        /// Further credentials.
        public var credentials: [Credential] = []
        /// Room for translated code in QEMU, in MiB; `nil` for its own choice.
        public var translationCache: Int?
        /// Seconds by which the machine's hardware clock is ahead at power-on; behind when negative.
        public var clockOffset = 0
        /// What the local network's server says.
        public var localNetwork = LocalNetwork.ordinary
        /// The first card; the default is of no use where cables are pulled.
        public var card = NetworkCard.Model.e1000e
        /// Further local networks, for the other cards, or to move a cable to.
        public var otherNetworks: [LocalNetwork] = []
        /// Further cards.
        public var otherCards: [Card] = []

        /// A further card.
        public struct Card: Sendable {
            /// The card, with a tap of its own.
            public var card: NetworkCard
            /// The bridge of its network.
            public var bridge: String
            /// Whether it is in the machine at power-on, or is plugged in later.
            public var isThere: Bool

            /// A card in a network.
            public init(_ card: NetworkCard, in network: LocalNetwork, isThere: Bool = true) {
                self.card = card
                bridge = network.bridge
                self.isThere = isThere
            }
        }

        /// A plan; a USB stick in a computer with UEFI and 1 GiB, unless said otherwise.
        public init(
            image: FilePath, attachment: Drive.Attachment = .usb(.xhci), firmware: MachineDescription.Firmware = .uefi,
            memory: Int = 1024, display: MachineDescription.Display = .none
        ) {
            self.image = image
            self.attachment = attachment
            self.firmware = firmware
            self.memory = memory
            self.display = display
        }
    }

    /// The name of the machine's tap device.
    static let tap = "tap-guest"

    /// The machine.
    public let machine: Machine
    /// What is around it.
    public let network: PrivateNetwork
    /// The Tor network.
    public let tor: TorNetwork
    /// The capture, which runs.
    public let capture: FrameCapture

    /// Starts everything, runs a body, and stops everything.
    ///
    /// - Parameters:
    ///   - plan: What is started.
    ///   - work: A folder for sockets, logs and captures; short, because of the limit on the paths of sockets.
    ///   - steps: Shows what is going on.
    ///   - body: What is done while the machine runs.
    /// - Returns: What the body returns, and the verdict on all frames of the machine until its end.
    /// - Throws: `SandboxFailure`, `NetworkFailure`, `MachineFailure`, `PcapError`, and what the body throws; all is stopped.
    public nonisolated(nonsending) static func with<Value: Sendable>(
        _ plan: Plan, work: FilePath, steps: Steps? = nil, _ body: nonisolated(nonsending) (Trial) async throws -> Value
    ) async throws -> (Value, Verdict) {
        let sandbox = try await Sandbox.open(work: work)
        do {
            let result = try await run(plan, in: sandbox, steps: steps, body)
            await sandbox.close()
            return result
        } catch {
            await sandbox.close()
            throw error
        }
    }

    private nonisolated(nonsending) static func run<Value: Sendable>(
        _ plan: Plan, in sandbox: Sandbox, steps: Steps?, _ body: nonisolated(nonsending) (Trial) async throws -> Value
    ) async throws -> (Value, Verdict) {
        let network = try await PrivateNetwork.start(
            in: sandbox, localNetwork: plan.localNetwork, otherNetworks: plan.otherNetworks)
        let tor: TorNetwork
        if let steps {
            tor = try await steps.step("Start the private Tor network") { try await TorNetwork.start(in: network) }
        } else {
            tor = try await TorNetwork.start(in: network)
        }
        try await network.addTap(tap)
        let capture = try await FrameCapture(of: tap, in: sandbox, namespace: PrivateNetwork.lan)
        let time = try await TimeServers.start(in: network)
        var captures = [capture]
        for card in plan.otherCards {
            try await network.addTap(card.card.tap, to: card.bridge)
            captures.append(
                try await FrameCapture(
                    of: card.card.tap, in: sandbox, namespace: PrivateNetwork.lan, name: card.card.tap))
        }
        let value: Value
        do {
            value = try await Machine.with(
                description(plan, tor: tor, time: time), in: sandbox, namespace: PrivateNetwork.lan
            ) { machine in
                try await body(Trial(machine: machine, network: network, tor: tor, capture: capture))
            }
        } catch {
            for capture in captures { await capture.stop() }
            throw error
        }
        let judge = try judge(for: tor, plan: plan)
        var verdict = try judge.verdict(on: await capture.stop())
        for other in captures.dropFirst() { verdict = verdict.adding(try judge.verdict(on: await other.stop())) }
        await tor.stop()
        await time.stop()
        await network.stop()
        return (value, verdict)
    }

    static func description(_ plan: Plan, tor: TorNetwork, time: TimeServers? = nil) -> MachineDescription {
        var description = MachineDescription(memory: plan.memory)
        description.translationCache = plan.translationCache
        if plan.clockOffset != 0 { description.clock = MachineDescription.clock(ahead: plan.clockOffset) }
        description.firmware = plan.firmware
        description.display = plan.display
        description.hasShell = plan.hasShell
        description.reboots = plan.reboots
        // A card cannot be put first; there, it is the only thing to start from.
        let order = plan.attachment == .sdCard ? nil : 0
        description.drives =
            [Drive("medium", image: plan.image, as: plan.attachment, writes: plan.writes, bootOrder: order)]
            + plan.otherDrives
        description.network = NetworkCard(tap: tap, model: plan.card)
        description.otherCards = plan.otherCards.filter(\.isThere).map(\.card)
        description.credentials =
            plan.credentials + (time?.credentials ?? [])
            + [.file("/etc/tor/torrc.d/testbed.conf", tor.clientConfiguration.map { "\($0)\n" }.joined())]
        return description
    }

    /// The judge of what a machine in this network may send.
    ///
    /// - Parameters:
    ///   - tor: The Tor network.
    ///   - plan: The networks and cards; those of every trial when `nil`.
    /// - Returns: The judge.
    /// - Throws: `CaptureFailure` when a network's addresses cannot be read.
    public static func judge(for tor: TorNetwork, plan: Plan? = nil) throws -> Judge {
        let networks = [plan?.localNetwork ?? .ordinary] + (plan?.otherNetworks ?? [])
        let ranges = networks.compactMap(\.network)
        let names = networks.flatMap { [$0.router] + $0.otherRouters }
        let routers = names.compactMap { IPv4Address($0) }
        guard let lan = ranges.first, ranges.count == networks.count, routers.count == names.count else {
            throw CaptureFailure(description: "The testbed's own addresses cannot be read.")
        }
        let relays = tor.relays.flatMap { relay in
            [TorRelay.onionPort, TorRelay.directoryPort].compactMap { port in
                IPv4Address(relay.address).map { Endpoint($0, UInt16(port)) }
            }
        }
        var allowList = AllowList.needletail(localNetwork: lan, routers: Set(routers), relays: Set(relays))
        allowList.otherNetworks = Array(ranges.dropFirst())
        let cards = [NetworkCard(tap: tap)] + (plan?.otherCards ?? []).map(\.card)
        return Judge(
            allowList: allowList, guestFrames: .all, hardwareAddresses: Set(cards.map(\.hardwareAddress)),
            words: ["user", "needletail"])
    }

    // MARK: What a user would do

    /// Waits until the guest's Tor is connected.
    ///
    /// - Returns: Seconds from power-on, by the maker's clock.
    public func waitForTor(within limit: Duration) async throws -> Double {
        try await machine.shell.waitUntilReady(within: limit)
        let deadline = ContinuousClock.now + limit
        var last = ""
        while ContinuousClock.now < deadline {
            try tor.check()
            last = try await machine.shell.run(
                "journalctl --no-pager -o cat -u tor@default.service | grep Bootstrapped | tail -n 1"
            ).output
            if last.contains("Bootstrapped 100%") { return machine.secondsSincePowerOn }
            try await Task.sleep(for: .milliseconds(500))
        }
        throw MachineFailure(
            .timedOut, "Tor in the guest did not connect within \(limit). Its last words: \(last)",
            screenshot: try? await machine.screenshot())
    }

    /// A command that runs another one as the session's user, where the user is: in the session's network namespace.
    public static let asUser = "nsenter --net=/run/netns/session runuser -u user --"

    /// Fetches the web server's page as the session's user, without any setting for Tor.
    ///
    /// - Returns: The address that the web server saw.
    public func fetchPage(_ address: String = WebServer.page) async throws -> String {
        try await machine.shell.output(
            "\(Self.asUser) curl --silent --show-error --max-time 90 \(address)", timeout: .seconds(120)
        ).trimmingCharacters(in: .whitespacesAndNewlines)
    }
}
