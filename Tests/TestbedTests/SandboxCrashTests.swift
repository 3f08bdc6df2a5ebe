// SPDX-License-Identifier: GPL-3.0-or-later
import Foundation
import SystemPackage
import Testing

@testable import Testbed

@Suite("The sandbox of an owner that crashes")
struct SandboxCrashTests {
    @Test("after SIGKILL of its owner nothing of it is left: no process, no namespace, no lock")
    func killedOwner() async throws {
        let folder = scratchFolder().string
        let marker = "86400.\(UInt32.random(in: 1_000_000 ... .max))"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        // The body runs in a process of its own, the owner.
        await #expect(processExitsWith: .signal(SIGKILL)) { [folder = folder as String, marker = marker as String] in
            let sandbox = try await Sandbox.open(work: FilePath(folder))
            _ = try await PrivateNetwork.start(in: sandbox)
            // One that ends only when it is killed, and one in the background of a shell.
            let stubborn = sandbox.start(
                "stubborn", "sh", ["-c", "trap '' TERM HUP INT; sleep \(marker) & sleep \(marker)"])
            try await eventually { processes(withArgument: marker).count == 2 && !stubborn.hasEnded }
            let inside = try await sandbox.command("readlink", ["/proc/self/ns/net"]).output()
            let own = processes(inNetwork: inside.trimmingCharacters(in: .newlines))
            let servers = processes(withTextInArguments: folder)
            // Without these the test could not fail: an owner that does not see its processes ends in another way.
            guard processes(withArgument: marker).count == 2, own.count >= 3, !servers.isEmpty else { exit(1) }
            try Data(inside.utf8).write(to: URL(fileURLWithPath: folder + "/network"))
            kill(getpid(), SIGKILL)
        }
        let network = try String(contentsOfFile: folder + "/network", encoding: .utf8)
        try await eventually(within: .seconds(5)) {
            processes(withArgument: marker).isEmpty && processes(withTextInArguments: folder).isEmpty
                && processes(inNetwork: network.trimmingCharacters(in: .newlines)).isEmpty
        }
        // The next run can use the folder at once.
        let next = try await Sandbox.open(work: FilePath(folder))
        await next.close()
    }
}
