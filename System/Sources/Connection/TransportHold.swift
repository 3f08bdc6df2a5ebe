// SPDX-License-Identifier: GPL-3.0-or-later
import Linux
import Sockets
import Walls

/// Asks for the firewall to be opened for transports over UDP, and for it to be closed. It is open as long as this program holds
/// the connection on which it asked.
actor TransportHold {
    /// Why it did not become as asked.
    enum Failure: Error, Sendable, Hashable {
        case notOpened
        case notClosed
    }

    /// Where things are.
    struct Places: Sendable {
        var socket = TransportGate.socket
        var resolverFile = TransportGate.resolverFile
        /// Seconds for an answer. The opener may have to ask NetworkManager, on a slow computer.
        var patience = 20.0
    }

    /// The connection on which was asked.
    private struct Held {
        let stream: Stream
        /// The last word on it.
        var answer: TransportGate.Answer
        /// Ends with the connection, and gives the last word on it.
        let reader: Task<TransportGate.Answer?, Never>
    }

    private let places: Places
    private var held: Held?
    private var changed: @Sendable () async -> Void = {}

    init(_ places: Places = Places()) { self.places = places }

    /// Gets called whenever the opener says something new by itself, and when it has gone.
    func onChange(_ changed: @escaping @Sendable () async -> Void) { self.changed = changed }

    /// Opens, if it is not open.
    ///
    /// - Returns: whether it is open; `false` while there is no name server that may be asked.
    /// - Throws: ``Failure/notOpened``: then it is closed, as far as can be told.
    func open() async throws(Failure) -> Bool {
        if let held { return held.answer == .open }
        do {
            let (answer, lines) = try await ask(.open)
            guard let answer, [.open, .waiting].contains(answer) else { throw Failure.notOpened }
            held = Held(stream: lines.stream, answer: answer, reader: Task { await self.follow(lines) })
            return answer == .open
        } catch {
            throw .notOpened
        }
    }

    /// Closes, if it is open, whoever has opened it.
    ///
    /// - Throws: ``Failure/notClosed``: it may still be open.
    func close() async throws(Failure) {
        if let held {
            self.held = nil
            let watch = endLater(held.stream)
            defer { watch.cancel() }
            try? await say(.close, on: held.stream)
            if await held.reader.value == .closed { return }
        }
        // It was opened before this program was started, or did not say that it is closed.
        guard isMarkedOpen else { return }
        do {
            guard try await ask(.close).answer == .closed else { throw Failure.notClosed }
        } catch {
            throw .notClosed
        }
    }

    /// The opener's own mark, which everybody can read.
    private var isMarkedOpen: Bool {
        guard let text = try? File.text(places.resolverFile) else { return false }
        return text.split(separator: "\n").contains { $0.hasPrefix(TransportGate.resolverWord) }
    }

    /// Asks on a connection of its own.
    ///
    /// - Returns: the first word, and where the next ones come from.
    private func ask(
        _ request: TransportGate.Request
    ) async throws -> (answer: TransportGate.Answer?, lines: AnswerLines) {
        let stream = try Stream(connectingTo: places.socket)
        let watch = endLater(stream)
        defer { watch.cancel() }
        try await say(request, on: stream)
        var lines = AnswerLines(stream: stream)
        let answer = try await lines.next()
        return (answer, lines)
    }

    private func say(_ request: TransportGate.Request, on stream: Stream) async throws {
        try await stream.write("\(request.rawValue)\n".utf8)
    }

    /// - Returns: the last word.
    private func follow(_ lines: AnswerLines) async -> TransportGate.Answer? {
        var lines = lines
        let stream = lines.stream
        var last: TransportGate.Answer?
        while let next = try? await lines.next() {
            last = next
            guard held?.stream === stream, next == .open || next == .waiting else { break }
            held?.answer = next
            Task { [changed] in await changed() }
        }
        if held?.stream === stream {
            // Not asked for: it crashed, or could not go on.
            held = nil
            Task { [changed] in
                try? await Task.sleep(for: .seconds(1))
                await changed()
            }
        }
        return last
    }

    /// A program that does not answer is left.
    private func endLater(_ stream: Stream) -> Task<Void, Never> {
        Task { [patience = places.patience] in
            guard (try? await Task.sleep(for: .seconds(patience))) != nil else { return }
            stream.shutDown()
        }
    }
}

/// The words that the opener says.
struct AnswerLines: Sendable {
    let stream: Stream
    private var text: [UInt8] = []

    init(stream: Stream) { self.stream = stream }

    /// The next word; `nil` at the end, and for what is no word.
    mutating func next() async throws -> TransportGate.Answer? {
        while true {
            if let end = text.firstIndex(of: UInt8(ascii: "\n")) {
                let word = String(decoding: text[..<end], as: UTF8.self)
                text.removeSubrange(...end)
                return TransportGate.Answer(rawValue: word)
            }
            let bytes = try await stream.read(upTo: 64)
            guard !bytes.isEmpty, text.count < 64 else { return nil }
            text += bytes
        }
    }
}
