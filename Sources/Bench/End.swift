// SPDX-License-Identifier: GPL-3.0-or-later
import Foundation
import SystemPackage
import Testbed

/// One end of a session by `systemctl poweroff`.
struct End: Sendable {
    /// From the command until the machine was off.
    let seconds: Double
    /// When our boot stage's steps began, in seconds after the command; none where it is not ours.
    let phases: [String: Double]

    /// The phases, and how the boot stage says that one begins (`Words` of the library `Amnesia`), in their order.
    static let phases: [(name: String, words: String)] = [
        ("back in the boot stage", "Needletail is ending this session"), ("network", "Closing the network"),
        ("processes", "Ending programs"), ("shared", "Removing what programs shared"), ("swap", "Giving up swap"),
        ("mounts", "Closing file systems"), ("devices", "Closing devices"), ("keys", "Forgetting keys"),
        ("consoles", "Clearing consoles"), ("pictures", "Clearing pictures"), ("log", "Clearing the kernel's log"),
        ("caches", "Emptying caches"), ("memory", "Erasing memory"), ("last words", "Erased memory"),
    ]

    /// The phases whose beginning can be seen in what a console shows.
    static func begun(in text: String) -> [String] { phases.filter { text.contains($0.words) }.map(\.name) }

    /// Lets a machine start, and switches it off.
    ///
    /// - Parameters:
    ///   - machine: The machine, just switched on.
    ///   - isOurs: Whether our boot stage has to wait in it, and not the opposite.
    /// - Returns: What was measured.
    /// - Throws: `MachineFailure`, `ShellFailure`, and `BenchFailure` when it is not what it should be.
    static func measure(_ machine: Machine, isOurs: Bool) async throws -> End {
        _ = try await Start.times(of: machine)
        let found = try await machine.shell.output(
            "test -e /run/initramfs/shutdown && echo waits; grep -o init_on_free=1 /proc/cmdline; true")
        guard found == (isOurs ? "waits\ninit_on_free=1" : "") else {
            throw BenchFailure(
                isOurs
                    ? "Our stick was started without what ends a session: '\(found)'."
                    : "The reference was started with something of ours: '\(found)'.")
        }
        // What the start has left to do is not the end's.
        try await Task.sleep(for: .seconds(5))
        let log = try FileDescriptor.open(machine.console.log, .readOnly)
        defer { try? log.close() }
        let before = try log.seek(offset: 0, from: .end)
        let begin = Date().timeIntervalSince1970
        try await machine.shell.output("systemctl poweroff </dev/null >/dev/null 2>&1 &")
        var phases: [String: Double] = [:]
        let deadline = begin + 300
        while machine.exitReason == nil, Date().timeIntervalSince1970 < deadline {
            try await Task.sleep(for: .milliseconds(20))
            let now = Date().timeIntervalSince1970
            for name in begun(in: try text(of: log, from: before)) where phases[name] == nil {
                phases[name] = now - begin
            }
        }
        try await machine.waitForPowerOff(within: .zero)
        guard let off = machine.events.last(where: { $0.name == "SHUTDOWN" }) else {
            throw BenchFailure("QEMU did not tell when the machine was off.")
        }
        return End(seconds: off.time - begin, phases: phases)
    }

    private static func text(of log: FileDescriptor, from offset: Int64) throws -> String {
        let bytes = try [UInt8](unsafeUninitializedCapacity: 1 << 18) { buffer, count in
            count = try log.read(fromAbsoluteOffset: offset, into: UnsafeMutableRawBufferPointer(buffer))
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
