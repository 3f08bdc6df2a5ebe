// SPDX-License-Identifier: GPL-3.0-or-later
import Linux
import Testing
import TorControl

@Suite("With a real Tor", .enabled(if: RealTor.program != nil), .serialized, .timeLimit(.minutes(1)))
struct RealTorTests {
    @Test("who has the cookie may ask, and the answers are understood")
    func asks() async throws {
        try await RealTor.with { tor in
            let client = try await Client.connect(socket: tor.socket, cookie: tor.cookie)
            #expect(try await client.getInfo("version").isEmpty == false)
            let bootstrap = try await client.bootstrap()
            #expect(bootstrap.progress == 0 && bootstrap.tag == "starting")
            #expect(try await client.circuits().isEmpty)
            #expect(try await client.getConf("DisableNetwork") == ["1"])
            let several = try await client.getInfo(["dormant", "config-file"])
            #expect(several["dormant"] == "0" && several["config-file"] == tor.folder + "/torrc")
            // A data block of many lines.
            #expect(try await client.getInfo("config/names").split(separator: "\n").count > 200)
        }
    }

    @Test("a wrong cookie is refused")
    func wrongCookie() async throws {
        try await RealTor.with { tor in
            let wrong = tor.folder + "/wrong"
            try File(wrong, .create(mode: 0o600)).write([UInt8](repeating: 7, count: 32))
            await #expect(throws: ControlFailure.self) {
                _ = try await Client.connect(socket: tor.socket, cookie: wrong)
            }
            await #expect {
                _ = try await Client.connect(socket: tor.socket, cookie: tor.folder + "/none")
            } throws: {
                guard case .noCookie? = $0 as? ControlFailure else { return false }
                return true
            }
        }
    }

    @Test("options are set with their quotes, a wrong one is an error, and every change is told")
    func options() async throws {
        try await RealTor.with { tor in
            let client = try await Client.connect(socket: tor.socket, cookie: tor.cookie)
            try await client.setEvents([.configurationChanged, .notice])
            let contact = #"a "quoted" \ name, with = and # and $"#
            try await client.setConf([("ContactInfo", contact), ("Nickname", "tester")])
            #expect(try await client.getConf("Nickname") == ["tester"])
            #expect(try await client.getConf("ContactInfo") == [contact])
            await #expect {
                try await client.setConf([("NoSuchOption", "1")])
            } throws: {
                guard case .refused(552, _)? = $0 as? ControlFailure else { return false }
                return true
            }
            try await client.resetConf([("Nickname", nil)])
            #expect(try await client.getConf("Nickname").isEmpty)
            var changes: [Event.ConfigurationChange] = []
            for await event in client.events {
                if case .configurationChanged(let some) = event { changes += some }
                if changes.count >= 3 { break }
            }
            #expect(changes.map(\.option).sorted() == ["ContactInfo", "Nickname", "Nickname"])
            #expect(changes.last { $0.option == "Nickname" }?.value == nil)
        }
    }

    @Test("when Tor stops, whoever waits is told why, and the events end")
    func torStops() async throws {
        try await RealTor.with { tor in
            let client = try await Client.connect(socket: tor.socket, cookie: tor.cookie)
            try await client.signal(.halt)
            for await _ in client.events {}
            #expect(await client.untilEnd() == .torGone)
            await #expect(throws: ControlFailure.ended(.torGone)) { _ = try await client.getInfo("version") }
            await #expect {
                _ = try await Client.connect(socket: tor.socket, cookie: tor.cookie)
            } throws: {
                guard case .unreachable? = $0 as? ControlFailure else { return false }
                return true
            }
        }
    }

    @Test("a hundred tasks ask at once, some give up, and every other one gets its own answer")
    func many() async throws {
        try await RealTor.with { tor in
            let client = try await Client.connect(socket: tor.socket, cookie: tor.cookie)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<60 {
                    group.addTask {
                        let key = ["version", "dormant", "config-file", "process/pid"][number % 4]
                        let asking = Task { try await client.getInfo(key) }
                        if number % 3 == 0 {
                            asking.cancel()
                            _ = try? await asking.value
                            return
                        }
                        let answer = try await asking.value
                        switch key {
                        case "dormant": #expect(answer == "0")
                        case "config-file": #expect(answer == tor.folder + "/torrc")
                        case "process/pid": #expect(Int(answer) != nil)
                        default: #expect(answer.hasPrefix("0."))
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await client.getInfo("dormant") == "0")
        }
    }
}
