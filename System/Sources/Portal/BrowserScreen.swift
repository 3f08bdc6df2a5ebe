// SPDX-License-Identifier: GPL-3.0-or-later
import Linux
import Varlink

/// The browser in the namespace `portal`, on a virtual console of its own. Its unit gives it a home that is thrown away, and nothing
/// that it could execute but itself.
public enum BrowserScreen {
    private static let program = "/usr/bin/w3m"
    private static let settings = "/usr/share/needletail/login-page/w3m.conf"
    private static let home = "/tmp"

    /// Shows pages for the service, and ends a while after it has hung up.
    ///
    /// - Returns: an exit status.
    public static func run() async -> Int32 {
        await ConsoleService.run(product: "Needletail login page: browser", interface: PortalInterface.browserText) {
            console, methods in
            methods.answer("Browse") { (task: BrowserTask, _) in try await browse(task, on: console) }
        }
    }

    private static func browse(_ task: BrowserTask, on console: VirtualConsole) async throws -> BrowserEnd {
        ConsoleService.clear(console)
        _ = try await ConsoleService.bringUp(console)
        let browser = try TerminalProgram(
            program, ["-config", settings, "-cookie", task.address],
            environment: [
                "HOME=\(home)", "PATH=/nonexistent", "TERM=linux", "LC_ALL=C.UTF-8", "TZ=UTC", "SHELL=/nonexistent",
            ])
        let start = ContinuousClock.now
        let limit = start + .seconds(task.seconds)
        // The caller hung up, or the time is over.
        defer {
            ConsoleService.clear(console)
            try? console.show(task.display)
        }
        var nextClock = start + .seconds(2)
        while true {
            if let status = browser.status() {
                // It leaves by itself when it could not load the first page.
                let isEarly = ContinuousClock.now - start < .seconds(2)
                return BrowserEnd(end: status != 0 || isEarly ? .pageFailed : .quit)
            }
            let now = ContinuousClock.now
            guard !Task.isCancelled, now < limit else {
                browser.kill()
                try Task.checkCancellation()
                return BrowserEnd(end: .timeLimit)
            }
            if now >= nextClock {
                showClock(Int((limit - now).components.seconds), on: console)
                nextClock = now + .seconds(5)
            }
            try? await Task.sleep(for: .milliseconds(100))
        }
    }

    /// Writes into the last line, where the browser has only its messages, and puts the cursor back.
    private static func showClock(_ seconds: Int, on console: VirtualConsole) {
        let text = Words.clock(seconds)
        let column = max(1, 80 - text.utf8.count)
        console.write("\u{1b}7\u{1b}[\(console.lines);\(column)H\u{1b}[7m\(text)\u{1b}[0m\u{1b}8")
    }
}
