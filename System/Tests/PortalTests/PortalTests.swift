// SPDX-License-Identifier: GPL-3.0-or-later
import Synchronization
import Testing
import Uplink

@testable import Portal

/// A world that tests change while the service runs.
final class PaperWorld: Sendable {
    struct Setting: Sendable {
        var tor = TorReach.notConnected
        var uplink: Uplink? = Uplink(interface: "enp0s2", gateway: NetworkAddress(number: 0xC000_0201))
        var answer: ConsentAnswer.Answer? = .agreed
        var browser: BrowserEnd.End?
        var browserFails = false
    }
    let setting = Mutex(Setting())
    let notes = Notes()

    func change(_ body: (inout sending Setting) -> Void) { setting.withLock { body(&$0) } }

    func portal(limit: Int = 60) -> Portal {
        Portal(
            Portal.World(
                door: .noting(notes), uplink: { self.setting.withLock { $0.uplink } },
                names: { _ in [NetworkAddress(number: 0xC000_0201)] }, tor: { self.setting.withLock { $0.tor } },
                ask: { _ in
                    self.notes.add("ask")
                    while true {
                        if let answer = self.setting.withLock({ $0.answer }) {
                            return ConsentAnswer(answer: answer, display: 1)
                        }
                        try await Task.sleep(for: .milliseconds(5))
                    }
                },
                browse: { task in
                    self.notes.add("browse \(task.address)")
                    while true {
                        if self.setting.withLock({ $0.browserFails }) { throw Trouble() }
                        if let end = self.setting.withLock({ $0.browser }) { return BrowserEnd(end: end) }
                        do { try await Task.sleep(for: .milliseconds(5)) } catch {
                            self.notes.add("browser killed")
                            throw error
                        }
                    }
                },
                writeResolver: { self.notes.add("resolver \($0)") }, log: { _ in }), limit: limit)
    }

    func wait(for line: String) async throws {
        for _ in 0..<1000 where !notes.all.contains(where: { $0.contains(line) }) {
            try await Task.sleep(for: .milliseconds(5))
        }
        #expect(notes.all.contains { $0.contains(line) }, "\(notes.all)")
    }
}

extension Portal {
    func ended() async -> PortalState.End? {
        for await _ in states() {}
        return state.end
    }
}

@Suite("The service")
struct PortalTests {
    private static let closed = "flush set inet needletail portal; flush set inet needletail portal_names"

    @Test("opens after a yes, and closes when the user leaves")
    func quit() async throws {
        let world = PaperWorld()
        let portal = world.portal()
        #expect(try await portal.open().phase == .asking)
        try await world.wait(for: "browse \(Portal.page)")
        #expect(await portal.state.phase == .open)
        world.change { $0.browser = .quit }
        #expect(await portal.ended() == .quit)
        #expect(world.notes.all.contains(Self.closed))
        #expect(world.notes.all.firstIndex(of: "ask")! < world.notes.all.firstIndex { $0.contains("add element") }!)
    }

    @Test("opens nothing after a no or without an answer", arguments: [ConsentAnswer.Answer.refused, .unanswered])
    func no(answer: ConsentAnswer.Answer) async throws {
        let world = PaperWorld()
        world.change { $0.answer = answer }
        let portal = world.portal()
        _ = try await portal.open()
        #expect(await portal.ended()?.rawValue == answer.rawValue)
        #expect(world.notes.all == ["ask"])
        await #expect(throws: PortalRefusal.tooSoon) { try await portal.open() }
    }

    @Test("does not ask when Tor is connected, nor when nobody knows")
    func torConnected() async {
        let world = PaperWorld()
        world.change { $0.tor = .connected }
        await #expect(throws: PortalRefusal.torConnected) { try await world.portal().open() }
        world.change { $0.tor = .unknown }
        await #expect(throws: PortalRefusal.connectionUnknown) { try await world.portal().open() }
        #expect(world.notes.all.isEmpty)
    }

    @Test("does not ask without a network")
    func noNetwork() async {
        let world = PaperWorld()
        world.change { $0.uplink = nil }
        await #expect(throws: PortalRefusal.noNetwork) { try await world.portal().open() }
    }

    @Test("asks one at a time")
    func busy() async throws {
        let world = PaperWorld()
        world.change { $0.answer = nil }
        let portal = world.portal()
        _ = try await portal.open()
        await #expect(throws: PortalRefusal.busy) { try await portal.open() }
        #expect(await portal.close().end == .cancelled)
    }

    @Test("closes when Tor connects, before the browser is ended")
    func connects() async throws {
        let world = PaperWorld()
        let portal = world.portal()
        _ = try await portal.open()
        try await world.wait(for: "browse")
        world.change { $0.tor = .connected }
        #expect(await portal.ended() == .connected)
        let lines = world.notes.all
        #expect(try #require(lines.lastIndex(of: Self.closed)) < #require(lines.lastIndex(of: "browser killed")))
    }

    @Test("closes when the network is gone or another one")
    func gone() async throws {
        let world = PaperWorld()
        let portal = world.portal()
        _ = try await portal.open()
        try await world.wait(for: "browse")
        world.change { $0.uplink = Uplink(interface: "enp0s2", gateway: NetworkAddress(number: 0xC000_02FE)) }
        #expect(await portal.ended() == .networkGone)
        #expect(world.notes.all.contains("link down"))
    }

    @Test("opens nothing when Tor has connected or the network has gone while the user was reading")
    func changed() async throws {
        for change: @Sendable (inout PaperWorld.Setting) -> Void in [{ $0.tor = .connected }, { $0.uplink = nil }] {
            let world = PaperWorld()
            world.change { $0.answer = nil }
            let portal = world.portal()
            _ = try await portal.open()
            try await world.wait(for: "ask")
            world.change { setting in
                change(&setting)
                setting.answer = .agreed
            }
            _ = await portal.ended()
            #expect(world.notes.all == ["ask"])
        }
    }

    @Test("closes when the time is up")
    func timeLimit() async throws {
        let world = PaperWorld()
        let portal = world.portal(limit: 1)
        _ = try await portal.open()
        #expect(await portal.ended() == .timeLimit)
        #expect(world.notes.all.contains("link down"))
    }

    @Test("closes when the browser breaks, and when somebody asks for it")
    func breaks() async throws {
        let world = PaperWorld()
        let portal = world.portal()
        _ = try await portal.open()
        try await world.wait(for: "browse")
        world.change { $0.browserFails = true }
        #expect(await portal.ended() == .failed)
        world.change { $0.browserFails = false }
        _ = try await portal.open()
        for _ in 0..<1000 where await portal.state.phase != .open { try await Task.sleep(for: .milliseconds(5)) }
        #expect(await portal.close().end == .cancelled)
        #expect(world.notes.all.filter { $0 == "link down" }.count == 2)
    }
}
