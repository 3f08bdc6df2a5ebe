// SPDX-License-Identifier: GPL-3.0-or-later
import Linux
import Testing

@testable import Administration

@Suite("The user's side of a command")
struct SessionTests {
    @Test("a command that ends before it took its input still says how it ended", arguments: [0, 4096])
    func endsEarly(_ bytes: Int) throws {
        let (connection, room) = try PacketSocket.pair()
        let input = try Descriptor.pipe()
        defer { for end in [connection, input.reading] { Descriptor.close(end) } }
        _ = try Descriptor.write([UInt8](repeating: 0x78, count: bytes)[...], to: input.writing)
        Descriptor.close(input.writing)
        // Nothing of this may reach the tests' own output, so the pieces of output are empty.
        let answer = [Frame(.started)] + Array(repeating: Frame(.output), count: 8) + [Frame(.ended, [7])]
        for frame in answer { try PacketSocket.send(frame.bytes, to: room) }
        Descriptor.close(room)
        let session = CommandSession(connection: connection, isTerminal: false, input: input.reading)
        #expect(try session.copy(signals: Processes.signals([])) == 7)
    }

    @Test("a command whose output nobody reads any more ends without a word", arguments: [Frame.Kind.output, .error])
    func nobodyReads(_ kind: Frame.Kind) throws {
        Descriptor.ignoreBrokenPipes()
        let (connection, room) = try PacketSocket.pair()
        let (output, errors, input) = (try Descriptor.pipe(), try Descriptor.pipe(), try Descriptor.pipe())
        defer {
            let pipe = kind == .output ? errors.reading : output.reading
            for end in [connection, room, output.writing, errors.writing, input.reading, input.writing, pipe] {
                Descriptor.close(end)
            }
        }
        // `| head`, which has seen enough.
        Descriptor.close(kind == .output ? output.reading : errors.reading)
        // The command goes on, and the connection is well.
        for frame in [Frame(.started), Frame(kind, [0x78])] { try PacketSocket.send(frame.bytes, to: room) }
        let session = CommandSession(
            connection: connection, isTerminal: false, input: input.reading, output: output.writing,
            errors: errors.writing)
        #expect(try session.copy(signals: Processes.signals([])) == 141)
    }

    @Test("a connection that ends without an answer is no success")
    func noAnswer() throws {
        let (connection, room) = try PacketSocket.pair()
        let input = try Descriptor.pipe()
        defer { for end in [connection, input.reading, input.writing] { Descriptor.close(end) } }
        try PacketSocket.send(Frame(.started).bytes, to: room)
        Descriptor.close(room)
        let session = CommandSession(connection: connection, isTerminal: false, input: input.reading)
        #expect(throws: BrokenFrame.self) { try session.copy(signals: Processes.signals([])) }
    }
}
