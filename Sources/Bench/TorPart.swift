// SPDX-License-Identifier: GPL-3.0-or-later
import Commands
import Foundation
import SystemPackage
import Testbed

extension Bench {
    func tor(work: FilePath) async throws -> PartReport {
        var report = PartReport(
            .tor, setting: try await setting(),
            method: [
                """
                One start of the image from a disk (BIOS, 1 GiB, 2 processors) on the private Tor network; in it, \
                \(request.runs) times in turn: our Tor, restarted with nothing remembered, behind both walls, used from the \
                session's namespace; and as reference the same program of Debian with nothing but the network's \
                directories and a SOCKS port in its configuration, in the root namespace with all rules flushed, used from there, \
                as on a plain Debian. So kernel, processor and Tor are the same, and what differs is ours: namespaces, rules, \
                redirection, ports, services. Bootstrap is from Tor's first step on the network to 100 %, by the journal's \
                clock. First byte: the time until a small page begins to arrive, \(Self.pages) times on a circuit that is \
                there already. Throughput: \(Self.download >> 20) MiB by curl.
                """
            ])
        guard FileManager.default.fileExists(atPath: request.stick.string) else {
            throw BenchFailure("There is no \(request.stick). Build it with: needletail build")
        }
        let plan = Trial.Plan(image: request.stick, attachment: .virtio, firmware: .bios)
        let rounds = try await request.turn.take {
            try await Trial.with(plan, work: work.appending("t"), steps: steps) { trial in
                try await measure(trial)
            }.0
        }
        func series(_ value: (Round) -> [Double]) -> Series { Series(rounds.flatMap(value)) }
        report.figures = [
            Figure(
                "Bootstrap", .seconds, ours: series { [$0.bootstrap.ours] },
                reference: series { [$0.bootstrap.bare] }, target: .ratio(1.15)),
            Figure(
                "First byte without any setting", .milliseconds, ours: series(\.transparent.firstBytes),
                reference: series(\.socks.bare.firstBytes), target: .ratio(1.1)),
            Figure(
                "First byte by SOCKS", .milliseconds, ours: series(\.socks.ours.firstBytes),
                reference: series(\.socks.bare.firstBytes), target: .ratio(1.1)),
            Figure(
                "Throughput without any setting", .megabytesPerSecond, ours: series { [$0.transparent.throughput] },
                reference: series { [$0.socks.bare.throughput] }, target: .ratioAtLeast(0.9)),
            Figure(
                "Throughput by SOCKS", .megabytesPerSecond, ours: series { [$0.socks.ours.throughput] },
                reference: series { [$0.socks.bare.throughput] }, target: .ratioAtLeast(0.9)),
        ]
        return report
    }

    /// How often a small page is fetched in a round.
    private static let pages = 5
    /// How much is downloaded in a round, in bytes.
    private static let download = 4 << 20

    /// What was measured of a way through Tor.
    struct Way: Sendable, Equatable {
        /// Milliseconds until the first byte.
        let firstBytes: [Double]
        /// MB per second.
        let throughput: Double

        /// Takes curl's words: a line for each page with seconds, then bytes per second.
        init?(_ text: String) {
            let numbers = text.split(whereSeparator: \.isWhitespace).compactMap { Double($0) }
            guard numbers.count > 1, let last = numbers.last else { return nil }
            firstBytes = numbers.dropLast().map { $0 * 1000 }
            throughput = last / 1e6
        }
    }

    private struct Round: Sendable {
        let bootstrap: (ours: Double, bare: Double)
        let transparent: Way
        let socks: (ours: Way, bare: Way)
    }

