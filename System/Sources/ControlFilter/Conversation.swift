// SPDX-License-Identifier: GPL-3.0-or-later
import Linux
import Sockets
import TorControl

/// One connection of one client. It has a connection to Tor of its own, made when the first request needs it, so that events
/// and answers can never reach somebody else.
actor Conversation {
    /// How Tor is reached.
    struct Tor: Sendable {
        var socket = "/run/tor/control"
        var cookie: String? = "/run/tor/control.authcookie"
        var patience = Duration.seconds(30)
    }

    private let stream: Sockets.Stream
    private let gate: Gate
    private let tor: Tor
    private let log: @Sendable (String) -> Void
    private let outbox: Outbox
    private var upstream: Client?
    private var relay: Task<Void, Never>?
    private var getsEvents = false
    private var isBusy = false
    private var isOver = false
    private var refused = 0
    private var lastRequest = ContinuousClock.now

    init(_ stream: Sockets.Stream, gate: Gate, tor: Tor, log: @escaping @Sendable (String) -> Void) {
        self.stream = stream
        self.gate = gate
        self.tor = tor
        self.log = log
        outbox = Outbox(stream)
    }

    /// Answers until one side ends.
    func run() async {
        let watch = Task { [weak self] in
            while let self, !Task.isCancelled, let pause = await self.timeUntilIdle() {
                guard (try? await Task.sleep(for: pause)) != nil else { return }
            }
        }
        do {
            var parser = RequestParser()
            reading: while !isOver {
                let bytes = try await stream.read(upTo: 4096)
                if bytes.isEmpty { break }
                lastRequest = .now
                for element in parser.append(bytes) {
                    isBusy = true
                    try await take(element)
                    isBusy = false
                    if isOver { break reading }
                }
            }
        } catch {
            // The client is gone, or this service ends: nobody is left to be told.
        }
        watch.cancel()
        relay?.cancel()
        await upstream?.close()
        stream.shutDown()
    }

    /// Cuts off a client that says nothing and waits for nothing.
    ///
    /// - Returns: how long to wait before the next look; `nil` when it was cut off.
    private func timeUntilIdle() -> Duration? {
        let limit = Duration.seconds(gate.policy.idleSeconds)
        let silence = ContinuousClock.now - lastRequest
        if getsEvents || isBusy { return limit }
        if silence < limit { return limit - silence }
        stream.shutDown()
        return nil
    }

    private func take(_ element: RequestParser.Element) async throws {
        switch element {
        case .malformed:
            count("a line that is no command")
            try await outbox.send(Gate.refusal)
        case .tooLong:
            isOver = true
            try await outbox.send(Reply(last: .init(status: 500, text: "Too long")))
        case .request(let request):
            let decision = gate.decide(request)
            if decision == .refuse {
                count(Self.knownKeywords.contains(request.keyword) ? request.keyword : "another word")
            }
            try await outbox.send(await answer(decision))
            if decision == .goodbye { isOver = true }
        }
    }

    private func answer(_ decision: Decision) async -> Reply {
        switch decision {
        case .refuse: return Gate.refusal
        case .answer(let reply): return reply
        case .goodbye: return Reply(last: .init(status: 250, text: "closing connection"))
        case .protocolInfo: return await protocolInfo()
        case .getInfo(let keys, nil): return gate.answer(to: keys, from: nil)
        case .getInfo(let keys, let command?):
            return await ask(command) { gate.answer(to: keys, from: $0) }
        case .tell(let command): return await ask(command) { gate.answer(toOrder: $0) }
        case .setEvents(let command, let count):
            // Without any wish there is no need for a connection to Tor.
            if count == 0, upstream == nil { return Gate.success }
            let reply = await ask(command) { gate.answer(toOrder: $0) }
            if reply.isPositive { getsEvents = count > 0 }
            return reply
        }
    }

    private func protocolInfo() async -> Reply {
        var lines = [
            Reply.Line(status: 250, text: "PROTOCOLINFO 1"), Reply.Line(status: 250, text: "AUTH METHODS=NULL"),
        ]
        if let client = try? await connection(), let version = try? await client.getInfo("version") {
            lines.append(.init(status: 250, text: "VERSION Tor=\(QuotedString.encode(version.printable))"))
        }
        return Reply(lines, last: .init(status: 250, text: "OK"))
    }

    /// Asks Tor and shapes its answer; whatever goes wrong is an answer too.
    private func ask(_ command: Command, _ shape: (Reply) -> Reply) async -> Reply {
        do {
            return shape(try await connection().request(command, within: tor.patience))
        } catch ControlFailure.noAnswer {
            return Reply(last: .init(status: 551, text: "Tor does not answer"))
        } catch ControlFailure.ended(.protocolFailure) {
            isOver = true
            return Reply(last: .init(status: 551, text: "Tor's answer is not understood"))
        } catch ControlFailure.ended {
            isOver = true
            return Reply(last: .init(status: 551, text: "Tor stopped"))
        } catch {
            return Reply(last: .init(status: 551, text: "Tor is not running"))
        }
    }

    private func connection() async throws -> Client {
        if let upstream { return upstream }
        var limits = ReplyParser.Limits()
        // What clients may ask is short.
        limits.bytes = 1 << 20
        limits.lines = 1024
        let client = try await Client.connect(socket: tor.socket, cookie: tor.cookie, limits: limits)
        upstream = client
        relay = Task { [weak self, gate, outbox] in
            for await event in client.events {
                if let reply = gate.event(event) { await outbox.post(reply) }
            }
            await self?.torEnded()
        }
        return client
    }

    /// As with Tor itself, the end of Tor is the end of the connection, but after the answer that is under way.
    private func torEnded() {
        isOver = true
        if !isBusy { stream.shutDown() }
    }

    // MARK: The log

    /// Says in the log that something was refused, not what: the first time, the tenth, the hundredth.
    private func count(_ what: String) {
        refused += 1
        var step = refused
        while step % 10 == 0 { step /= 10 }
        if step == 1 { log("refused \(what)\(refused == 1 ? "" : " (\(refused) refusals on this connection)")") }
    }

    /// The commands of the protocol: only these words of a client ever reach the log.
    private static let knownKeywords: Set<String> = [
        "SETCONF", "RESETCONF", "GETCONF", "SETEVENTS", "AUTHENTICATE", "SAVECONF", "SIGNAL", "MAPADDRESS", "GETINFO",
        "EXTENDCIRCUIT", "SETCIRCUITPURPOSE", "SETROUTERPURPOSE", "ATTACHSTREAM", "POSTDESCRIPTOR", "REDIRECTSTREAM",
        "CLOSESTREAM", "CLOSECIRCUIT", "QUIT", "USEFEATURE", "RESOLVE", "PROTOCOLINFO", "LOADCONF", "TAKEOWNERSHIP",
        "DROPOWNERSHIP", "AUTHCHALLENGE", "DROPGUARDS", "HSFETCH", "ADD_ONION", "DEL_ONION", "HSPOST",
        "ONION_CLIENT_AUTH_ADD", "ONION_CLIENT_AUTH_REMOVE", "ONION_CLIENT_AUTH_VIEW", "DROPTIMEOUTS",
    ]
}
