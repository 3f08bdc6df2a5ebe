// SPDX-License-Identifier: GPL-3.0-or-later
import Commands
import Foundation
import SystemPackage
import Testing

@testable import Testbed

@Suite("The sandbox")
struct SandboxTests {
    @Test("it has a loopback interface and no route to anywhere")
    func noWayOut() async throws {
        try await withSandbox { sandbox in
            let links = try await sandbox.command("ip", ["-o", "link"]).output()
            #expect(links.split(separator: "\n").count == 1)
            #expect(links.contains(": lo:"))
            #expect(try await sandbox.command("ip", ["-4", "route"]).output().isEmpty)
            for address in ["198.51.100.1", "192.0.2.1", "203.0.113.80"] {
                let failure = await #expect(throws: CommandFailure.self) {
                    _ = try await sandbox.command("curl", ["-sS", "--max-time", "5", "http://\(address)/"]).output()
                }
                // 7: no route, refused at once; not 28, a time-out, which could be a packet under way.
                #expect(failure?.status == "ended with status 7")
            }
        }
    }

    @Test("a server on the host's loopback is out of its reach")
    func hostLoopback() async throws {
        try await withSandbox { sandbox in
            let port = Int.random(in: 20000..<30000)
            let server = BackgroundCommand(
                Command("busybox", ["httpd", "-f", "-p", "127.0.0.1:\(port)", "-h", sandbox.work.string]),
                log: sandbox.work.appending("host.log"))
            let words = ["-s", "-o", "/dev/null", "--noproxy", "*", "--max-time", "5", "http://127.0.0.1:\(port)/"]
            // The same question outside is answered, so the one inside could be.
            var answered = false
            for _ in 0..<100 where !answered {
                answered = (try? await Command("curl", words).output()) != nil
                if !answered { try await Task.sleep(for: .milliseconds(50)) }
            }
            #expect(answered)
            let failure = await #expect(throws: CommandFailure.self) {
                _ = try await sandbox.command("curl", words).output()
            }
            #expect(failure?.status == "ended with status 7")
            await server.stop()
        }
    }

    @Test("its namespaces are not the host's")
    func ownNamespaces() async throws {
        try await withSandbox { sandbox in
            for kind in ["net", "mnt"] {
                let inside = try await sandbox.command("readlink", ["/proc/self/ns/\(kind)"]).output()
                let outside = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/ns/\(kind)")
                #expect(inside.hasPrefix("\(kind):[") && inside != outside + "\n")
            }
            #expect(try await sandbox.command("cat", ["/proc/1/comm"]).output() == "cat\n")
            #expect(try await sandbox.command("ls", ["/run"]).output().isEmpty)
        }
    }

    @Test("arguments reach what runs in it as they are")
    func argumentsAreLiteral() async throws {
        try await withSandbox { sandbox in
            try await sandbox.addNamespace("inner")
            let words = ["%s|%s|%s", "$(id)", "--help", "a b;c"]
            #expect(try await sandbox.command("printf", words).output() == "$(id)|--help|a b;c")
            #expect(try await sandbox.command("printf", words, in: "inner").output() == "$(id)|--help|a b;c")
        }
    }

    @Test("a file in its folder is the same inside and outside")
    func sharedFolder() async throws {
        try await withSandbox { sandbox in
            let file = sandbox.work.appending("note")
            _ = try await sandbox.command("tee", [file.string]).output(input: "from inside")
            #expect(try String(contentsOfFile: file.string, encoding: .utf8) == "from inside")
        }
    }

    @Test("stopping what runs in it ends the program itself, in its own time")
    func stoppingIsOrderly() async throws {
        try await withSandbox { sandbox in
            let script = "trap 'sleep 0.3; echo orderly; exit 0' TERM; echo ready; while :; do sleep 0.05; done"
            let running = sandbox.start("patient", "sh", ["-c", script])
            try await eventually { (try? String(contentsOfFile: running.log.string, encoding: .utf8)) == "ready\n" }
            await running.stop()
            #expect(try String(contentsOfFile: running.log.string, encoding: .utf8).hasSuffix("orderly\n"))
            #expect(try await !sandbox.command("ps", ["-e"]).output().contains("sleep"))
        }
    }

    @Test("a closed sandbox has nothing running and runs nothing, least of all outside")
    func closed() async throws {
        let sandbox = try await Sandbox.open(work: scratchFolder())
        defer { try? FileManager.default.removeItem(atPath: sandbox.work.string) }
        let running = sandbox.start("sleep", "sleep", [marker])
        try await eventually { processes(withArgument: marker).count == 2 }
        await sandbox.close()
        await #expect(throws: CommandFailure.self) { try await running.wait() }
        #expect(processes(withArgument: marker).isEmpty)
        #expect(!sandbox.isOpen)
        await #expect(throws: CommandFailure.self) { _ = try await sandbox.command("true").output() }
    }

    @Test("two sandboxes cannot share a folder")
    func oneFolderEach() async throws {
        try await withSandbox { sandbox in
            let failure = await #expect(throws: SandboxFailure.self) { _ = try await Sandbox.open(work: sandbox.work) }
            #expect(failure?.code == .busy)
            #expect(failure?.description.contains(sandbox.work.string) == true)
        }
    }

    @Test("a folder that would be another one inside is refused")
    func coveredFolder() async {
        let failure = await #expect(throws: SandboxFailure.self) { _ = try await Sandbox.open(work: "/run/needletail") }
        #expect(failure?.code == .badFolder)
    }

    @Test("a name that could be an option or a path names no namespace", arguments: ["", "-n", "../x", "a b", "ä"])
    func badNames(name: String) async throws {
        try await withSandbox { sandbox in
            let failure = await #expect(throws: SandboxFailure.self) { try await sandbox.addNamespace(name) }
            #expect(failure?.code == .badName)
        }
    }

    /// An argument that no other process of this machine has.
    private let marker = "86400.\(UInt32.random(in: 1_000_000 ... .max))"
}
