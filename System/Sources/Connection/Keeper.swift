// SPDX-License-Identifier: GPL-3.0-or-later
import Linux
import Sockets
import TorControl

/// Keeps Tor as the user has chosen, whatever happens to Tor, to the network or to this program: the one program that changes
/// Tor's options.
///
/// Tor starts with `DisableNetwork 1`. Nothing here sets it to 0 before everything else is set, and Tor has said that it is.
actor Keeper {
    /// Where things are.
    struct Places: Sendable {
        var controlSocket = "/run/tor/control"
        var controlCookie = "/run/tor/control.authcookie"
        /// In RAM, for this program only: the choice, for the case that this program and Tor end at the same time.
        var choiceFile = "/run/needletail-connection/choice"
        /// What came of making the interfaces' addresses random.
        var interfaceReports = "/run/needletail/interfaces"
        /// Who opens the firewall for transports over UDP.
        var transports = TransportHold.Places()
    }

    private let places: Places
    private let log: @Sendable (String) -> Void
    private let readNetwork: @Sendable () -> NetworkState
    private let hold: TransportHold
    private var evidence = Evidence()
    private var client: Client?
    private var work: Task<Void, Never>?
    private var observers: [Int: AsyncStream<ConnectionState>.Continuation] = [:]
    private var nextObserver = 0
    private var lastState: ConnectionState = .notChosen
    private var ticks = 0
    /// Seconds for which Tor refuses to connect to a relay or bridge again after it could not (`OR_CONNECT_FAILURE_LIFETIME` in
    /// its connection_or.c). Nothing that it can be told makes it forget: not the network's switch, not the same bridge again.
    private static let grudge = 60.0
    /// When a connection to a relay or bridge last failed, as far as this Tor remembers, in seconds of uptime.
    private var lastFailure: Double?
    /// How many events of this connection to Tor were taken.
    private var takenEvents = 0
    /// The address from which Tor's connections began when there was last a network.
    private var lastAddress: UInt32?
    /// Whether connections that there are must go before the choice is told.
    private var startsAfresh = false
    /// Whether Tor's settings have changed while it was being told the choice.
    private var isToBeLookedAt = false
    /// Whether the choice is the boot menu's, and nothing is known of a later one.
    private var isFirstChoice = true

    init(
        places: Places = Places(), log: @escaping @Sendable (String) -> Void = { StandardError.line($0) },
        network: @escaping @Sendable () -> NetworkState = { NetworkState.current() }
    ) {
        self.places = places
        self.log = log
        readNetwork = network
        hold = TransportHold(places.transports)
    }

    // MARK: For callers

    /// The state now.
    var state: ConnectionState { evidence.state(now: Machine.uptime) }

    /// How the user wants to connect; `nil` before the choice.
    var choice: ConnectionChoice? { evidence.choice }

    /// The state now, and every one that follows. For one reader.
    func states() -> AsyncStream<ConnectionState> {
        // Who reads slowly misses some in between, never the newest.
        let (stream, continuation) = AsyncStream.makeStream(
            of: ConnectionState.self, bufferingPolicy: .bufferingNewest(16))
        let number = nextObserver
        nextObserver += 1
        observers[number] = continuation
        continuation.onTermination = { _ in Task { await self.forget(number) } }
        continuation.yield(state)
        return stream
    }

    private func forget(_ number: Int) { observers[number] = nil }

    /// Connects in another way, or not at all. Returns when Tor has been told, if it runs; it does not wait for the connection.
    func choose(_ choice: ConnectionChoice) async {
        evidence.choice = choice
        isFirstChoice = false
        evidence.beginTry(now: Machine.uptime)
        save(choice)
        announce()
        await apply(afresh: true)
    }

    // MARK: Following

    /// Follows the network and Tor until the task is cancelled.
    ///
    /// - Parameter initial: the choice with which this computer was started; what was chosen later counts more.
    func run(initial: ConnectionChoice?) async {
        let saved = savedChoice()
        evidence.choice = saved ?? initial
        isFirstChoice = saved == nil
        evidence.tor = .absent(since: Machine.uptime)
        evidence.beginTry(now: Machine.uptime)
        refreshNetwork()
        await hold.onChange { [weak self] in await self?.apply(afresh: false) }
        await withDiscardingTaskGroup { group in
            group.addTask { await self.followNetwork() }
            group.addTask { await self.followTor() }
            group.addTask {
                // Some states are the lack of an event for too long.
                while (try? await Task.sleep(for: .seconds(1))) != nil { await self.tick() }
            }
        }
    }

    private func tick() {
        ticks += 1
        // The interfaces' reports are files, whose changes are no news of the network.
        if ticks % 5 == 0 { refreshNetwork() } else { announce() }
        if ticks % 5 == 0, evidence.firewallProblem != nil, work == nil { Task { await apply(afresh: false) } }
    }

    private func followNetwork() async {
        while !Task.isCancelled {
            do {
                let changes = Stream(adopting: try NetworkState.openChanges())
                while true {
                    refreshNetwork()
                    // What is in the messages does not matter; that some were lost (ENOBUFS) neither.
                    if try await changes.read(upTo: 65_536).isEmpty { break }
                }
            } catch {}
            try? await Task.sleep(for: .milliseconds(200))
        }
    }

    private func refreshNetwork() {
        let wasReady = evidence.network.isReady
        evidence.network = readNetwork()
        evidence.interfacesOff = [:]
        for interface in evidence.network.interfaces {
            guard let text = try? File.text("\(places.interfaceReports)/\(interface.name)") else { continue }
            let lines = text.split(separator: "\n").prefix(16)
            guard lines.contains("result=failed") else { continue }
            let detail = lines.first { $0.hasPrefix("detail=") }?.dropFirst(7)
            evidence.interfacesOff[interface.name] = detail.map { String($0.prefix(300)) } ?? ""
        }
        if evidence.network.isReady {
            let addresses = evidence.network.addresses
            // No answer reaches an address that is gone: Tor would wait for minutes until it believes that.
            let hasMoved = lastAddress.map { !addresses.contains($0) } ?? false
            lastAddress = addresses.first
            if hasMoved || !wasReady {
                // What Tor learned without a network would only make it wait, too.
                let beginsAfresh = hasMoved || !evidence.isConnected
                if beginsAfresh { evidence.beginTry(now: Machine.uptime) }
                Task { await apply(afresh: beginsAfresh) }
            }
        }
        announce()
    }

    private func followTor() async {
        while !Task.isCancelled {
            do {
                let client = try await Client.connect(socket: places.controlSocket, cookie: places.controlCookie)
                try await client.setEvents([
                    .statusClient, .statusGeneral, .relayConnection, .circuit, .configurationChanged,
                ])
                self.client = client
                takenEvents = 0
                lastFailure = nil
                evidence.tor = .running
                evidence.beginTry(now: Machine.uptime)
                evidence.take(try await client.bootstrap(), now: Machine.uptime)
                // Tor may have been connected before this program was started again.
                for circuit in try await client.circuits() { evidence.take(circuit, now: Machine.uptime) }
                await apply(afresh: false)
                for await event in client.events {
                    take(event)
                    takenEvents += 1
                }
                log("Tor has ended")
            } catch is CancellationError {
                break
            } catch ControlFailure.unreachable {
                // Tor is not there yet.
            } catch {
                log("\(error)")
            }
            client = nil
            if case .absent = evidence.tor {} else { evidence.tor = .absent(since: Machine.uptime) }
            announce()
            try? await Task.sleep(for: .milliseconds(250))
        }
    }

    private func take(_ event: Event) {
        evidence.take(event, now: Machine.uptime)
        if case .relayConnection(let connection) = event, connection.status == .failed { lastFailure = Machine.uptime }
        if case .configurationChanged(let changes) = event,
            changes.contains(where: { ["disablenetwork", "usebridges"].contains($0.option.lowercased()) })
        {
            // Perhaps not by this program: Tor has read its files again, and is off. It gets the choice again; while it is being
            // told, which of the two the change came from cannot be known, so it is looked at once more afterwards.
            if work == nil {
                Task { await apply(afresh: false) }
            } else {
                isToBeLookedAt = true
            }
        }
        announce()
    }

    private func announce() {
        let state = state
        guard state != lastState else { return }
        // Only the code: which bridges there are is the user's secret.
        if state.code != lastState.code { log("state: \(state.code)") }
        lastState = state
        for observer in observers.values { observer.yield(state) }
    }

    // MARK: Telling Tor

    /// Tells Tor the choice, one change after the other.
    ///
    /// - Parameter afresh: whether connections that there are must go.
    private func apply(afresh: Bool) async {
        if afresh { startsAfresh = true }
        let before = work
        let task = Task {
            await before?.value
            await tellTor()
        }
        work = task
        await task.value
        guard work == task else { return }
        work = nil
        guard isToBeLookedAt else { return }
        // Changes nothing, and so causes no further event, when all is as wanted.
        isToBeLookedAt = false
        await apply(afresh: false)
    }

    private func tellTor() async {
        let mayGoOn = await closeFirewall()
        guard let client else {
            // A Tor that starts has no connections, and one that is found as wanted may keep them.
            startsAfresh = false
            return
        }
        do {
            guard mayGoOn else {
                try await client.setConf([("DisableNetwork", "1")])
                return announce()
            }
            try await keepHiding(client)
            guard let choice = evidence.choice else { return }
            let isOn = evidence.network.isReady
            // Once is enough, however many wait to tell the same.
            let afresh = startsAfresh
            startsAfresh = false
            switch choice {
            case .off:
                try await client.setConf([("DisableNetwork", "1")])
            case .direct, .hide:
                let settings = Self.settings(for: choice)
                let isAsWanted = try await self.isAsWanted(settings, client)
                // A connection that was there before the cable was pulled out may be good again; without a network Tor's tries
                // would only lengthen its pauses.
                let isHopeless = !isOn && !evidence.isConnected
                if try await isNetworkEnabled(client), afresh || !isAsWanted || isHopeless {
                    // Ends every connection before another way is taken.
                    try await client.setConf([("DisableNetwork", "1")])
                }
                // Before the bridges are set, which starts the transport's program.
                let hasWay = try await openFirewall(for: choice)
                if !isAsWanted { try await client.setConf(settings) }
                guard try await self.isAsWanted(settings, client) else { throw NotTaken() }
                // A newer choice is next.
                guard isOn, hasWay, evidence.choice == choice else { break }
                if try await !isNetworkEnabled(client), evidence.choice == choice {
                    // The end of a connection that was given up is no news of the one to come.
                    await untilTaken(await client.eventCount)
                    guard evidence.choice == choice else { break }
                    if let lastFailure, Machine.uptime - lastFailure < Self.grudge {
                        // It comes back at once, with its network off, and is told again.
                        log("Tor begins anew: it would not try again where it has just failed")
                        try await client.signal(.halt)
                        return
                    }
                    evidence.beginTry(now: Machine.uptime)
                    try await client.setConf([("DisableNetwork", "0")])
                    evidence.take(try await client.bootstrap(), now: Machine.uptime)
                    log("connecting: \(choice.mode)")
                }
            }
            if case .refusing = evidence.tor { evidence.tor = .running }
        } catch is CancellationError {
        } catch {
            // When Tor is not sure to do as it should, it does nothing.
            _ = try? await client.setConf([("DisableNetwork", "1")])
            // Only Tor's end is no refusal.
            if case ControlFailure.ended = error { return }
            if error is TransportHold.Failure {
                evidence.firewallProblem = Words.firewallNotOpened
                log("the firewall was not opened for the transport")
                return announce()
            }
            evidence.tor = .refusing(error is NotTaken ? Words.bridgesNotTaken : "\(error)")
            log("Tor was not told how to connect: \(error)")
        }
        announce()
    }

    /// Waits until so many of Tor's events were taken, or for two seconds: some may have been dropped.
    private func untilTaken(_ count: Int) async {
        for _ in 0..<200 where takenEvents < count { try? await Task.sleep(for: .milliseconds(10)) }
    }

    private struct NotTaken: Error {}

    /// Closes the firewall for what the choice does not need, before anything else is done for the choice.
    ///
    /// - Returns: whether it is as it should be.
    private func closeFirewall() async -> Bool {
        guard evidence.choice?.needsUDP != true else { return true }
        evidence.namesMissingSince = nil
        do {
            try await hold.close()
            evidence.firewallProblem = nil
            return true
        } catch {
            evidence.firewallProblem = Words.firewallNotClosed
            log("the firewall was not closed behind the transport")
            announce()
            return false
        }
    }

    /// - Returns: whether what the choice needs is open.
    private func openFirewall(for choice: ConnectionChoice) async throws(TransportHold.Failure) -> Bool {
        guard choice.needsUDP else { return true }
        let isOpen = try await hold.open()
        evidence.firewallProblem = nil
        evidence.namesMissingSince = isOpen ? nil : evidence.namesMissingSince ?? Machine.uptime
        return isOpen
    }

    /// When Tor has bridges and this program does not know why, the choice was lost. It must not turn into "direct".
    private func keepHiding(_ client: Client) async throws {
        guard isFirstChoice, try await client.getConf("UseBridges") == ["1"], isFirstChoice else { return }
        let lines = try await client.getConf("Bridge").joined(separator: "\n")
        guard isFirstChoice else { return }
        evidence.choice = BridgeText.bridges(in: lines).map { .hide($0) } ?? .off
        isFirstChoice = false
    }

    /// What Tor needs for a choice, but for the switch of its network. One command sets all of it.
    static func settings(for choice: ConnectionChoice) -> [Command.Setting] {
        switch choice {
        case .off: []
        case .direct: [("UseBridges", "0"), ("Bridge", nil)]
        case .hide(let bridges): [("UseBridges", "1")] + bridges.map { ("Bridge", $0.line) }
        }
    }

    private func isAsWanted(_ settings: [Command.Setting], _ client: Client) async throws -> Bool {
        let usesBridges = try await client.getConf("UseBridges")
        let bridges = try await client.getConf("Bridge")
        return usesBridges == [settings.first?.value ?? "0"]
            && bridges == settings.dropFirst().compactMap(\.value)
    }

    private func isNetworkEnabled(_ client: Client) async throws -> Bool {
        try await client.getConf("DisableNetwork") == ["0"]
    }

    // MARK: Remembering

    private func save(_ choice: ConnectionChoice) {
        var lines = [choice.mode]
        if case .hide(let bridges) = choice { lines += bridges.map(\.line) }
        do {
            // It is emptied first: a crash in the middle leaves a file that means "off".
            try File(places.choiceFile, .create(mode: 0o600)).write(Array(lines.joined(separator: "\n").utf8))
        } catch {
            log("the choice cannot be kept for a restart: \(error)")
        }
    }

    private func savedChoice() -> ConnectionChoice? {
        guard let text = try? File.text(places.choiceFile) else { return nil }
        let lines = text.split(separator: "\n", maxSplits: 1).map(String.init)
        switch lines.first {
        case "direct": return .direct
        case "hide": return lines.count > 1 ? BridgeText.bridges(in: lines[1]).map { .hide($0) } ?? .off : .off
        default: return .off
        }
    }
}
