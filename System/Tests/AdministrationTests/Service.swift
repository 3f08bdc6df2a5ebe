// SPDX-License-Identifier: GPL-3.0-or-later
import Foundation
import Linux
import Sockets
import Testing
import Varlink

@testable import Administration

/// The service on sockets of its own, with a password, and the program that keeps the room from this build.
struct Service {
    let folder: String
    let store: PasswordStore

    var client: VarlinkClient { VarlinkClient(path: "\(folder)/a.sock") }
    var door: String { "\(folder)/terminal.sock" }

    /// The program beside the tests.
    static var program: String {
        let build = URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath().deletingLastPathComponent()
        var folder = build
        while folder.path != "/" {
            let program = folder.appendingPathComponent("needletail-administration")
            if FileManager.default.isExecutableFile(atPath: program.path) { return program.path }
            folder.deleteLastPathComponent()
        }
        return "/nonexistent"
    }

    /// Rooms need real root, and the program.
    static var canMakeRooms: Bool { getuid() == 0 && FileManager.default.isExecutableFile(atPath: program) }

    /// Starts the keeper of a room, as systemd does in the system.
    @Sendable static func makeRoom() throws -> RoomHandle {
        let (control, theirs) = try PacketSocket.pair()
        _ = try Processes.start(
            Processes.Plan(
                arguments: [program, RoomKeeper.argument], environment: [], descriptors: (theirs, 2, 2)))
        Descriptor.close(theirs)
        return try RoomHandle(control: control)
    }

    static func with<Value>(
        password: String? = "correct horse", _ body: (Service) async throws -> Value
    ) async throws -> Value {
        let folder = "/tmp/admin-\(UUID().uuidString.prefix(8))"
        try FileTree.makeDirectory(folder, mode: 0o700)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let service = Service(folder: folder, store: PasswordStore(folder: folder))
        if let password { try service.store.set(secret(password)) }
        let listeners = [try Listener(at: "\(folder)/a.sock"), try Listener(at: service.door)]
        let task = Task {
            try await AdministrationProgram.answer(
                listeners, store: service.store, makeRoom: makeRoom)
        }
        do {
            let value = try await body(service)
            _ = try? await service.client.call("\(AdministrationInterface.name).End")
            task.cancel()
            return value
        } catch {
            _ = try? await service.client.call("\(AdministrationInterface.name).End")
            task.cancel()
            throw error
        }
    }

    static func secret(_ text: String) -> SecretBytes {
        var bytes = Array(text.utf8)
        let secret = SecretBytes(capacity: bytes.count)
        secret.take(&bytes)
        return secret
    }

    struct Outcome {
        var status: Int32?
        var output = ""
        var error = ""
        var refusal: Refusal?
        var wait = 0
    }

    /// Runs a command as `needletail-admin` does.
    func run(
        _ arguments: [String], password: String = "correct horse", input: String = "",
        terminal: AdministrationInterface.PrepareParameters.Window? = nil
    ) async throws -> Outcome {
        let ticket = try await client.call(
            "\(AdministrationInterface.name).Prepare",
            AdministrationInterface.PrepareParameters(arguments: arguments, terminal: terminal),
            returning: AdministrationInterface.Ticket.self
        ).ticket
        return try await redeem(ticket, password: password, input: input)
    }

    /// Starts a command and leaves it; it lasts at most as long as the connection.
    func begin(_ arguments: [String]) async throws -> Sockets.Stream {
        let ticket = try await client.call(
            "\(AdministrationInterface.name).Prepare",
            AdministrationInterface.PrepareParameters(arguments: arguments, terminal: nil),
            returning: AdministrationInterface.Ticket.self
        ).ticket
        let stream = try Stream(connectingTo: door)
        try await stream.write(Array(ticket.utf8) + [0, 13] + Array("correct horse".utf8))
        #expect(try await stream.read() == Frame(.started).bytes)
        return stream
    }

    func redeem(_ ticket: String, password: String = "correct horse", input: String = "") async throws -> Outcome {
        let stream = try Stream(connectingTo: door)
        let secret = Array(password.utf8)
        try await stream.write(Array(ticket.utf8) + [UInt8(secret.count >> 8), UInt8(secret.count & 0xff)] + secret)
        var outcome = Outcome()
        var reader = FrameReader()
        while outcome.status == nil, outcome.refusal == nil {
            let bytes = try await stream.read()
            if bytes.isEmpty { return outcome }
            for frame in try reader.add(bytes) {
                switch frame.kind {
                case .started:
                    // A short command may have ended by now: then nobody takes input, and what it wrote waits to be read.
                    let typed = input.isEmpty ? [] : Frame(.input, Array(input.utf8)).bytes
                    try? await stream.write(typed + Frame(.endOfInput).bytes)
                case .output: outcome.output += String(decoding: frame.payload, as: UTF8.self)
                case .error: outcome.error += String(decoding: frame.payload, as: UTF8.self)
                case .ended: outcome.status = frame.payload.first.map(Int32.init)
                case .refused:
                    outcome.refusal = frame.payload.first.flatMap(Refusal.init(rawValue:))
                    outcome.wait = frame.payload.dropFirst().reduce(0) { $0 << 8 | Int($1) }
                default: throw BrokenFrame()
                }
            }
        }
        return outcome
    }
}
