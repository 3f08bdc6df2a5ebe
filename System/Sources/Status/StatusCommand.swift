// SPDX-License-Identifier: GPL-3.0-or-later
import Linux
import TorControl

/// `needletail-status`.
public enum StatusCommand {
    /// Runs the command.
    ///
    /// - Parameters:
    ///   - arguments: without the command's name.
    ///   - reader: asks.
    /// - Returns: the exit status: 0 when Tor is connected, 1 when it is not, 2 when that cannot be known.
    public static func run(_ arguments: [String], reader: StatusReader = StatusReader()) async -> Int32 {
        var isWatching = false
        var isJSON = false
        for argument in arguments {
            switch argument {
            case "--watch": isWatching = true
            case "--json": isJSON = true
            case "--help", "-h":
                StandardOutput.write(StatusWords.help)
                return 0
            default:
                StandardOutput.write(StatusWords.unknownOption(argument))
                return 2
            }
        }
        if isWatching, isJSON {
            StandardOutput.write(StatusWords.watchAndJSON)
            return 2
        }
        let report = await reader.read()
        StandardOutput.write(isJSON ? report.json + "\n" : StatusWords.text(report))
        if isWatching { await watch(reader) }
        return report.failure != nil ? 2 : report.isConnected ? 0 : 1
    }

    /// Shows changes until the task is cancelled.
    private static func watch(_ reader: StatusReader) async {
        var wasLost = false
        while !Task.isCancelled {
            do {
                let client = try await reader.connect()
                try await client.setEvents([.statusClient, .statusGeneral, .networkLiveness, .circuit])
                wasLost = false
                for await event in client.events {
                    if let text = StatusWords.text(event) { StandardOutput.write(text + "\n") }
                }
            } catch {
                // Said below, once.
            }
            if !wasLost { StandardOutput.write(StatusWords.lost + "\n") }
            wasLost = true
            guard (try? await Task.sleep(for: .seconds(1))) != nil else { return }
        }
    }
}