    private func measure(_ trial: Trial) async throws -> [Round] {
        let shell = trial.machine.shell
        _ = try await steps.step("Wait for Tor") { try await trial.waitForTor(within: .seconds(240)) }
        let bytes = (0..<Self.download).map { _ in UInt8.random(in: 0...255) }
        try Data(bytes).write(to: URL(filePath: trial.network.web.files.appending("large").string))
        // What the guest is given as our Tor's: the same directories.
        let torrc = trial.tor.clientConfiguration + ["SocksPort 127.0.0.1:9950", "DataDirectory /tmp/bare"]
        try await shell.write(Array(torrc.joined(separator: "\n").utf8), to: "/tmp/bare.torrc")
        try await shell.output("nft -s list ruleset > /tmp/walls.nft")
        var rounds: [Round] = []
        for number in 1...request.runs {
            rounds.append(
                try await steps.step("Measure, \(number) of \(request.runs)") {
                    let own = try await bootstrap(
                        of: "tor@default.service", in: shell,
                        "systemctl stop tor@default; rm -rf /var/lib/tor/*; systemctl start --no-block tor@default")
                    let inside = "\(Trial.asUser) curl"
                    let transparent = try await way("\(inside)", in: shell)
                    let socks = try await way("\(inside) --socks5-hostname 10.77.0.1:9050", in: shell)
                    // No connection lives while the walls are down: its packets would be unknown to them afterwards.
                    try await shell.output("systemctl stop tor@default; nft flush ruleset")
                    let bare = try await bootstrap(
                        of: "bare-tor.service", in: shell,
                        """
                        rm -rf /tmp/bare; install -d -m 700 -o debian-tor -g debian-tor /tmp/bare
                        systemd-run --quiet --collect --unit=bare-tor -p User=debian-tor tor --defaults-torrc /dev/null -f /tmp/bare.torrc
                        """)
                    let theirs = try await way(
                        "runuser -u user -- curl --socks5-hostname 127.0.0.1:9950", in: shell)
                    try await shell.output("systemctl stop bare-tor; nft -f /tmp/walls.nft")
                    steps.note("Bootstrap \(Document.number(own)) s, bare \(Document.number(bare)) s")
                    return Round(
                        bootstrap: (own, bare), transparent: transparent, socks: (socks, theirs))
                })
        }
        return rounds
    }

    /// Starts a Tor and waits until it is connected.
    ///
    /// - Returns: Seconds from its first step on the network, whatever was waited for before it.
    private func bootstrap(of unit: String, in shell: GuestShell, _ start: String) async throws -> Double {
        let cursor = try await shell.output("journalctl -n 0 --show-cursor | sed -n 's/-- cursor: //p'")
        try await shell.output(start)
        let deadline = ContinuousClock.now + .seconds(90)
        while ContinuousClock.now < deadline {
            let log = try await shell.run(
                "journalctl --after-cursor='\(cursor)' -o short-unix -u \(unit) | grep Bootstrapped"
            ).output
            if let seconds = Self.bootstrap(in: log) { return seconds }
            try await Task.sleep(for: .milliseconds(500))
        }
        let log = try await shell.run("journalctl --after-cursor='\(cursor)' -o cat -u \(unit) | tail -n 5").output
        throw BenchFailure("Tor (\(unit)) did not connect within 90 s. Its last words:\n\(log)")
    }

    /// Seconds between the first step beyond 0 % and 100 % in a journal with times since 1970; `nil` before the end.
    static func bootstrap(in log: String) -> Double? {
        var start: Double?
        for line in log.split(separator: "\n") {
            guard let time = line.split(separator: " ").first.flatMap({ Double($0) }),
                let step = line.firstMatch(of: #/Bootstrapped (\d+)%/#).flatMap({ Int($0.1) })
            else { continue }
            if step > 0, start == nil { start = time }
            if step == 100, let start { return time - start }
        }
        return nil
    }

    private func way(_ curl: String, in shell: GuestShell) async throws -> Way {
        let quiet = "--silent --show-error --max-time 120 --output /dev/null"
        // The first builds the circuit and is not counted.
        let text = try await shell.output(
            """
            \(curl) \(quiet) \(WebServer.page)
            for i in $(seq \(Self.pages)); do \(curl) \(quiet) --write-out '%{time_starttransfer}\\n' \(WebServer.page); done
            \(curl) \(quiet) --write-out '%{speed_download}\\n' \(WebServer.page)large
            """, timeout: .seconds(240))
        guard let way = Way(text) else { throw BenchFailure("curl did not tell how long it took: \(text)") }
        return way
    }
}
