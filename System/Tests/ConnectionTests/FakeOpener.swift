// SPDX-License-Identifier: GPL-3.0-or-later
import Linux
import Sockets
import Synchronization

/// What opens the firewall, without a firewall: it writes down what is asked, and by the file says whether it is open.
final class FakeOpener: Sendable {
    struct State {
        var events: [String] = []
        /// What is answered to "open".
        var answer = "open"
        var failsToClose = false
        var stream: Stream?
    }

    let state = Mutex(State())
    private let file: String
    private let serving = Mutex<Task<Void, Never>?>(nil)

    init(in folder: String) throws {
        file = "\(folder)/names"
        let listener = try Listener(at: "\(folder)/opener")
        mark(false)
        let task = Task { [weak self] in
            while let stream = try? await listener.accept() { await self?.serve(stream) }
        }
        serving.withLock { $0 = task }
    }

    var events: [String] { state.withLock { $0.events } }

    /// Says something that nobody has asked for.
    func say(_ word: String) async { try? await state.withLock { $0.stream }?.write("\(word)\n".utf8) }

    /// Ends the connection, as when the service ends.
    func hangUp() { state.withLock { $0.stream }?.shutDown() }

    func stop() { serving.withLock { $0 }?.cancel() }

    /// Marks the firewall as open, or as closed.
    func mark(_ isOpen: Bool) {
        try? File(file, .create(mode: 0o644)).write(Array((isOpen ? "nameserver 192.0.2.1\n" : "# none\n").utf8))
    }

    private func serve(_ stream: Stream) async {
        state.withLock { $0.stream = stream }
        while let bytes = try? await stream.read(), !bytes.isEmpty {
            let word = String(decoding: bytes.dropLast(), as: UTF8.self)
            let answer = state.withLock { state in
                state.events.append(word)
                return word == "open" ? state.answer : state.failsToClose ? "failed" : "closed"
            }
            mark(word == "open" ? answer == "open" : answer == "failed")
            try? await stream.write("\(answer)\n".utf8)
            if word == "close" || answer == "failed" { break }
        }
        if !state.withLock({ $0.failsToClose }) { mark(false) }
        state.withLock { $0.events.append("end") }
        stream.shutDown()
    }
}
