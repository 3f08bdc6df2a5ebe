// SPDX-License-Identifier: GPL-3.0-or-later
import Dispatch
import Linux

/// Waiting for a descriptor without holding a thread.
enum WaitingFor {
    case input, room
}

/// Returns when the descriptor is ready, or has failed: the next call on it says which.
///
/// - Throws: `CancellationError` when the task is cancelled.
func waitUntilReady(_ descriptor: Int32, _ what: WaitingFor, on queue: DispatchQueue) async throws {
    try Task.checkCancellation()
    let source: any DispatchSourceProtocol =
        switch what {
        case .input: DispatchSource.makeReadSource(fileDescriptor: descriptor, queue: queue)
        case .room: DispatchSource.makeWriteSource(fileDescriptor: descriptor, queue: queue)
        }
    let box = SourceBox(source)
    await withTaskCancellationHandler {
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            // The one place where the wait ends: events and the task's cancellation both cancel the source.
            source.setCancelHandler { continuation.resume() }
            source.setEventHandler { box.cancel() }
            source.activate()
        }
    } onCancel: {
        box.cancel()
    }
    try Task.checkCancellation()
}

/// `@unchecked`: a dispatch source may be cancelled from any thread, but its protocol does not say so.
private final class SourceBox: @unchecked Sendable {
    private let source: any DispatchSourceProtocol
    init(_ source: any DispatchSourceProtocol) { self.source = source }
    func cancel() { source.cancel() }
}
