// SPDX-License-Identifier: GPL-3.0-or-later
import Linux
import Testing

@testable import Amnesia
@testable import BootStage

/// Everything here forks, so it is done one after the other.
@Suite("The end of a session", .serialized)
struct EndTests {
    /// Does something in a process of its own, with namespaces of its own, and gives back what it tells.
    static func isolated(
        _ kinds: ProcessNamespaces.Kinds = [.mounts], seconds: Double = 20, _ body: @escaping (Step.Complaints) -> Void
    ) -> Step.Outcome {
        Step("test", "test", seconds: seconds) { complaints in
            complaints.attempt { () throws(SystemCallFailure) in
                try ProcessNamespaces.leave(kinds)
                try Mount.makePrivate()
                body(complaints)
            }
        }.perform()
    }

    @Suite("Steps")
    struct StepTests {
        @Test("a step that does all is done, and one that tells something is not")
        func endings() {
            let done = Step("a", "a", seconds: 5) { _ in }.perform()
            #expect(done.ending == .done && done.complaints.isEmpty)
            let incomplete = Step("b", "b", seconds: 5) { complaints in
                complaints.add("first\nwith a line break")
                complaints.attempt { () throws(SystemCallFailure) in try FileTree.remove("/nonexistent") }
            }.perform()
            #expect(incomplete.ending == .incomplete)
            #expect(
                incomplete.complaints
                    == ["first with a line break", "unlink /nonexistent: No such file or directory (2)"])
        }

        @Test("a step that hangs is left alone when its time is up, and what it told before is kept")
        func late() {
            let outcome = Step("hangs", "hangs", seconds: 0.5) { complaints in
                complaints.add("one thing")
                Program.hold()
            }.perform()
            #expect(outcome.ending == .late)
            #expect(outcome.complaints == ["one thing"])
            #expect(outcome.seconds >= 0.5 && outcome.seconds < 3)
        }

        @Test("a step that is ended by something else does not end the rest")
        func broken() {
            var order: [String] = []
            let outcomes = Teardown.perform([
                Step("killed", "killed", seconds: 5) { _ in Processes.kill(Program.identifier) },
                Step("fine", "fine", seconds: 5) { _ in },
            ]) {
                order.append($0.name)
            } after: {
                order.append("\($0.name) \($1.ending)")
            }
            #expect(outcomes.map(\.ending) == [.broken, .done])
            #expect(order == ["killed", "killed broken", "fine", "fine done"])
        }

