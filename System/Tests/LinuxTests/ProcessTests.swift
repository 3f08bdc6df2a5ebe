// SPDX-License-Identifier: GPL-3.0-or-later
import Testing

@testable import Linux

@Suite("Programs in terminals")
struct ProcessTests {
    /// How a program ended; it is killed after ten seconds.
    private func end(of child: Int32) throws -> Int32? {
        let ended = try Processes.descriptor(of: child)
        defer { Descriptor.close(ended) }
        if Polling.wait(reading: [ended], seconds: 10).reading.isEmpty {
            Processes.kill(child)
            _ = Polling.wait(reading: [ended], seconds: 10)
        }
        return Processes.ended(child)?.status
    }

    @Test("Ctrl-C ends a program however early it is typed")
    func control() throws {
        for _ in 0..<20 {
            let (controller, other) = try Terminal.open()
            defer { for end in [controller, other] { Descriptor.close(end) } }
            let child = try Processes.start(
                Processes.Plan(
                    arguments: ["/bin/sleep", "60"], environment: [], descriptors: (other, other, other),
                    controlsTerminal: true))
            _ = try Descriptor.write([3], to: controller)
            #expect(try end(of: child) == 130)
        }
    }

    @Test("a signal ends a program however early it is sent")
    func signal() throws {
        let nothing = try File("/dev/null", .readAndWrite)
        for _ in 0..<20 {
            let child = try Processes.start(
                Processes.Plan(
                    arguments: ["/bin/sleep", "60"], environment: [],
                    descriptors: (nothing.descriptor, nothing.descriptor, nothing.descriptor)))
            Processes.signal(group: child, Processes.Signal.terminate)
            #expect(try end(of: child) == 143)
        }
    }

    @Test(
        "a program that is not there, or cannot be run, ends with a number that says so",
        arguments: [
            ("/nonexistent", 127), ("/dev/null", 126),
        ])
    func missing(_ path: String, _ status: Int32) throws {
        let nothing = try File("/dev/null", .readAndWrite)
        let child = try Processes.start(
            Processes.Plan(
                arguments: [path], environment: [],
                descriptors: (nothing.descriptor, nothing.descriptor, nothing.descriptor)))
        #expect(try end(of: child) == status)
    }
}
