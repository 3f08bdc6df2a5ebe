// SPDX-License-Identifier: GPL-3.0-or-later
import ControlFilter
import Linux
import Sockets
import Synchronization
import Testing
import TorControl

/// A control port that says what a test wants, and remembers what it was told.
final class FakeTor: Sendable {
    let listener: Listener
    let path: String
    private let heard = Mutex<[String]>([])
    /// What is said to a line; `nil` is the end of the connection.
    let script: @Sendable (String) -> [UInt8]?

    init(_ path: String, script: @escaping @Sendable (String) -> [UInt8]?) throws {
        self.path = path
        listener = try Listener(at: path)
        self.script = script
    }

    var lines: [String] { heard.withLock { $0 } }

    func serve() async {
        await withDiscardingTaskGroup { group in
            while let stream = try? await listener.accept() {
                group.addTask { [self] in await talk(stream) }
            }
            group.cancelAll()
        }
    }

    private func talk(_ stream: Sockets.Stream) async {
        var line: [UInt8] = []
        while let bytes = try? await stream.read(), !bytes.isEmpty {
            for byte in bytes {
                line.append(byte)
                guard byte == 0x0a else { continue }
                let text = String(decoding: line.dropLast(2), as: UTF8.self)
                line = []
                heard.withLock { $0.append(text) }
                guard let answer = text.hasPrefix("AUTHENTICATE") ? Array("250 OK\r\n".utf8) : script(text) else {
                    stream.shutDown()
                    return
                }
                guard (try? await stream.write(answer)) != nil else { return }
            }
        }
    }
}

/// The filter between a fake Tor and a test.
struct Setting {
    let tor: FakeTor
    let door: String
    let log: Lines

    final class Lines: Sendable {
        private let content = Mutex<[String]>([])
        func add(_ line: String) { content.withLock { $0.append(line) } }
        var all: [String] { content.withLock { $0 } }
    }

    /// The account of the tests.
    private static func account() throws -> UInt32 {
        let path = "/tmp/needletail-account-\(Program.identifier)-\(UInt32.random(in: 0...UInt32.max))"
        let listener = try Listener(at: path)
        defer { try? FileTree.remove(path) }
        return try withExtendedLifetime(listener) { try Sockets.Stream(connectingTo: path).peer.user }
    }

    static func policy(_ name: String, idle: Int = 60) throws -> Policy {
        // The tests run as somebody else than the user.
        var text = try File.text("\(Shipped.folder)/\(name).json")
        text = text.replacing("\"users\": [", with: "\"users\": [\(try account()), ")
        text = text.replacing("\"idleSeconds\": 300", with: "\"idleSeconds\": \(idle)")
        return try Policy(Array(text.utf8), name: name)
    }

    static func with(
        _ name: String, policy: Policy? = nil, patience: Duration = .seconds(5),
        tor script: @escaping @Sendable (String) -> [UInt8]?, _ body: (Setting) async throws -> Void
    ) async throws {
        let stem = "/tmp/needletail-filter-\(Program.identifier)-\(UInt32.random(in: 0...UInt32.max))"
        let setting = Setting(tor: try FakeTor(stem + ".tor", script: script), door: stem + ".door", log: Lines())
        defer {
            try? FileTree.remove(stem + ".tor")
            try? FileTree.remove(stem + ".door")
        }
        let door = FilterService.Door(listener: try Listener(at: setting.door), policy: try policy ?? Self.policy(name))
        let log = setting.log
        let service = FilterService(doors: [door], torSocket: setting.tor.path, cookie: nil, patience: patience) {
            log.add($0)
        }
        let running = [Task { await service.run() }, Task { await setting.tor.serve() }]
        do {
            try await body(setting)
        } catch {
            running.forEach { $0.cancel() }
            throw error
        }
        for task in running {
            task.cancel()
            await task.value
        }
    }

    func connect() throws -> Visitor { Visitor(stream: try Sockets.Stream(connectingTo: door)) }
}

/// A program at the filter's socket that may say anything.
final class Visitor {
    let stream: Sockets.Stream
    private var rest: [UInt8] = []

    init(stream: Sockets.Stream) { self.stream = stream }

    func say(_ text: String) async throws { try await stream.write(text.utf8) }

    /// The next line; `nil` at the end.
    func line() async throws -> String? {
        while true {
            if let end = rest.firstIndex(of: 0x0a) {
                let line = String(decoding: rest[..<end], as: UTF8.self)
                rest.removeSubrange(...end)
                return line.hasSuffix("\r") ? String(line.dropLast()) : line
            }
            let bytes = try await stream.read()
            if bytes.isEmpty { return nil }
            rest += bytes
        }
    }

    /// Says something and hears the line that ends the answer.
    func ask(_ text: String) async throws -> String? {
        try await say(text + "\r\n")
        while let line = try await line() {
            if line.utf8.count >= 4, Array(line.utf8)[3] == UInt8(ascii: " "), !line.hasPrefix("650") { return line }
        }
        return nil
    }
}
