// SPDX-License-Identifier: GPL-3.0-or-later
import Linux
import Uplink
import Varlink

/// One look at a network's login page after the other: asks, opens the way, watches, closes. Whatever happens, the way is
/// closed before anything else is done.
actor Portal {
    /// The world around, which tests replace.
    struct World: Sendable {
        /// The way to the network.
        var door = Door()
        /// The interface with the default route.
        var uplink: @Sendable () async -> Uplink?
        /// The name servers of that interface's lease.
        var names: @Sendable (Uplink) async -> [NetworkAddress]
        /// Whether Tor can be used.
        var tor: @Sendable () async -> TorReach
        /// Asks the user.
        var ask: @Sendable (ConsentQuestion) async throws -> ConsentAnswer
        /// Shows the page until it ends.
        var browse: @Sendable (BrowserTask) async throws -> BrowserEnd
        /// Writes the browser's list of name servers.
        var writeResolver: @Sendable ([NetworkAddress]) throws -> Void
        /// Gets lines for the journal.
        var log: @Sendable (String) -> Void = { StandardError.line($0) }
    }

    /// The page that every Firefox asks for on a new network, in clear and by this name: nothing that only we would do.
    static let page = "http://detectportal.firefox.com/canonical.html"
    /// Seconds for the answer.
    static let questionSeconds = 60

    private let world: World
    private let limit: Int
    private var phase = PortalState.Phase.closed
    private var deadline: ContinuousClock.Instant?
    private var end: PortalState.End?
    private var lastNo: ContinuousClock.Instant?
    private var running: Task<Void, Never>?
    private var watchers: [Int: AsyncStream<PortalState>.Continuation] = [:]
    private var nextWatcher = 0

    /// - Parameters:
    ///   - world: what is around.
    ///   - limit: seconds for which the page may be open.
    init(_ world: World, limit: Int) {
        self.world = world
        self.limit = limit
    }

    var state: PortalState {
        PortalState(
            phase: phase,
            secondsLeft: deadline.map { max(0, Int(($0 - ContinuousClock.now).components.seconds)) }, end: end)
    }

    /// Asks the user, if that is allowed.
    func open() async throws(PortalRefusal) -> PortalState {
        // Taken before the first wait, so that of two callers one comes first.
        guard phase == .closed, running == nil else { throw .busy }
        let (uplink, refusal) = await judge()
        guard phase == .closed, running == nil else { throw .busy }
        if let refusal { throw refusal }
        guard let uplink else { throw .noNetwork }
        set(.asking, seconds: Self.questionSeconds)
        running = Task { await self.run(uplink) }
        return state
    }

    /// Takes the question away or closes the page, and waits until that is done.
    func close() async -> PortalState {
        running?.cancel()
        await running?.value
        return state
    }

    /// The state now and after each change; ends when nothing is open or asked.
    func states() -> AsyncStream<PortalState> {
        let (stream, continuation) = AsyncStream.makeStream(of: PortalState.self, bufferingPolicy: .bufferingNewest(4))
        continuation.yield(state)
        guard phase != .closed else {
            continuation.finish()
            return stream
        }
        nextWatcher += 1
        let number = nextWatcher
        watchers[number] = continuation
        continuation.onTermination = { _ in Task { await self.forget(number) } }
        return stream
    }

    private func forget(_ number: Int) { watchers[number] = nil }

    private func judge() async -> (Uplink?, PortalRefusal?) {
        let uplink = await world.uplink()
        let tor = await world.tor()
        let since = lastNo.map { Double((ContinuousClock.now - $0).components.seconds) }
        return (
            uplink, PortalPolicy.refusal(phase: .closed, tor: tor, uplink: uplink, secondsSinceNo: since)
        )
    }

    private func set(_ phase: PortalState.Phase, seconds: Int?) {
        self.phase = phase
        deadline = seconds.map { ContinuousClock.now + .seconds($0) }
        for watcher in watchers.values {
            watcher.yield(state)
            if phase == .closed { watcher.finish() }
        }
        if phase == .closed { watchers = [:] }
    }

    // MARK: One look

    private func run(_ uplink: Uplink) async {
        let end = await look(uplink)
        world.log("login page: \(end.rawValue)")
        if end == .refused || end == .unanswered { lastNo = .now }
        self.end = end
        running = nil
        set(.closed, seconds: nil)
    }

    private func look(_ uplink: Uplink) async -> PortalState.End {
        do {
            let question = ConsentQuestion(network: uplink.interface, seconds: Self.questionSeconds, limit: limit)
            world.log("login page: asking, for \(uplink.interface)")
            let answer = try await world.ask(question)
            switch answer.answer {
            case .refused: return .refused
            case .unanswered: return .unanswered
            case .agreed: break
            }
            // While the user was reading, the world may have changed.
            let (now, refusal) = await judge()
            if refusal == .torConnected { return .connected }
            guard refusal == nil, now == uplink else { return .networkGone }
            return try await show(uplink, display: answer.display)
        } catch is CancellationError {
            return .cancelled
        } catch {
            if Task.isCancelled { return .cancelled }
            world.log("login page: \(error)")
            return .failed
        }
    }

    private func show(_ uplink: Uplink, display: Int32) async throws -> PortalState.End {
        let names = await world.names(uplink)
        try world.writeResolver(names)
        try Task.checkCancellation()
        world.log("login page: opening \(uplink.interface), name servers \(names), for \(limit) s")
        try world.door.open(uplink, names: names, seconds: limit)
        set(.open, seconds: limit)
        // Without a name server there is only the router to ask.
        let address = names.isEmpty ? "http://\(uplink.gateway)/" : Self.page
        let end = await firstEnd(uplink, BrowserTask(address: address, seconds: limit, display: display))
        return end
    }

    /// Waits for the first reason to close, closes, and only then lets go of the browser.
    private func firstEnd(_ uplink: Uplink, _ task: BrowserTask) async -> PortalState.End {
        let world = world
        let limit = limit
        return await withTaskGroup(of: PortalState.End.self) { group in
            group.addTask {
                do {
                    switch try await world.browse(task).end {
                    case .quit: return .quit
                    case .pageFailed: return .pageFailed
                    case .timeLimit: return .timeLimit
                    }
                } catch {
                    if !Task.isCancelled { world.log("login page: \(error)") }
                    return Task.isCancelled ? .cancelled : .failed
                }
            }
            group.addTask {
                try? await Task.sleep(for: .seconds(limit))
                return Task.isCancelled ? .cancelled : .timeLimit
            }
            group.addTask { await Self.watch(world, uplink) }
            let end = await group.next() ?? .failed
            for problem in world.door.close(uplink) { world.log("login page: closing: \(problem)") }
            group.cancelAll()
            return Task.isCancelled ? .cancelled : end
        }
    }

    /// Returns when Tor has connected, or the network is not the one that the user was asked about.
    private static func watch(_ world: World, _ uplink: Uplink) async -> PortalState.End {
        while !Task.isCancelled {
            try? await Task.sleep(for: .seconds(1))
            if await world.uplink() != uplink { return Task.isCancelled ? .cancelled : .networkGone }
            if await world.tor() == .connected { return Task.isCancelled ? .cancelled : .connected }
        }
        return .cancelled
    }
}
