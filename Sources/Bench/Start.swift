// SPDX-License-Identifier: GPL-3.0-or-later
import Commands
import Foundation
import SystemPackage
import Testbed

/// One start of a stick in a virtual machine without a network: USB on xHCI, BIOS, 2 processors, 1 GiB.
struct Start: Sendable {
    /// When the kernel, systemd and the default target were there.
    let times: BootTimes
    /// The boot stage's phases; none where it is not ours.
    let phases: Phases
    /// MB that were read from the stick until the default target was reached.
    let read: Double
    /// MiB of memory that are available then.
    let available: Double
    /// How quickly files are read, where it was asked for.
    let reading: Reading?

    /// The phases of the boot stage as it wrote them down for the system. The kernel's log may lack some: it takes only
    /// so many lines from a program in a few seconds.
    struct Phases: Sendable, Equatable {
        /// Seconds since the kernel's start, by phase.
        let seconds: [String: Double]

        /// Takes `/run/needletail/boot.json`; nothing else has phases.
        init(_ json: String) {
            struct Report: Decodable { let phases: [String: Double] }
            seconds = (try? JSONDecoder().decode(Report.self, from: Data(json.utf8)))?.phases ?? [:]
        }

        /// The phases in the order in which they began.
        var names: [String] { seconds.sorted { ($0.value, $0.key) < ($1.value, $1.key) }.map(\.key) }
    }

    /// Times of reading with nothing cached.
    struct Reading: Sendable, Equatable {
        /// Seconds for 1000 blocks of 4 KiB by chance.
        let random: Double
        /// Seconds for all programs and libraries.
        let sequential: Double

        /// Takes the script's output: two numbers.
        init?(_ text: String) {
            let numbers = text.split(whereSeparator: \.isWhitespace).compactMap { Double($0) }
            guard numbers.count == 2 else { return nil }
            random = numbers[0]
            sequential = numbers[1]
        }
    }

    /// Starts a stick and measures.
    ///
    /// - Parameters:
    ///   - image: The stick.
    ///   - work: A folder with a short path.
    ///   - readsFiles: Whether files are read after the start.
    /// - Returns: What was measured.
    /// - Throws: `MachineFailure`, `ShellFailure`, `CancellationError`.
    static func measure(_ image: FilePath, work: FilePath, readsFiles: Bool) async throws -> Start {
        try await run(image, in: MachineDescription(memory: 1024), work: work) { machine in
            try await measure(machine, readsFiles: readsFiles)
        }
    }

    /// Starts a stick in a sandbox without a network, for as long as a closure runs.
    ///
    /// - Parameters:
    ///   - image: The stick.
    ///   - description: The machine without it.
    ///   - work: A folder with a short path.
    ///   - body: What is done with the machine.
    /// - Returns: What the closure returns.
    /// - Throws: `MachineFailure`, `SandboxFailure`, and what the closure throws.
    static func run<Value>(
        _ image: FilePath, in description: MachineDescription, work: FilePath,
        _ body: nonisolated(nonsending) (Machine) async throws -> Value
    ) async throws -> Value {
        let sandbox = try await Sandbox.open(work: work)
        do {
            var description = description
            // Where QEMU starts a kernel by itself, that has the first place.
            let order = description.kernel == nil ? 0 : nil
            description.drives = [Drive("stick", image: image, as: .usb(.xhci), bootOrder: order)]
            let value = try await Machine.with(description, in: sandbox, body)
            await sandbox.close()
            return value
        } catch {
            await sandbox.close()
            throw error
        }
    }

    /// Waits until a machine has started.
    ///
    /// - Returns: How long that took.
    /// - Throws: `BenchFailure`; a false start when nothing in the machine answers at all.
    static func times(of machine: Machine) async throws -> BootTimes {
        do {
            try await machine.shell.waitUntilReady(within: .seconds(300))
        } catch let error where !(error is CancellationError) {
            throw BenchFailure("The machine did not start: \(error)", isFalseStart: true)
        }
        var times = try await BootTimes(of: machine)
        let deadline = ContinuousClock.now + .seconds(120)
        while times.defaultTarget == nil {
            guard ContinuousClock.now < deadline else {
                let jobs = try await machine.shell.run("systemctl list-jobs --no-pager").output
                throw BenchFailure("The default target was not reached. Jobs that were left:\n\(jobs)")
            }
            try await Task.sleep(for: .milliseconds(500))
            times = try await BootTimes(of: machine)
        }
        return times
    }

    private static func measure(_ machine: Machine, readsFiles: Bool) async throws -> Start {
        let times = try await times(of: machine)
        let sectors = try await machine.shell.output("cut -c 1- /sys/block/sda/stat | awk '{ print $3 }'")
        let available = try await machine.shell.output("awk '/MemAvailable/ { print $2 }' /proc/meminfo")
        let phases = Phases(try await machine.shell.run("cat /run/needletail/boot.json").output)
        var reading: Reading?
        if readsFiles {
            let text = try await machine.shell.output("perl -e '\(script)'", timeout: .seconds(240))
            reading = Reading(text)
            guard reading != nil else { throw BenchFailure("The guest did not tell how long it read: \(text)") }
        }
        return Start(
            times: times, phases: phases, read: (Double(sectors) ?? 0) * 512 / 1e6,
            available: (Double(available) ?? 0) / 1024,
            reading: reading)
    }

    /// Reads in one process, so that starting programs is not measured. Perl is in every Debian system. The same files and
    /// the same places each time: `srand` fixes them. Kernel modules are packed already and would measure nothing.
    private static let script = """
        sub now { open my $u, "<", "/proc/uptime"; (split / /, <$u>)[0] }
        srand 1;
        open my $list, "-|", "find /usr -xdev -type f -size +8k ! -path /usr/lib/modules/\\\\* | LC_ALL=C sort";
        chomp(my @files = <$list>);
        sub forget { open my $d, ">", "/proc/sys/vm/drop_caches" or die; syswrite $d, "3" or die; close $d; sleep 1 }
        my $data;
        forget();
        my $begin = now();
        for (1 .. 1000) {
            my $path = $files[rand @files];
            open my $file, "<", $path or die $path;
            sysseek $file, 4096 * int(rand((-s $file) / 4096)), 0;
            sysread $file, $data, 4096;
        }
        printf "%.3f\\n", now() - $begin;
        forget();
        $begin = now();
        for my $path (@files) {
            open my $file, "<", $path or die $path;
            while (sysread $file, $data, 1048576) { }
        }
        printf "%.3f\\n", now() - $begin;
        """
}

/// Why something could not be measured.
public struct BenchFailure: Error, CustomStringConvertible {
    /// The failure for a person.
    public let description: String
    /// Whether the machine did not come so far that anything could be measured.
    let isFalseStart: Bool

    init(_ description: String, isFalseStart: Bool = false) {
        self.description = description
        self.isFalseStart = isFalseStart
    }
}
