// SPDX-License-Identifier: GPL-3.0-or-later
import Foundation
import Synchronization

/// Shows a long task as steps with names, elapsed time, and a bar where a size is known.
///
/// On a terminal the running step is drawn again and again in one line; elsewhere each step leaves a line when it begins
/// and one when it ends.
public final class Steps: Sendable {
    /// Where lines go.
    public typealias Output = @Sendable (String) -> Void

    private struct State {
        var name = ""
        var started = ContinuousClock.now
        var fraction: Double?
        var detail = ""
    }

    private let state = Mutex(State())
    private let isTerminal: Bool
    private let write: Output

    /// Creates a display.
    ///
    /// - Parameters:
    ///   - isTerminal: Whether a line can be drawn over.
    ///   - write: Takes the text; standard error when not given, so that standard output stays for results.
    public init(
        isTerminal: Bool = isatty(STDERR_FILENO) == 1,
        write: @escaping Output = { FileHandle.standardError.write(Data($0.utf8)) }
    ) {
        self.isTerminal = isTerminal
        self.write = write
    }

    /// Runs a step. It is shown as failed when the body throws; the error goes on to the caller.
    public func step<Value: Sendable>(_ name: String, _ body: () async throws -> Value) async rethrows -> Value {
        state.withLock { $0 = State(name: name) }
        if isTerminal {
            draw()
        } else {
            write("… \(name)\n")
        }
        let ticker = Task { [weak self, isTerminal] in
            while isTerminal, !Task.isCancelled {
                try? await Task.sleep(for: .milliseconds(200))
                if !Task.isCancelled { self?.draw() }
            }
        }
        do {
            let value = try await body()
            ticker.cancel()
            _ = await ticker.value
            end("✓")
            return value
        } catch {
            ticker.cancel()
            _ = await ticker.value
            end("✗")
            throw error
        }
    }

    /// Tells how far the running step is.
    public func advance(_ done: Int, of total: Int, unit: String = "MB", divisor: Int = 1_000_000) {
        state.withLock { state in
            guard total > 0 else { return }
            state.fraction = min(1, Double(done) / Double(total))
            state.detail = "\(done / divisor)/\(total / divisor) \(unit)"
        }
        if isTerminal { draw() }
    }

    /// Adds words to the running step's line: "was there already".
    public func note(_ detail: String) { state.withLock { $0.detail = detail } }

    /// A line between the steps, such as a warning.
    public func say(_ text: String) { write((isTerminal ? "\r\u{1B}[K" : "") + text + "\n") }

    private func end(_ mark: String) {
        let line = state.withLock { state in
            let detail = state.detail.isEmpty ? "" : "  \(state.detail)"
            return "\(mark) \(state.name)  \(Self.seconds(since: state.started))\(detail)\n"
        }
        write((isTerminal ? "\r\u{1B}[K" : "") + line)
    }

    private func draw() {
        let line = state.withLock { state in
            var line = "\r\u{1B}[K… \(state.name)  \(Self.seconds(since: state.started))"
            if let fraction = state.fraction {
                let width = 24
                let filled = Int(fraction * Double(width))
                line +=
                    "  [" + String(repeating: "#", count: filled) + String(repeating: "·", count: width - filled) + "]"
            }
            return state.detail.isEmpty ? line : line + "  " + state.detail
        }
        write(line)
    }

    private static func seconds(since start: ContinuousClock.Instant) -> String {
        let elapsed = (ContinuousClock.now - start).components
        let tenths = elapsed.seconds * 10 + elapsed.attoseconds / 100_000_000_000_000_000
        return "\(tenths / 10).\(tenths % 10) s"
    }
}