        @Test("no number of complaints makes a step hang or take much memory")
        func flood() {
            let outcome = Step("flood", "flood", seconds: 10) { complaints in
                for number in 0..<2000 { complaints.add("\(number) " + String(repeating: "x", count: 1000)) }
            }.perform()
            #expect(outcome.ending != .done)
            #expect(outcome.complaints.count == 20)
            #expect(outcome.complaints.allSatisfy { $0.utf8.count <= 300 })
        }
    }

    @Suite("File systems")
    struct UnmountingTests {
        @Test("all mounts below a directory are gone, also mounts on mounts and those with odd names")
        func nested() throws {
            let outcome = EndTests.isolated { complaints in
                complaints.attempt { () throws(SystemCallFailure) in
                    let root = "/tmp/needletail-unmount"
                    try FileTree.makeDirectory(root)
                    for path in [root, root, "\(root)/a b\\c", "\(root)/a b\\c/ä\n"] {
                        try FileTree.makeDirectory(path)
                        try Mount.attach("tmpfs", from: "tmpfs", at: path)
                    }
                    Unmounting.run(below: root, complaints)
                    let left = MountTable.current.entries.filter { $0.path.hasPrefix(root) }
                    if !left.isEmpty { complaints.add("left: \(left)") }
                }
            }
            #expect(outcome.ending == .done, "\(outcome)")
        }

        @Test("a file system in use is told and detached, and what is idle goes all the same")
        func busy() throws {
            let outcome = EndTests.isolated { complaints in
                complaints.attempt { () throws(SystemCallFailure) in
                    let root = "/tmp/needletail-busy"
                    try FileTree.makeDirectory(root)
                    try Mount.attach("tmpfs", from: "tmpfs", at: root)
                    for name in ["used", "idle"] {
                        try FileTree.makeDirectory("\(root)/\(name)")
                        try Mount.attach("tmpfs", from: "tmpfs", at: "\(root)/\(name)")
                    }
                    let open = try File("\(root)/used/file", .create(mode: 0o600))
                    Unmounting.run(below: root, complaints)
                    try open.write([1])
                    let left = MountTable.current.entries.filter { $0.path.hasPrefix(root) }
                    if !left.isEmpty { complaints.add("left: \(left)") }
                }
            }
            #expect(outcome.ending == .incomplete)
            #expect(outcome.complaints.count == 1, "\(outcome)")
            #expect(outcome.complaints.first?.hasPrefix("/tmp/needletail-busy/used was in use") == true, "\(outcome)")
        }

        @Test("what is kept stays, and nothing outside the directory is touched")
        func kept() throws {
            let outcome = EndTests.isolated { complaints in
                complaints.attempt { () throws(SystemCallFailure) in
                    let root = "/tmp/needletail-kept"
                    try FileTree.makeDirectory(root)
                    let before = MountTable.current.entries
                    for name in ["", "/kept", "/gone"] {
                        try FileTree.makeDirectory(root + name)
                        try Mount.attach("tmpfs", from: "tmpfs", at: root + name)
                    }
                    Unmounting.run(keeping: [root, "\(root)/kept"], below: root, complaints)
                    let after = MountTable.current.entries
                    if Array(after.prefix(before.count)) != before { complaints.add("others: \(after)") }
                    let made = after.dropFirst(before.count).map(\.path)
                    if made != [root, "\(root)/kept"] { complaints.add("\(made)") }
                }
            }
            #expect(outcome.ending == .done, "\(outcome)")
        }
    }

    @Suite("Programs")
    struct ProcessTests {
        /// In a process namespace of its own, as process 1.
        static func alone(_ body: @escaping (Step.Complaints) -> Void) -> Step.Outcome {
            EndTests.isolated([.mounts, .processes]) { complaints in
                guard let first = try? Processes.fork() else { return complaints.add("fork") }
                if first == 0 {
                    // Signals reach what is in here only if this holds.
                    guard Program.identifier == 1 else { Program.exitAtOnce(3) }
                    complaints.attempt { () throws(SystemCallFailure) in
                        try Mount.attach("proc", from: "proc", at: "/proc")
                    }
                    body(complaints)
                    Program.exitAtOnce(0)
                }
                while Processes.ended(first) == nil { Machine.sleep(0.01) }
            }
        }

        static func start(_ words: [String]) throws(SystemCallFailure) {
            let nothing = try File("/dev/null", .readAndWrite)
            _ = try Processes.start(
                Processes.Plan(
                    arguments: words, environment: [],
                    descriptors: (nothing.descriptor, nothing.descriptor, nothing.descriptor)))
        }

        @Test("programs that end when asked, that ignore it, that are stopped, and that start others are all ended")
        func end() {
            let outcome = Self.alone { complaints in
                complaints.attempt { () throws(SystemCallFailure) in
                    try Self.start(["/bin/sleep", "1000"])
                    try Self.start(["/bin/sh", "-c", "trap '' TERM; while :; do sleep 1000; done"])
                    try Self.start(["/bin/sh", "-c", "while :; do sleep 0.01 & done"])
                    try Self.start(["/bin/sh", "-c", "kill -STOP $$"])
                    Machine.sleep(0.3)
                    if RunningProcesses.others.count < 4 { complaints.add("only \(RunningProcesses.others)") }
                    for left in RunningProcesses.end(polite: 0.2, patience: 5) { complaints.add("left \(left)") }
                    if !RunningProcesses.others.isEmpty { complaints.add("\(RunningProcesses.others)") }
                }
            }
            #expect(outcome.complaints == [] && outcome.ending == .done, "\(outcome)")
        }

        @Test("stopped programs stand still, and those that are kept go on")
        func stop() {
            let outcome = Self.alone { complaints in
                complaints.attempt { () throws(SystemCallFailure) in
                    try Self.start(["/bin/sh", "-c", "while :; do :; done"])
                    try Self.start(["/bin/sleep", "1000"])
                    Machine.sleep(0.2)
                    guard let kept = RunningProcesses.others.first(where: { $0.name == "sleep" }) else {
                        return complaints.add("none")
                    }
                    RunningProcesses.stop(except: [kept.number])
                    Machine.sleep(0.2)
                    for process in RunningProcesses.others where (process.state == "T") == (process == kept) {
                        complaints.add("\(process)")
                    }
                    let left = RunningProcesses.end(polite: 0, patience: 5, except: [kept.number])
                    let others = RunningProcesses.others
                    if left != [] || others.map(\.number) != [kept.number] { complaints.add("\(left), \(others)") }
                }
            }
            #expect(outcome.complaints == [] && outcome.ending == .done, "\(outcome)")
        }
    }

    @Suite("Devices")
    struct DeviceTests {
        @Test("a loop device ends when its file is taken from it")
        func loop() throws {
            let path = "/tmp/needletail-loop.img"
            let image = try File(path, .create(mode: 0o600))
            try image.write([UInt8](repeating: 1, count: 1 << 20))
            try FileTree.remove(path)
            let name: String
            do {
                let device = try LoopDevice.attach(image)
                name = String(device.path.dropFirst(5))
                #expect(FileTree.exists("/sys/block/\(name)/loop/backing_file"))
                try LoopDevice.clear(device)
            }
            #expect(!FileTree.exists("/sys/block/\(name)/loop/backing_file"))
        }
    }

    @Suite("Words on the screen")
    struct ScreenWriterTests {
        @Test("all words come to the screen, in their order")
        func written() throws {
            let path = "/tmp/needletail-screen-\(Program.identifier)"
            let file = try File(path, .create(mode: 0o600))
            defer { try? FileTree.remove(path) }
            let screen = ScreenWriter(take: { try? file.write(Array("taken\n".utf8)) }, write: { try? file.write($0) })
            defer { if let process = screen.process { Processes.kill(process) } }
            screen.line("first")
            screen.progress("second ...")
            #expect(screen.settle(seconds: 5))
            let text = try File.text(path)
            #expect(text == "taken\n\r\u{1b}[Kfirst\r\n\r\u{1b}[Ksecond ...")
        }

        @Test("a screen that hangs keeps nobody waiting, however much is said")
        func hanging() {
            for hangsAtOnce in [true, false] {
                let screen = ScreenWriter(
                    take: { if hangsAtOnce { Program.hold() } }, write: { _ in Program.hold() })
                defer { if let process = screen.process { Processes.kill(process) } }
                let start = Machine.uptime
                for _ in 0..<5000 { screen.line(String(repeating: "x", count: 80)) }
                #expect(!screen.settle(seconds: 0.2))
                #expect(Machine.uptime - start < 2)
            }
        }
    }

    @Suite("What stands in the way of forgetting")
    struct LeftoverTests {
        @Test("the names of disks are removed, and the devices stay; what is mounted is not touched")
        func deviceNames() {
            let outcome = EndTests.isolated { complaints in
                complaints.attempt { () throws(SystemCallFailure) in
                    // In the memory of this test's own mounts.
                    try Mount.attach("tmpfs", from: "tmpfs", at: "/dev")
                    try FileTree.makeDirectory("/dev/disk")
                    try FileTree.makeDirectory("/dev/disk/by-label")
                    try FileTree.makeDirectory("/dev/mounted")
                    try Mount.attach("tmpfs", from: "tmpfs", at: "/dev/mounted")
                    for path in ["/dev/disk/by-label/source", "/dev/mounted/link", "/dev/fd"] {
                        try FileTree.makeLink(path, to: "/")
                    }
                    try FileTree.makeBlockNode("/dev/node", (major: 7, minor: 200), mode: 0, user: 0, group: 0)
                    try Leftovers.removeDeviceNames()
                    let left = FileTree.names(in: "/dev").sorted()
                    if left != ["mounted", "node"] { complaints.add("\(left)") }
                    if FileTree.names(in: "/dev/mounted") != ["link"] { complaints.add("the mount was emptied") }
                }
            }
            #expect(outcome.complaints == [] && outcome.ending == .done, "\(outcome)")
        }

        @Test("connections that the firewall knows are forgotten, where the kernel can")
        func connections() {
            // Only those of a namespace of this test's own.
            let outcome = EndTests.isolated([.mounts, .network]) { complaints in
                complaints.attempt { () throws(SystemCallFailure) in try Leftovers.forgetConnections() }
            }
            #expect(outcome.complaints == [] && outcome.ending == .done, "\(outcome)")
            #expect(Leftovers.shrinkObjects() > 0 || !FileTree.exists("/sys/kernel/slab"))
        }
    }

    @Suite("What programs leave for each other")
    struct SharedObjectsTests {
        @Test("message queues are removed, also when their file system is not mounted any more")
        func queues() {
            let outcome = EndTests.isolated([.mounts, .interprocess]) { complaints in
                complaints.attempt { () throws(SystemCallFailure) in
                    try Mount.attach("tmpfs", from: "tmpfs", at: "/tmp")
                    let folder = "/tmp/queues"
                    try FileTree.makeDirectory(folder)
                    func seen() throws(SystemCallFailure) -> [String] {
                        try Mount.attach("mqueue", from: "mqueue", at: folder)
                        let names = FileTree.names(in: folder).sorted()
                        try Mount.detach(folder)
                        return names
                    }
                    try Mount.attach("mqueue", from: "mqueue", at: folder)
                    for name in ["first", "second"] { _ = try File("\(folder)/\(name)", .create(mode: 0o600)) }
                    try Mount.detach(folder)
                    let before = try seen()
                    if before != ["first", "second"] { complaints.add("before: \(before)") }
                    let left = SharedObjects.remove()
                    let after = try seen()
                    if left != 0 || after != [] { complaints.add("left: \(left), \(after)") }
                }
            }
            #expect(outcome.complaints == [] && outcome.ending == .done, "\(outcome)")
        }
    }

    @Suite("The program that stays in memory")
    struct StayInMemoryTests {
        @Test("it lies in a file system of its own that only root sees, that executes it, and that nobody changes")
        func prepared() {
            let outcome = EndTests.isolated { complaints in
                complaints.attempt { () throws(SystemCallFailure) in
                    try Mount.attach("tmpfs", from: "tmpfs", at: "/tmp", [.noExecution])
                    let path = "/tmp/initramfs"
                    try StayInMemory.prepare(at: path, program: "/bin/true")
                    for name in StayInMemory.names {
                        if try Program.run("\(path)/\(name)", []).status != 0 { complaints.add("\(name) does not run") }
                        if try FileTree.status("\(path)/\(name)").mode & 0o777 != 0o700 { complaints.add(name) }
                        if (try? File("\(path)/\(name)", .readAndWrite)) != nil { complaints.add("\(name) is open") }
                        if (try? FileTree.remove("\(path)/\(name)")) != nil { complaints.add("\(name) is gone") }
                    }
                    if try FileTree.status(path).mode & 0o7777 != 0o700 { complaints.add("mode") }
                    // What systemd-shutdown(8) needs: places for its mounts, and one for the old root.
                    for name in ["dev", "proc", "sys", "run", "oldroot"] {
                        if try !FileTree.status("\(path)/\(name)").isDirectory { complaints.add(name) }
                    }
                }
            }
            #expect(outcome.complaints == [] && outcome.ending == .done, "\(outcome)")
        }
    }
}
