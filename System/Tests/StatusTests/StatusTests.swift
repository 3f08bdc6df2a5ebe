// SPDX-License-Identifier: GPL-3.0-or-later
import Linux
import Sockets
import Testing
import TorControl

@testable import Status

@Suite("needletail-status")
struct StatusTests {
    private func relay(_ name: String) -> TorStatus.RelayReport {
        .init(fingerprint: String(repeating: "A1", count: 20), nickname: name, country: nil)
    }

    @Test("says that Tor is connected, and through which relays, and that countries are unknown")
    func connected() {
        var report = TorStatus()
        (report.isConnected, report.progress) = (true, 100)
        report.circuits = [
            .init(identifier: "7", purpose: "GENERAL", relays: [relay("one"), relay("two"), relay("three")])
        ]
        let text = StatusWords.text(report)
        #expect(text.hasPrefix("Tor is connected.\n"))
        #expect(text.contains("7  one → two → three  for programs") && text.contains("Countries are unknown"))
        report.knowsCountries = true
        report.circuits[0].relays[0].country = "nz"
        #expect(StatusWords.text(report).contains("one (nz) → two"))
    }

    @Test("says how far Tor is, what went wrong, why, and what to do")
    func notConnected() {
        var report = TorStatus()
        (report.progress, report.step, report.warning) = (10, "Connecting to a relay", "No route to host")
        report.connection = .init(
            code: "noCable", mode: "hide", problem: true, sentence: "No cable.", explanation: "It is out.",
            advice: "Put it in.")
        let text = StatusWords.text(report)
        for part in [
            "not connected yet", "10 %, connecting to a relay", "No route to host", "No cable.", "Put it in.",
            "bridges",
        ] {
            #expect(text.contains(part), "\(part) is missing in \(text)")
        }
    }

    @Test("when the service is down, says so and that nothing leaks, and ends with 2")
    func down() async {
        var reader = StatusReader()
        reader.control = "/tmp/nobody-listens-here"
        reader.connection = "/tmp/nobody-listens-here"
        let report = await reader.read()
        #expect(report.failure?.contains("does not answer") == true && !report.isConnected)
        #expect(StatusWords.text(report).hasPrefix("Tor is not connected. The service"))
        #expect(await StatusCommand.run(["--json"], reader: reader) == 2)
        #expect(await StatusCommand.run(["--nonsense"], reader: reader) == 2)
        #expect(await StatusCommand.run(["--help"], reader: reader) == 0)
    }

    @Test("nothing that a relay's operator or Tor says can move the terminal's cursor")
    func printable() {
        let event = Event(
            Reply(
                last: .init(
                    status: 650, text: "STATUS_CLIENT NOTICE BOOTSTRAP PROGRESS=1 TAG=x SUMMARY=\"\\033[2J\\nOwned\"")))
        let text = StatusWords.text(event)
        #expect(text?.unicodeScalars.contains { $0.value < 0x20 } == false)
    }

    @Test("reads circuits from a control port, those in the making counted")
    func reads() async throws {
        let path = "/tmp/needletail-status-\(Program.identifier)"
        let listener = try Listener(at: path)
        defer { try? FileTree.remove(path) }
        let print = String(repeating: "B2", count: 20)
        let server = Task {
            let stream = try await listener.accept()
            while true {
                let line = String(decoding: try await stream.read(), as: UTF8.self)
                let answer: String
                switch line {
                case "": return
                case "GETINFO status/bootstrap-phase\r\n":
                    answer =
                        "250-status/bootstrap-phase=NOTICE BOOTSTRAP PROGRESS=100 TAG=done SUMMARY=\"Done\"\r\n250 OK\r\n"
                case "GETINFO circuit-status\r\n":
                    answer =
                        "250+circuit-status=\r\n7 BUILT $\(print)~one PURPOSE=GENERAL\r\n8 LAUNCHED\r\n.\r\n250 OK\r\n"
                case "AUTHENTICATE\r\n": answer = "250 OK\r\n"
                default: answer = "551 GeoIP data not loaded\r\n"
                }
                try await stream.write(answer.utf8)
            }
        }
        defer { server.cancel() }
        var reader = StatusReader()
        reader.control = path
        reader.connection = "/tmp/nobody-listens-here"
        let report = await reader.read()
        #expect(report.failure == nil && report.isConnected)
        #expect(report.circuits.map(\.identifier) == ["7"] && report.circuitsInTheMaking == 1)
        #expect(report.circuits.first?.relays.first?.nickname == "one")
        #expect(report.json.contains("\"isConnected\" : true"))
    }
}
