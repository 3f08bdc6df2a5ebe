// SPDX-License-Identifier: GPL-3.0-or-later
import Synchronization
import Testing

/// Lets two suites run side by side, in the order in which they come; the others wait.
///
/// A machine often waits for timers, for Tor or for its firmware, and the build that is made with one processor leaves the
/// other one idle. More than two machines on two processors are so slow that their own time limits end their services.
struct Turn: SuiteTrait, TestScoping {
    private static let places = Places(2)

    var isRecursive: Bool { false }

    func provideScope(for test: Test, testCase: Test.Case?, performing body: @Sendable () async throws -> Void)
        async throws
    {
        await Self.places.take()
        defer { Self.places.giveBack() }
        try await body()
    }
}

extension Trait where Self == Turn {
    /// The suite waits for its turn before anything of it starts; named before traits that start a machine.
    static var turn: Self { Turn() }
}

/// A number of places, given to who waits longest.
private final class Places: Sendable {
    private struct State {
        var free: Int
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let state: Mutex<State>

    init(_ count: Int) { state = Mutex(State(free: count)) }

    func take() async {
        await withCheckedContinuation { continuation in
            let hasPlace = state.withLock { state in
                if state.free > 0 {
                    state.free -= 1
                    return true
                }
                state.waiting.append(continuation)
                return false
            }
            if hasPlace { continuation.resume() }
        }
    }

    func giveBack() {
        let next = state.withLock { state -> CheckedContinuation<Void, Never>? in
            if state.waiting.isEmpty {
                state.free += 1
                return nil
            }
            return state.waiting.removeFirst()
        }
        next?.resume()
    }
}
