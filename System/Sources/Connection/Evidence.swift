// SPDX-License-Identifier: GPL-3.0-or-later
import Linux
import TorControl

/// All that is known about the connection, and the one place where it becomes a ``ConnectionState``.
struct Evidence: Sendable {
    /// How Tor is.
    enum TorCondition: Sendable, Hashable {
        /// Not running yet, or again. For so long it has been tried, in seconds.
        case absent(since: Double)
        /// It does not do what it was asked.
        case refusing(String)
        /// It runs and has been told what to do.
        case running
    }

    /// How a connection to a relay or bridge failed.
    enum Failure: Sendable, Hashable {
        /// Nobody answers.
        case silent
        /// The connection is refused.
        case refused
        /// Somebody answers who does not speak as Tor, or is somebody else.
        case stranger
        /// The transport's program is missing or broken.
        case transport

        init(reason: String?) {
            self =
                switch reason ?? "" {
                case "TIMEOUT", "NOROUTE", "MISC", "RESOURCELIMIT": .silent
                case "CONNECTREFUSED": .refused
                case "PT_MISSING": .transport
                // DONE, IOERROR, CONNECTRESET, IDENTITY, TLS_ERROR: the connection was there already.
                default: .stranger
                }
        }
    }

    /// A relay that does not answer may be out of order; when so many do not, it is the network.
    static let manyRelays = 3
    /// Seconds without an answer of any relay after which it is called a problem. Tor itself waits for minutes. A bridge behind a
    /// slow mobile network answers in a few seconds.
    static let patience = 40.0
    /// The same for snowflake, which has to find a volunteer first, and another one when that one does not answer.
    static let patienceWithVolunteers = 90.0
    /// Seconds until a network that has named no name server is not expected to.
    static let timeForNames = 10.0
    /// Tor reports how far a source's time is away. Less than this hinders nothing.
    static let toleratedSkew: Int64 = 1800
    /// Seconds that Tor may take to start.
    static let startTime = 20.0
    /// The failures that are kept.
    static let failureLimit = 256

    var choice: ConnectionChoice?
    var network = NetworkState(interfaces: [])
    /// Why interfaces stay off, by their name.
    var interfacesOff: [String: String] = [:]
    var tor: TorCondition = .absent(since: 0)
    /// Why the firewall is not as the choice needs it. Tor's network is off then.
    var firewallProblem: String?
    /// Since when snowflake waits for the network to name a name server, in seconds of uptime.
    var namesMissingSince: Double?
    private(set) var bootstrap: Bootstrap?
    private(set) var skew: Int64?
    private(set) var failures: [String: Failure] = [:]
    private var hasReachedRelay = false
    /// Whether a path through Tor was built in this try. Tor's own progress stays at 100 once it was there, also when it is
    /// told to go another way.
    private var hasCircuit = false
    /// When Tor was last seen to get on, in seconds of uptime.
    private var lastStep = 0.0

    /// A new try starts: what was learned in the last one counts no more.
    mutating func beginTry(now: Double) {
        failures = [:]
        hasReachedRelay = false
        hasCircuit = false
        skew = nil
        bootstrap = nil
        lastStep = now
    }

    /// Takes what Tor reports.
    mutating func take(_ event: Event, now: Double) {
        switch event {
        case .status(let status):
            switch status.report {
            case .bootstrap(let step): take(step, now: now)
            case .clockSkew(let skew): if let seconds = skew.seconds { self.skew = seconds }
            case .circuitEstablished: skew = nil
            default: break
            }
        case .relayConnection(let connection): take(connection, now: now)
        case .circuit(let circuit): take(circuit, now: now)
        default: break
        }
    }

    /// Takes how far Tor is.
    mutating func take(_ step: Bootstrap, now: Double) {
        if step.progress != bootstrap?.progress { lastStep = now }
        bootstrap = step
        if step.isDone {
            failures = [:]
            skew = nil
        }
    }

    /// Takes a path through Tor.
    mutating func take(_ circuit: Circuit, now: Double) {
        // A path of one relay only fetches lists.
        guard circuit.status == .built, circuit.path.count > 1 else { return }
        hasCircuit = true
        hasReachedRelay = true
        failures = [:]
        lastStep = now
    }

