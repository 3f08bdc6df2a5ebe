// SPDX-License-Identifier: GPL-3.0-or-later
import Testing

@testable import Linux

@Suite("System calls")
struct SystemCallTests {
    @Test("a failure names the call, the object and the reason")
    func failureIsASentence() {
        let failure = #expect(throws: SystemCallFailure.self) { _ = try File.text("/does/not/exist") }
        #expect(failure?.description == "open /does/not/exist: No such file or directory (2)")
        #expect(failure?.number == .noEntry)
    }

    @Test("files are written, read in part and as a whole, and removed")
    func filesRoundTrip() throws {
        let path = "/tmp/needletail-linux-test-\(Program.identifier)"
        let text = Array("0123456789".utf8)
        try File(path, .create(mode: 0o600)).write(text)
        let file = try File(path)
        let middle = try file.read(at: 3, count: 4)
        let end = try file.read(at: 8, count: 4)
        let all = try file.readAll()
        #expect(middle == Array("3456".utf8))
        #expect(end == Array("89".utf8))
        #expect(all == text)
        #expect(File.line(path) == "0123456789")
        try FileTree.remove(path)
        #expect(!FileTree.exists(path))
    }

    @Test("a program gets only the environment that it is given, and its end is told")
    func programs() throws {
        let good = try Program.run("/usr/bin/env", [], environment: ["ONLY=this"])
        #expect(good == .init(status: 0, output: "ONLY=this\n"))
        #expect(try Program.run("/bin/sh", ["-c", "echo bad >&2; exit 3"]) == .init(status: 3, output: "bad\n"))
        #expect(try Program.run("/bin/sh", ["-c", "kill -9 $$"]).status == 137)
        #expect(try Program.run("/does/not/exist", []).status == 127)
        #expect(try Program.run("/bin/sleep", ["60"], seconds: 0.2).status == 255)
    }

    @Test("emptying a directory removes everything below it and not the directory")
    func emptying() throws {
        let root = "/tmp/needletail-empty-test-\(Program.identifier)"
        try FileTree.makeDirectory(root)
        try FileTree.makeDirectory("\(root)/a")
        try FileTree.makeDirectory("\(root)/a/b")
        try File("\(root)/a/b/c", .create(mode: 0o600)).write([1])
        FileTree.empty(try File(root, .directory))
        #expect(FileTree.exists(root))
        #expect(FileTree.names(in: root).isEmpty)
        _ = try Program.run("/bin/rmdir", [root])
    }
}
