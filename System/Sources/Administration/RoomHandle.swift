// SPDX-License-Identifier: GPL-3.0-or-later
import Dispatch
import Linux

/// The service's hold on the room. What the room says is not believed, beyond that it is there.
final class RoomHandle: Sendable {
    /// Where the room's keeper listens.
    static let socket = "/run/needletail/administration-room.sock"
    private let control: Int32

    /// The room could not be made.
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    /// Waits for the room on a connection to its keeper, and closes it with the last reference; with it the room ends. Takes a
    /// moment, so not for a task's thread: ``Blocking``.
    ///
    /// - Parameter control: a connected packet socket.
    /// - Throws: `SystemCallFailure`, or the keeper's words.
    init(control: Int32) throws {
        self.control = control
        let isHeard = !Polling.wait(reading: [control], seconds: 40).reading.isEmpty
        let answer = isHeard ? try PacketSocket.receive(from: control, upTo: 4096).bytes : []
        guard answer == RoomSteward.ready else {
            throw Failure(description: "the room was not made: \(String(decoding: answer.prefix(500), as: UTF8.self))")
        }
    }

    deinit { Descriptor.close(control) }

    /// Hands a command and the user's connection over.
    ///
    /// - Throws: `SystemCallFailure` when the room is gone.
    func run(_ request: CommandRequest, connection: Int32) throws {
        try PacketSocket.send(request.bytes, to: control, passing: connection)
    }

    /// Ends the room and everything in it.
    func end() { PacketSocket.finish(control) }

    /// Waits for the room's end, with a thread.
    func waitForEnd() {
        while Polling.wait(reading: [], ending: [control]).reading.isEmpty {}
    }
}

/// Work that holds a thread, beside the tasks.
enum Blocking {
    /// Runs it on a thread that nothing else waits for: a serial queue of its own always gets one, a place in a shared pool may
    /// be taken by others who wait.
    static func run<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            DispatchQueue(label: "blocking").async { continuation.resume(with: Result { try body() }) }
        }
    }
}
