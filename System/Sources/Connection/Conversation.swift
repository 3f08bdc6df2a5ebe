// SPDX-License-Identifier: GPL-3.0-or-later
import FoundationEssentials
import Linux
import Varlink

/// What the command and the person say to each other.
struct Conversation {
    let client: VarlinkClient
    let console: ConsoleLines
    let json: Bool

    private func method(_ name: String) -> String { "\(ConnectionInterface.name).\(name)" }

    func run(_ request: ConnectCommand.Request) async throws -> Int32 {
        switch request {
        case .help:
            console.show(ConnectCommand.help + "\n")
            return 0
        case .status:
            let reply = try await client.call(
                method("GetState"), returning: ConnectionInterface.StateReply.self)
            show(reply.state)
            return reply.state.problem ? 1 : 0
        case .disconnect:
            try await client.call(method("Disconnect"))
            if !json { console.show("Tor's network is off.\n") }
            return 0
        case .direct: return try await connect(.init(mode: "direct", bridges: nil))
        case .hide(let file):
            let text: String
            do {
                text = try readBridges(file)
            } catch {
                StandardError.line("\(file) cannot be read: \(error.number). Nothing was changed.")
                return 1
            }
            return try await connect(.init(mode: "hide", bridges: [text]))
        case .ask: return try await ask()
        }
    }

    private func readBridges(_ file: String) throws(SystemCallFailure) -> String {
        // A little more than is taken, so that the service says that it is too long.
        let limit = BridgeText.limit + 1
        if file != "-" {
            return String(decoding: try File(file, .readWithoutWaiting).readAll(limit: limit), as: UTF8.self)
        }
        var text = ""
        while text.utf8.count < limit, let line = console.read() { text += line + "\n" }
        return String(text.prefix(limit))
    }

    // MARK: Asking

    private func ask() async throws -> Int32 {
        let now = try await client.call(method("GetState"), returning: ConnectionInterface.StateReply.self).state
        show(now)
        console.show(
            """

            How do you want to connect?
              1  Connect to Tor directly. Your network sees that you use Tor, and nothing else.
              2  Hide that you use Tor. You need a bridge.
            Type 1 or 2, or nothing to leave everything as it is:\u{20}
            """)
        switch console.read()?.trimmed {
        case "1": return try await connect(.init(mode: "direct", bridges: nil))
        case "2": return try await askForBridges()
        default: return 0
        }
    }

    private func askForBridges() async throws -> Int32 {
        console.show(
            """

            Type or paste your bridges, one in a line, or the text of a QR code. An empty line ends the list.

            """)
        var lines: [String] = []
        while lines.count <= BridgeText.bridgeLimit {
            console.show("bridge> ")
            guard let line = console.read(), !line.trimmed.isEmpty else { break }
            let verdicts = BridgeText.check(line)
            if verdicts.contains(where: { (try? $0.result.get()) == nil }) {
                for verdict in verdicts { say(ConnectionInterface.Verdict(verdict), numbered: verdicts.count > 1) }
                console.show("  This line was left out. Try it again.\n")
                continue
            }
            let bridges = verdicts.compactMap { try? $0.result.get() }
            bridges.forEach { console.show("  \($0.transport.rawValue) bridge at \($0.endpoint): good\n") }
            lines += bridges.map(\.line)
        }
        guard !lines.isEmpty else {
            console.show("No bridge was entered. Nothing was changed.\n")
            return 1
        }
        return try await connect(.init(mode: "hide", bridges: lines))
    }

    // MARK: Connecting

    private func connect(_ parameters: ConnectionInterface.ConnectParameters) async throws -> Int32 {
        do {
            try await client.call(method("Connect"), parameters)
        } catch let error as VarlinkError where error.name == method("BadBridges") {
            let verdicts = try error.parameters(as: ConnectionInterface.VerdictsReply.self).verdicts
            if json {
                showJSON(verdicts)
            } else {
                for verdict in verdicts where verdict.problem != nil { say(verdict, numbered: true) }
                console.show("Nothing was changed.\n")
            }
            return 1
        } catch let error as VarlinkError where error.name == method("NoBridges") {
            StandardError.line("There is no bridge in it. Nothing was changed.")
            return 1
        }
        var last: ConnectionInterface.State?
        var problemSince: Double?
        for try await reply in client.observe(method("Monitor"), returning: ConnectionInterface.StateReply.self) {
            let state = reply.state
            if !json, state != last { progress(state) }
            last = state
            switch state.code {
            case "connected":
                finish(state)
                return 0
            case "disconnected", "notChosen":
                finish(state)
                return 1
            default: break
            }
            // Clocks are corrected, and cables plugged in, while we look; what stays is told. Everything else is final enough.
            guard state.problem else { continue }
            if ["clockWrong", "noCable", "captivePortalSuspected"].contains(state.code) {
                problemSince = problemSince ?? Machine.uptime
                if Machine.uptime - (problemSince ?? 0) < 1 { continue }
            }
            finish(state)
            return 1
        }
        return 1
    }

    private func progress(_ state: ConnectionInterface.State) {
        let done = (state.code == "connected" ? 100 : state.progress ?? 0) / 5
        let bar = String(repeating: "#", count: done) + String(repeating: ".", count: 20 - done)
        let line = "[\(bar)] \(state.sentence)"
        // On a terminal the bar stays in its line.
        console.show(console.isTerminal ? "\r\u{1b}[K\(line)" : line + "\n")
    }

    private func finish(_ state: ConnectionInterface.State) {
        if !json, console.isTerminal { console.show("\n") }
        show(state, withSentence: json || state.code != "connected")
    }

    // MARK: Showing

    private func show(_ state: ConnectionInterface.State, withSentence: Bool = true) {
        guard !json else { return showJSON(state) }
        if withSentence { console.show(state.sentence + "\n") }
        if !state.explanation.isEmpty { console.show("  \(state.explanation)\n") }
        if !state.advice.isEmpty { console.show("  What to do: \(state.advice)\n") }
    }

    private func say(_ verdict: ConnectionInterface.Verdict, numbered: Bool) {
        guard let problem = verdict.problem else { return }
        let place = "\(numbered ? "line \(verdict.line), " : "")character \(verdict.column ?? 1)"
        console.show("  \(place)\(verdict.word.map { ", “\($0)”" } ?? ""): \(problem) \(verdict.expected ?? "")\n")
    }

    private func showJSON(_ value: some Encodable) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard let data = try? encoder.encode(value) else { return }
        console.show(String(decoding: data, as: UTF8.self) + "\n")
    }
}

extension String {
    fileprivate var trimmed: String {
        String(drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed())
    }
}
