// SPDX-License-Identifier: GPL-3.0-or-later
import Linux
import Varlink

/// `needletail-suspend` and `needletail-lock`.
public enum SuspendCommand {
    /// Locks the screen, or, after a question, lets the computer sleep as well.
    ///
    /// - Parameters:
    ///   - arguments: without the command's own name.
    ///   - onlyLock: whether this is `needletail-lock`.
    /// - Returns: an exit status: 0 when it was done, 1 when not, 2 for a wrong use, 69 when the service is not there.
    public static func run(_ arguments: [String], onlyLock: Bool = false) async -> Int32 {
        await run(arguments, onlyLock: onlyLock, client: VarlinkClient(path: SuspendInterface.socket), answer: typed)
    }

    static func run(
        _ arguments: [String], onlyLock: Bool, client: VarlinkClient, answer: @Sendable () -> String
    ) async -> Int32 {
        guard arguments.isEmpty else {
            let isHelp = ["--help", "-h"].contains(arguments[0])
            say(onlyLock ? SuspendWords.lockUsage : SuspendWords.usage, to: isHelp ? 1 : 2)
            return isHelp ? 0 : 2
        }
        do {
            if onlyLock {
                try await client.call("\(SuspendInterface.name).Lock")
                return 0
            }
            say(SuspendWords.warning)
            guard answer() == SuspendWords.word else {
                say(SuspendWords.stopped)
                return 1
            }
            try await client.call("\(SuspendInterface.name).Suspend", within: nil)
            return 0
        } catch let error as VarlinkError {
            switch error {
            case SuspendInterface.error("NotLocked"): say(SuspendWords.notLocked)
            case SuspendInterface.error("NotPossible"): say(SuspendWords.notPossible)
            default: say(SuspendWords.noService)
            }
            return 1
        } catch {
            say(SuspendWords.noService)
            return 69
        }
    }

    @Sendable private static func typed() -> String {
        guard let terminal = try? File("/dev/tty", .readAndWrite) else { return "" }
        _ = try? Descriptor.write(Array(SuspendWords.question.utf8)[...], to: terminal.descriptor)
        let line = (try? terminal.read(upTo: 256)) ?? []
        return String(decoding: line, as: UTF8.self).split(whereSeparator: \.isWhitespace).joined(separator: " ")
    }

    private static func say(_ text: String, to descriptor: Int32 = 2) {
        _ = try? Descriptor.write(Array(text.utf8)[...], to: descriptor)
    }
}
