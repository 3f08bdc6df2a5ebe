// SPDX-License-Identifier: GPL-3.0-or-later
import Foundation
import SystemPackage
import Testing

@testable import Commands

@Suite("Running tools")
struct CommandTests {
    @Test("arguments reach the tool as they are, never through a shell")
    func argumentsAreLiteral() async throws {
        let text = try await Command("printf", ["%s|%s", "$(id)", "a b;c"]).output()
        #expect(text == "$(id)|a b;c")
    }

    @Test("a tool sees none of the caller's environment but PATH and HOME")
    func cleanEnvironment() async throws {
        setenv("NEEDLETAIL_TEST_LEAK", "1", 1)
        let names = Set(
            try await Command("env", [], environment: ["EXTRA": "x"]).output()
                .split(separator: "\n").compactMap { $0.split(separator: "=").first.map(String.init) })
        #expect(names == ["PATH", "HOME", "LC_ALL", "TZ", "EXTRA"])
    }

    @Test("a failure names the tool, its status, its last words and the log")
    func failureTellsAll() async throws {
        let log = FilePath(FileManager.default.temporaryDirectory.path + "/command-\(UUID().uuidString).log")
        defer { try? FileManager.default.removeItem(atPath: log.string) }
        let failure = await #expect(throws: CommandFailure.self) {
            try await Command("ls", ["/does/not/exist"]).run(log: log)
        }
        let text = try #require(failure).description
        #expect(text.contains("ls ended with status 2"))
        #expect(text.contains("/does/not/exist"))
        #expect(text.contains(log.string))
    }

    @Test("a missing tool is a failure that names it")
    func missingTool() async {
        let failure = await #expect(throws: CommandFailure.self) {
            _ = try await Command("needletail-no-such-tool").output()
        }
        #expect(failure?.description.contains("needletail-no-such-tool") == true)
    }

    @Test("stopping a background command ends its process")
    func stopping() async throws {
        let log = FilePath(FileManager.default.temporaryDirectory.path + "/command-\(UUID().uuidString).log")
        defer { try? FileManager.default.removeItem(atPath: log.string) }
        let running = BackgroundCommand(Command("sleep", ["600"]), log: log)
        #expect(!running.hasEnded)
        try await Task.sleep(for: .milliseconds(200))
        await running.stop()
        await #expect(throws: CancellationError.self) { try await running.wait() }
    }
}
