// SPDX-License-Identifier: GPL-3.0-or-later
import Linux
import Sockets
import TorControl
import Varlink

/// Keeps the clock right: while Tor connects by what relays say, and from then on by what web sites say.
public actor ClockService {
    /// The clock that is read and set.
    public struct Hands: Sendable {
        /// Seconds since 1970.
        public var now: @Sendable () -> Double
        /// Sets the clock to seconds since 1970.
        public var set: @Sendable (Double) throws -> Void
        /// Seconds of a clock that never jumps.
        public var uptime: @Sendable () -> Double
        /// Where sentences go.
        public var log: @Sendable (String) -> Void

        /// The kernel's clock.
        public static let kernel = Hands(
            now: { RealTimeClock.now }, set: { try RealTimeClock.set($0) }, uptime: { Machine.uptime },
            log: { StandardError.line($0) })

        /// Something else that is read and set.
        public init(
            now: @escaping @Sendable () -> Double, set: @escaping @Sendable (Double) throws -> Void,
            uptime: @escaping @Sendable () -> Double, log: @escaping @Sendable (String) -> Void
        ) {
            self.now = now
            self.set = set
            self.uptime = uptime
            self.log = log
        }
    }

    /// The file whose time is that of the system's build; systemd knows it too (`man 1 systemd`, "clock-epoch").
    public static let buildTime = "/usr/lib/clock-epoch"
    /// The control filter's socket for this service.
    public static let control = "/run/needletail/control/clock.sock"
    /// Differences below a second are nothing that an HTTP date can tell.
    static let smallest = 1.0

    /// What others are told.
    public private(set) var state: ClockState

    private let hands: Hands
    private var estimator: Estimator
    private var watchers: [Int: AsyncStream<ClockState>.Continuation] = [:]
    private var nextWatcher = 0
    private var deciding: Task<Void, Never>?
    private var surveying: Task<Void, Never>?
    private var tor: Client?
    private var isConfirmed = false
    /// Since the clock was confirmed, a relay has said that it is wrong.
    private var isDoubted = false
    private var lastSurvey: Double?
    private var moves = 0

    /// A service that has heard nothing.
    ///
    /// - Parameters:
    ///   - built: when the system was built.
    ///   - hands: the clock.
    public init(built: Moment, hands: Hands = .kernel) {
        self.hands = hands
        estimator = Estimator(bounds: Bounds(floor: built))
        state = ClockState(earliest: built)
    }

    // MARK: With Tor

    /// Listens to Tor, and connects again whenever the connection ends, until the task is cancelled.
    ///
    /// - Parameter socket: the control filter's.
    public func followTor(socket: String = control) async {
        decide()
        while !Task.isCancelled {
            do {
                let client = try await Client.connect(socket: socket, cookie: nil)
                tor = client
                try await client.setEvents([.statusGeneral, .statusClient, .warning])
                await look(at: client)
                for await event in client.events { await take(event, client) }
                await client.close()
            } catch {
                // Tor, or the filter, is not there (yet).
            }
            tor = nil
            try? await Task.sleep(for: .seconds(1))
        }
    }

    /// What was said before there was a connection.
    private func look(at client: Client) async {
        guard let phase = try? await client.bootstrap() else { return }
        if let evidence = Evidence(phase) { take(evidence) }
        await takeConsensus(from: client)
        if phase.isDone { connected() } else if phase.progress >= 75 { startSurveys() }
    }

    private func take(_ event: Event, _ client: Client) async {
        if let evidence = Evidence(event) { take(evidence) }
        guard case .status(let status) = event else { return }
        switch status.report {
        case .consensusArrived: await takeConsensus(from: client)
        case .enoughDirectoryInformation:
            await takeConsensus(from: client)
            startSurveys()
        case .circuitEstablished: connected()
        case .bootstrap(let phase) where phase.isDone: connected()
        default: break
        }
    }

    private func takeConsensus(from client: Client) async {
        let keys = ["consensus/valid-after", "consensus/fresh-until", "consensus/valid-until"]
        guard let values = try? await client.getInfo(keys) else { return }
        let times = keys.compactMap { values[$0].flatMap { Moment(torDate: $0) } }
        guard times.count == 3,
            let consensus = Evidence.Consensus(validAfter: times[0], freshUntil: times[1], validUntil: times[2])
        else { return }
        take(.consensus(consensus))
    }

    /// Takes a piece of evidence, and decides.
    func take(_ evidence: Evidence) {
        if isConfirmed {
            switch evidence {
            case .consensus: break
            case .skew: return doubt()
            default: return
            }
        }
        estimator.take(evidence, uptime: hands.uptime())
        decide()
    }

    /// Three operators' word counts for more than a relay's; but if the clock has been stopped since, as that of a virtual machine
    /// can be, the relay is right. So the operators are asked again, not more often than every ten minutes.
    private func doubt() {
        guard !isDoubted, let lastSurvey, hands.uptime() - lastSurvey > 600, tor != nil else { return }
        isDoubted = true
        surveying?.cancel()
        surveying = Task { await self.survey() }
    }

    private func decide() {
        deciding?.cancel()
        deciding = nil
        let now = Moment(clamping: hands.now())
        if let step = estimator.decide(now: now, uptime: hands.uptime()) {
            let isBounds = step.reason == .tooEarly || step.reason == .implausible
            move(
                to: Double(step.target.seconds), source: isBounds ? .bounds : .relays,
                words: Words.step(from: now, to: step.target, step.reason))
            if state.stage == .waiting, !isBounds { state.stage = .searching }
        } else if estimator.isWaiting {
            deciding = Task {
                try? await Task.sleep(for: .milliseconds(Int(Estimator.patience * 1000) + 50))
                if !Task.isCancelled { self.decide() }
            }
        }
        state.earliest = estimator.bounds.earliest.description
        tell()
    }

    // MARK: With web sites

    private func connected() {
        if state.stage == .waiting || state.stage == .searching { state.stage = .connected }
        tell()
        startSurveys()
    }

    /// Called as soon as Tor knows enough relays: after a jump of the clock Tor builds circuits only when somebody asks for one.
    private func startSurveys() {
        guard surveying == nil else { return }
        surveying = Task { await self.survey() }
    }

    /// Surveys now and then. The first one soon, because what runs in the session may depend on the time.
    private func survey() async {
        var pause = Duration.milliseconds(Int.random(in: 500...5000))
        var failures = 0
        while (try? await Task.sleep(for: pause)) != nil {
            let wasRight: Bool
            do {
                let before = moves
                let report = try await Surveyor(try readSources()).run()
                lastSurvey = hands.uptime()
                // Answers from before and after a step cannot be compared.
                wasRight = moves == before && follow(report)
            } catch is CancellationError {
                return
            } catch {
                hands.log(Words.noSources(error))
                wasRight = false
            }
            failures = wasRight ? 0 : min(failures + 1, 5)
            // Two to four hours; after a failure half a minute to a minute, doubled each time.
            pause = wasRight ? .seconds(Int.random(in: 7200...14_400)) : .seconds(Int.random(in: 30...60) << failures)
        }
    }

    private func readSources() throws -> TimeSources {
        for path in TimeSources.paths.dropLast() where FileTree.exists(path) {
            return try TimeSources(json: try File(path).readAll(limit: 1 << 18))
        }
        return try TimeSources(json: try File(TimeSources.paths.last ?? "").readAll(limit: 1 << 18))
    }

    /// Does what follows from a survey.
    ///
    /// - Returns: whether the clock is right now.
    func follow(_ report: Surveyor.Report) -> Bool {
        state.note(report)
        report.failures.forEach { hands.log(Words.silent($0)) }
        report.survey.outliers.forEach { hands.log(Words.outlier($0)) }
        defer { tell() }
        let count = report.survey.answers.count
        switch report.survey.outcome {
        case .tooFew, .disagreement:
            hands.log(report.survey.outcome == .tooFew ? Words.tooFew : Words.disagreement)
            if isDoubted { isConfirmed = false }
            if !isConfirmed { state.stage = .unconfirmed }
            return false
        case .correction(let seconds, let agreeing):
            let target = hands.now() + seconds
            let moment = Moment(clamping: target)
            guard estimator.bounds.clamp(moment) == moment else {
                hands.log(Words.outOfBounds(moment))
                if !isConfirmed { state.stage = .unconfirmed }
                return false
            }
            if abs(seconds) >= Self.smallest {
                move(to: target, source: .sites, words: Words.surveyed(seconds, agreeing, count))
            } else {
                hands.log(Words.kept(seconds, agreeing, count))
            }
            isConfirmed = true
            isDoubted = false
            state.stage = .confirmed
            return true
        }
    }

    // MARK: The clock

    private func move(to target: Double, source: ClockState.Correction.Source, words: String) {
        let before = hands.now()
        do {
            try hands.set(target)
        } catch {
            hands.log(Words.notSet(error))
            return
        }
        moves += 1
        hands.log(words)
        state.note(
            ClockState.Correction(
                seconds: target - before, time: Moment(clamping: target).description, source: source, words: words))
        // Tor plans its next tries by the time of day, and notes when relays failed: after a step back that lies in the future, up to
        // years, and after a step forward Tor was seen to wait too. RELOAD makes it forget.
        guard abs(target - before) > 60 else { return }
        // Without a connection Tor has not started yet, and will plan with the right time.
        if let tor { reload(tor) }
    }

    private func reload(_ tor: Client) {
        let log = hands.log
        Task {
            do { try await tor.signal(.reload) } catch { log(Words.noReload(error)) }
        }
    }

    // MARK: For others

    private func tell() { watchers.values.forEach { $0.yield(state) } }

    private func watch() -> (Int, AsyncStream<ClockState>) {
        let (stream, continuation) = AsyncStream.makeStream(of: ClockState.self, bufferingPolicy: .bufferingNewest(1))
        nextWatcher += 1
        watchers[nextWatcher] = continuation
        continuation.yield(state)
        return (nextWatcher, stream)
    }

    private func forget(_ watcher: Int) { watchers.removeValue(forKey: watcher)?.finish() }

    private struct Nothing: Codable, Sendable {}
    private struct Reply: Codable, Sendable { let state: ClockState }

    /// The Varlink interface.
    ///
    /// - Throws: `InterfaceFailure` when its text is wrong, which a test excludes.
    public nonisolated func varlink() throws -> VarlinkService {
        var service = try VarlinkService(product: "Needletail clock", version: "1")
        try service.add(try VarlinkInterface(ClockState.interface)) { methods in
            methods.answer("GetState") { (_: Nothing, _) in Reply(state: await self.state) }
            methods.observe("Monitor") { (_: Nothing, _, updates: VarlinkUpdates<Reply>) in
                let (number, states) = await self.watch()
                defer { Task { await self.forget(number) } }
                var last: ClockState?
                for await state in states where state != last {
                    try await updates.send(Reply(state: state))
                    last = state
                }
                return Reply(state: await self.state)
            }
        }
        return service
    }
}
