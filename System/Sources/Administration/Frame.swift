// SPDX-License-Identifier: GPL-3.0-or-later
import Linux

/// A piece of what goes between the user's terminal and a command in the room. Both sides take the other's for hostile.
struct Frame: Hashable, Sendable {
    /// What a piece is.
    enum Kind: UInt8, Sendable {
        // To the command.
        /// Input.
        case input = 1
        /// The input's end.
        case endOfInput = 2
        /// The window's size: two numbers of two bytes, rows first.
        case window = 3
        /// A signal: one byte.
        case signal = 4
        // From the command.
        /// The command runs.
        case started = 16
        /// Output.
        case output = 17
        /// Standard error.
        case error = 18
        /// The command has ended: its exit status in one byte.
        case ended = 19
        // From the service, or from the room when no more fits into it.
        /// The command does not run: a ``Refusal`` in one byte, then seconds to wait in four.
        case refused = 32
    }

    /// The most bytes in a piece.
    static let most = 16_384

    let kind: Kind
    let payload: [UInt8]

    init(_ kind: Kind, _ payload: [UInt8] = []) {
        self.kind = kind
        self.payload = payload
    }

    /// The piece with its kind and length.
    var bytes: [UInt8] { [kind.rawValue, UInt8(payload.count >> 8), UInt8(payload.count & 0xff)] + payload }

    /// The size of a window, if that is what this is.
    var window: Terminal.Window? {
        guard kind == .window, payload.count == 4 else { return nil }
        return Terminal.Window(
            rows: Int(payload[0]) << 8 | Int(payload[1]), columns: Int(payload[2]) << 8 | Int(payload[3]))
    }

    /// Tells a window's size.
    static func window(_ window: Terminal.Window) -> Frame {
        Frame(
            .window,
            [
                UInt8(window.rows >> 8), UInt8(window.rows & 0xff), UInt8(window.columns >> 8),
                UInt8(window.columns & 0xff),
            ])
    }
}

/// Why a command does not run.
enum Refusal: UInt8, Sendable {
    case wrongPassword = 1
    case tooManyTries = 2
    case off = 3
    case noTicket = 4
    case failed = 5
    case busy = 6

    /// How the caller is told.
    ///
    /// - Parameter seconds: how long to wait for the next try.
    /// - Returns: the piece to send.
    func frame(seconds: Int = 0) -> Frame {
        let wait = UInt32(clamping: seconds)
        return Frame(.refused, [rawValue] + (0..<4).map { UInt8(truncatingIfNeeded: wait >> (24 - 8 * $0)) })
    }
}

/// What is not a ``Frame``: the other side does not keep to the rules, and the connection ends.
struct BrokenFrame: Error {}

/// Puts frames together from bytes as they come.
struct FrameReader {
    private var bytes: [UInt8] = []

    /// Takes the frames that are complete.
    ///
    /// - Throws: ``BrokenFrame``.
    mutating func add(_ more: [UInt8]) throws(BrokenFrame) -> [Frame] {
        bytes += more
        var frames: [Frame] = []
        var start = 0
        while bytes.count - start >= 3 {
            let length = Int(bytes[start + 1]) << 8 | Int(bytes[start + 2])
            guard let kind = Frame.Kind(rawValue: bytes[start]), length <= Frame.most else { throw BrokenFrame() }
            guard bytes.count - start >= 3 + length else { break }
            frames.append(Frame(kind, Array(bytes[start + 3..<start + 3 + length])))
            start += 3 + length
        }
        bytes.removeFirst(start)
        return frames
    }
}

/// Bytes that wait until the other side takes them.
struct Outbox {
    private var bytes: [UInt8] = []

    /// More should not be added now: whoever produces it must wait.
    var isFull: Bool { bytes.count > 65_536 }
    /// Nothing waits.
    var isEmpty: Bool { bytes.isEmpty }

    mutating func add(_ more: [UInt8]) { bytes += more }

    /// Writes what fits.
    mutating func write(to descriptor: Int32) throws(SystemCallFailure) {
        while !bytes.isEmpty, let count = try Descriptor.write(bytes.prefix(65_536), to: descriptor) {
            bytes.removeFirst(count)
        }
    }

    /// Writes what fits to a socket. That the other side is gone is an error, and never a signal.
    mutating func send(to socket: Int32) throws(SystemCallFailure) {
        while !bytes.isEmpty, let count = try UnixSocket.write(bytes.prefix(65_536), to: socket) {
            bytes.removeFirst(count)
        }
    }

    mutating func forget() { bytes.removeAll() }
}
