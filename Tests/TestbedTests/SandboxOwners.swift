// SPDX-License-Identifier: GPL-3.0-or-later
import Foundation
import SystemPackage
import Testbed
import Testing

/// A new folder with a short path: sockets in it have to fit in 107 bytes.
func scratchFolder() -> FilePath {
    FilePath("/tmp/needletail-test-\(String(UInt64.random(in: 0 ... .max), radix: 36))")
}

/// Opens a sandbox, hands it over, closes it and removes its folder.
func withSandbox(_ body: (Sandbox) async throws -> Void) async throws {
    let sandbox = try await Sandbox.open(work: scratchFolder())
    defer { try? FileManager.default.removeItem(atPath: sandbox.work.string) }
    do {
        try await body(sandbox)
    } catch {
        await sandbox.close()
        throw error
    }
    await sandbox.close()
}

/// Waits up to 10 s until something has become true, and fails when it has not.
func eventually(
    within limit: Duration = .seconds(10), _ isTrue: () -> Bool, location: SourceLocation = #_sourceLocation
) async throws {
    let deadline = ContinuousClock.now + limit
    while !isTrue() {
        guard ContinuousClock.now < deadline else {
            Issue.record("This was not true after \(limit).", sourceLocation: location)
            return
        }
        try await Task.sleep(for: .milliseconds(20))
    }
}

/// The numbers of all processes of this machine, in whatever namespace, that have this argument as a whole word.
func processes(withArgument word: String) -> [Int] {
    let numbers = ((try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []).compactMap(Int.init)
    return numbers.filter { number in
        guard let line = FileManager.default.contents(atPath: "/proc/\(number)/cmdline") else { return false }
        return line.split(separator: 0).contains { String(decoding: $0, as: UTF8.self) == word }
    }
}

/// The numbers of all processes of this machine that have this text anywhere in their arguments.
func processes(withTextInArguments text: String) -> [Int] {
    let numbers = ((try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []).compactMap(Int.init)
    return numbers.filter { number in
        guard number != getpid(), let line = FileManager.default.contents(atPath: "/proc/\(number)/cmdline") else {
            return false
        }
        return String(decoding: line, as: UTF8.self).contains(text)
    }
}

/// The numbers of all processes of this machine that are in a network namespace, "net:[4026531840]" for example.
func processes(inNetwork network: String) -> [Int] {
    let numbers = ((try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []).compactMap(Int.init)
    return numbers.filter {
        (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\($0)/ns/net")) == network
    }
}
