// SPDX-License-Identifier: GPL-3.0-or-later
import Foundation
import Synchronization
import Testing
import Varlink

@testable import Clock

@Suite("The service moves the clock, and says so")
struct ServiceTests {
    /// A clock that is no computer's.
    final class Toy: Sendable {
        let time: Mutex<Double>
        let lines = Mutex<[String]>([])
        init(_ time: Double) { self.time = Mutex(time) }
        var now: Double { time.withLock { $0 } }
        var hands: ClockService.Hands {
            .init(
                now: { self.now }, set: { new in self.time.withLock { $0 = new } }, uptime: { 100 },
                log: { line in self.lines.withLock { $0.append(line) } })
        }
    }

    let built = Moment(clamping: Int64(1_795_000_000))

    private func report(_ corrections: [Double]) -> Surveyor.Report {
        Surveyor.Report(
            survey: Survey(
                corrections.enumerated().map {
                    .init(operatorName: "op\($0)", host: "\($0).example", correction: $1, uncertainty: 1)
                }), failures: [.init(operatorName: "mute", host: "mute.example", words: "x")])
    }

    @Test("three operators correct the clock, the liar is named, and a relay counts no more")
    func survey() async {
        let toy = Toy(1_796_000_000)
        let service = ClockService(built: built, hands: toy.hands)
        #expect(await service.follow(report([30, 31, 86_400, 30])))
        #expect(abs(toy.now - 1_796_000_030) < 1.1)
        let state = await service.state
        #expect(state.stage == .confirmed && state.corrections.count == 1 && state.corrected > 29)
        #expect(state.sites.filter(\.isOutlier).map(\.host) == ["2.example"])
        #expect(state.sites.contains { $0.host == "mute.example" && $0.failure != nil })
        #expect(toy.lines.withLock { $0 }.contains { $0.contains("2.example") })
        for number in 0..<5 { await service.take(.skew(ahead: -90_000, source: "\(number)")) }
        #expect(abs(toy.now - 1_796_000_030) < 1.1)
    }

    @Test("web sites cannot move the clock before the build")
    func bounds() async {
        let toy = Toy(1_796_000_000)
        let service = ClockService(built: built, hands: toy.hands)
        #expect(await !service.follow(report([-2e6, -2e6, -2e6])))
        #expect(toy.now == 1_796_000_000)
        #expect(await service.state.stage == .unconfirmed)
    }

    @Test("relays correct the clock until the web sites do")
    func relays() async {
        let toy = Toy(1_796_000_000)
        let service = ClockService(built: built, hands: toy.hands)
        for number in 0..<3 { await service.take(.skew(ahead: 86_400, source: "\(number)")) }
        #expect(toy.now == 1_796_000_000 - 86_400)
        #expect(await service.state.stage == .searching)
        #expect(await service.state.corrections.map(\.source) == [.relays])
    }

    @Test("the interface is what the state is")
    func interface() async throws {
        let service = ClockService(built: built, hands: Toy(1_796_000_000).hands)
        _ = try service.varlink()
        let interface = try VarlinkInterface(ClockState.interface)
        #expect(interface.methodNames == ["GetState", "Monitor"])
        let state = try JSONEncoder().encode(ClockState(earliest: built))
        let members = try #require(try JSONSerialization.jsonObject(with: state) as? [String: Any]).keys
        for member in members { #expect(ClockState.interface.contains("\(member): "), "\(member)") }
    }

    @Test("the image's list of sources is right, and its operators are many")
    func shippedList() throws {
        let path = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../../image/files/core/usr/lib/needletail/time-sources.json")
        let sources = try TimeSources(json: Array(try Data(contentsOf: path)))
        #expect(sources.operators.count >= 9)
        #expect(sources.operators.allSatisfy { $0.reason.count > 10 })
        #expect(sources.authorities == nil)
    }
}