    private mutating func take(_ connection: RelayConnection, now: Double) {
        switch connection.status {
        case .connected:
            failures = [:]
            hasReachedRelay = true
            lastStep = now
        case .failed where !hasReachedRelay:
            note(Failure(reason: connection.reason), of: connection.target)
        default: break
        }
    }

    private mutating func note(_ failure: Failure, of target: String) {
        guard failures.count < Self.failureLimit || failures[target] != nil else { return }
        failures[target] = failure
    }

    // MARK: The state

    /// What all this means.
    ///
    /// - Parameter now: seconds of uptime.
    /// - Returns: what a person is told.
    func state(now: Double) -> ConnectionState {
        if let firewallProblem { return .torFailed(reason: firewallProblem) }
        switch choice {
        case nil: return .notChosen
        case .off: return .disconnected
        case .direct, .hide: break
        }
        if let state = networkState { return state }
        switch tor {
        case .refusing(let reason): return .torFailed(reason: reason)
        case .absent(let since):
            guard now - since > Self.startTime else { return .connecting(progress: 0, what: Words.starting) }
            return .torFailed(reason: Words.torAbsent)
        case .running: break
        }
        if isConnected { return .connected }
        if let since = namesMissingSince {
            return now - since > Self.timeForNames ? .noNames : .connecting(progress: 0, what: Words.lookingForNames)
        }
        if let problem = problem(now: now) { return problem }
        if bootstrap?.isDone == true { return .connecting(progress: 95, what: Words.task("circuit_create")) }
        return .connecting(progress: bootstrap?.progress ?? 0, what: Words.task(bootstrap?.tag ?? "starting"))
    }

    /// Whether Tor can be used, as far as Tor knows.
    var isConnected: Bool { bootstrap?.isDone == true && hasCircuit }

    private var networkState: ConnectionState? {
        guard !network.isReady else { return nil }
        guard let first = network.interfaces.first else { return .noInterface }
        // An interface that stays off does not matter as long as there is another one.
        let usable = network.interfaces.filter { interfacesOff[$0.name] == nil }
        guard !usable.isEmpty else { return .networkOff(reason: interfacesOff[first.name] ?? "") }
        // One that is not yet switched on has no carrier, but that says nothing about its cable.
        guard usable.contains(where: { !$0.isUp || $0.hasCarrier }) else { return .noCable }
        return .noAddress
    }

    private func problem(now: Double) -> ConnectionState? {
        if let skew, skew.magnitude >= Self.toleratedSkew.magnitude {
            let hours = Int((Double(skew) / 3600).rounded())
            return .clockWrong(hours: hours == 0 ? (skew > 0 ? 1 : -1) : hours)
        }
        guard !hasReachedRelay else { return nil }
        // Steps up to here need no answer from anybody.
        let progress = bootstrap?.progress ?? 0
        let patience = choice?.needsUDP == true ? Self.patienceWithVolunteers : Self.patience
        let isWaiting = (progress < 14 || progress == 100) && now - lastStep > patience
        if failures.values.contains(.transport) { return .torFailed(reason: Words.transportMissing) }
        switch choice {
        case .hide(let bridges):
            let endpoints = bridges.map(\.endpoint)
            guard isWaiting || failures.count >= bridges.count else { return nil }
            // Nobody answers but by the transport, whose end is not the bridge's word.
            if bridges.allSatisfy(\.needsUDP) { return isWaiting ? .snowflakeUnreachable(which: endpoints) : nil }
            let strangers = failures.values.contains(.stranger)
            return strangers ? .bridgeRefused(which: endpoints) : .bridgeUnreachable(which: endpoints)
        default:
            // Relays are seldom all out of order, and never strangers: somebody nearer answers for them.
            let impostors = failures.values.count { $0 != .silent }
            if impostors >= Self.manyRelays { return .captivePortalSuspected }
            if isWaiting || failures.count >= 2 * Self.manyRelays {
                return impostors > 0 && 2 * impostors >= failures.count ? .captivePortalSuspected : .censored
            }
            return nil
        }
    }
}
