// SPDX-License-Identifier: GPL-3.0-or-later
import Foundation

/// What a busy session does: downloads without any setting and by SOCKS, looks names up, and has a program in it that tries to
/// get round the walls all the time.
public enum Load {
    /// How often something was done, and how often it succeeded.
    public struct Count: Sendable, Hashable, Codable {
        /// How often.
        public var all = 0
        /// How often it succeeded.
        public var complete = 0
    }

    /// What was done since the start, by name.
    public struct Counts: Sendable, Hashable, Codable {
        /// Downloads without any setting.
        public var transparent = Count()
        /// Downloads by SOCKS.
        public var socks = Count()
        /// Names that were looked up.
        public var names = Count()
        /// Runs of the probe.
        public var probes = Count()
    }

    /// How much one download brings, in bytes.
    static let size = 1 << 20
    private static let folder = "/tmp/load"

    /// Starts it in a machine, where it goes on until the machine ends.
    ///
    /// - Throws: `ShellFailure`, `CommandFailure`, and an error of Foundation when the file cannot be written.
    public static func start(in trial: Trial, probe: Probe) async throws {
        let bytes = (0..<size).map { _ in UInt8.random(in: 0...255) }
        try Data(bytes).write(to: URL(fileURLWithPath: trial.network.web.files.appending("load").string))
        let shell = trial.machine.shell
        try await probe.install(in: shell)
        let names = try await shell.output("ls /sys/class/net | tr '\\n' ' '")
        let fetch = "curl -s --max-time 60 -o /dev/null -w '%{size_download}\\n'"
        try await shell.output("install -d -o user -g user \(folder)")
        try await shell.write(
            Array(
                """
                cd \(folder)
                (while :; do \(fetch) http://\(Address.web)/load >> transparent; sleep 0.5; done) &
                (while :; do \(fetch) --socks5-hostname 10.77.0.1:9050 http://\(Address.webName)/load >> socks; sleep 0.5; done) &
                (n=0; while :; do n=$((n+1)); getent ahostsv4 n$n.\(Address.webName) >/dev/null && echo 1 >> names || echo 0 >> names; sleep 1; done) &
                (while :; do \(Probe.guestPath) sockets \(names) 2>&1 | tail -n 1 >> probes; sleep 5; done) &
                wait
                """.utf8), to: "\(folder)/load.sh")
        try await shell.output("setsid \(Trial.asUser) nice sh \(folder)/load.sh </dev/null >/dev/null 2>&1 &")
    }

    /// How far it has come.
    public static func counts(in trial: Trial) async throws -> Counts {
        let text = try await trial.machine.shell.output(
            "cd \(folder); for f in transparent socks names probes; do touch $f; "
                + "echo $(wc -l < $f) $(grep -c -x -e \(size) -e 1 -e end $f); done")
        let pairs = text.split(separator: "\n").map { $0.split(separator: " ").compactMap { Int($0) } }
        guard pairs.count == 4, pairs.allSatisfy({ $0.count == 2 }) else { return Counts() }
        let counts = pairs.map { Count(all: $0[0], complete: $0[1]) }
        return Counts(transparent: counts[0], socks: counts[1], names: counts[2], probes: counts[3])
    }
}
