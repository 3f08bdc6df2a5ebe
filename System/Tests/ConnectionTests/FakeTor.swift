// SPDX-License-Identifier: GPL-3.0-or-later
import Linux
import Sockets
import Synchronization

/// A control port that keeps options as Tor does, and writes down every command that changes one.
final class FakeTor: Sendable {
    struct State {
        var useBridges = "0"
        var bridges: [String] = []
        var disableNetwork = "1"
        var changes: [String] = []
        /// Whether bridges that it is given are lost.
        var forgetsBridges = false
        var refuses = false
        /// What it says of connections that end when its network goes off, after it has answered.
        var lastWords = ""
        /// How often somebody has come and looked around.
        var visits = 0
    }

    let state: Mutex<State>
    let folder: String
    private let serving: Task<Void, Never>
    private let streams: Streams

    /// Connections that there are.
    private final class Streams: Sendable {
        let all = Mutex<[Stream]>([])
    }

    init(_ name: String, state: State = State()) throws {
        folder = "/tmp/needletail-fake-tor-\(name)-\(Program.identifier)"
        try FileTree.makeDirectory(folder)
        try File("\(folder)/cookie", .create(mode: 0o600)).write([UInt8](repeating: 7, count: 32))
        let listener = try Listener(at: "\(folder)/control")
        self.state = Mutex(state)
        streams = Streams()
        let streams = streams
        let answer = Box<(@Sendable (String) -> String)?>(nil)
        serving = Task {
            await withDiscardingTaskGroup { group in
                while let stream = try? await listener.accept() {
                    streams.all.withLock { $0.append(stream) }
                    group.addTask {
                        var text = ""
                        while let bytes = try? await stream.read(), !bytes.isEmpty {
                            text += String(decoding: bytes, as: UTF8.self)
                            // In Swift a carriage return and a line feed are one character.
                            while let end = text.firstIndex(of: "\r\n") {
                                let line = String(text[..<end])
                                text = String(text[text.index(after: end)...])
                                guard let reply = answer.value.withLock({ $0 })?(line) else { return }
                                try? await stream.write(reply.utf8)
                            }
                        }
                    }
                }
            }
        }
        answer.value.withLock { $0 = { [weak self] in self?.answer($0) ?? "" } }
    }

    private final class Box<Value: Sendable>: Sendable {
        let value: Mutex<Value>
        init(_ value: Value) { self.value = Mutex(value) }
    }

    /// Waits until somebody has come and looked around so many times.
    func untilVisited(_ count: Int = 1) async throws {
        for _ in 0..<1000 where state.withLock({ $0.visits }) < count { try await Task.sleep(for: .milliseconds(10)) }
    }

    /// Ends every connection, and forgets what it was told, as a crash does.
    func crash() {
        state.withLock { state in
            state.useBridges = "0"
            state.bridges = []
            state.disableNetwork = "1"
            state.changes.append("crash")
        }
        hangUp()
    }

    /// Ends every connection.
    func hangUp() {
        streams.all.withLock { streams in
            streams.forEach { $0.shutDown() }
            streams = []
        }
    }

    func stop() {
        serving.cancel()
        hangUp()
    }

    private func answer(_ line: String) -> String {
        let (command, rest) = split(line)
        switch command {
        case "GETINFO" where rest == "status/bootstrap-phase":
            return "250-\(rest)=NOTICE BOOTSTRAP PROGRESS=0 TAG=starting SUMMARY=\"Starting\"\r\n250 OK\r\n"
        case "GETINFO":
            state.withLock { $0.visits += 1 }
            return "250-\(rest)=\r\n250 OK\r\n"
        case "GETCONF":
            return state.withLock { state in
                switch rest {
                case "UseBridges": return "250 UseBridges=\(state.useBridges)\r\n"
                case "DisableNetwork": return "250 DisableNetwork=\(state.disableNetwork)\r\n"
                default:
                    guard let last = state.bridges.last else { return "250 Bridge\r\n" }
                    return state.bridges.dropLast().map { "250-Bridge=\($0)\r\n" }.joined() + "250 Bridge=\(last)\r\n"
                }
            }
        case "SETCONF":
            return state.withLock { state in
                guard !state.refuses || rest.hasPrefix("DisableNetwork") else { return "553 No.\r\n" }
                state.changes.append(rest)
                // Values have no quotes within them here.
                let parts = rest.split(separator: "\"", omittingEmptySubsequences: false).map(String.init)
                if rest.contains("UseBridges") { state.bridges = [] }
                for index in stride(from: 0, to: parts.count - 1, by: 2) {
                    let option = parts[index].split(separator: " ").last ?? ""
                    switch option {
                    case "UseBridges=": state.useBridges = parts[index + 1]
                    case "DisableNetwork=": state.disableNetwork = parts[index + 1]
                    case "Bridge=": if !state.forgetsBridges { state.bridges.append(parts[index + 1]) }
                    default: break
                    }
                }
                return "250 OK\r\n" + (rest == "DisableNetwork=\"1\"" ? state.lastWords : "")
            }
        case "SIGNAL":
            crash()
            return ""
        default: return "250 OK\r\n"
        }
    }

    private func split(_ line: String) -> (String, String) {
        let parts = line.split(separator: " ", maxSplits: 1).map(String.init)
        return (parts.first ?? "", parts.count > 1 ? parts[1] : "")
    }
}
