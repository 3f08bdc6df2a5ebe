// SPDX-License-Identifier: GPL-3.0-or-later
import Testing
import Varlink

@testable import Connection

@Suite("needletail-connect")
struct CommandTests {
    @Test("options are understood")
    func options() throws {
        #expect(try ConnectCommand.request([]) == (.ask, false))
        #expect(try ConnectCommand.request(["--direct"]) == (.direct, false))
        #expect(try ConnectCommand.request(["--json", "--hide", "-"]) == (.hide(file: "-"), true))
        #expect(try ConnectCommand.request(["--status", "--json"]) == (.status, true))
        #expect(try ConnectCommand.request(["-h"]).request == .help)
    }

    @Test(
        "wrong options are refused with a sentence",
        arguments: [["--hide"], ["--direct", "--status"], ["--json"], ["direct"], ["--hidden", "x"]])
    func wrong(arguments: [String]) {
        let error = #expect(throws: ConnectCommand.BadOption.self) { try ConnectCommand.request(arguments) }
        #expect(error?.text.hasSuffix(".") == true || error?.text.hasSuffix("--help.") == true)
    }

    @Test("what a caller asks for becomes a choice, or an error that names the lines")
    func choices() throws {
        #expect(try ConnectionService.choice(.init(mode: "direct", bridges: nil)) == .direct)
        #expect(throws: VarlinkError.invalidParameter("bridges")) {
            try ConnectionService.choice(.init(mode: "direct", bridges: ["192.0.2.7:1"]))
        }
        let snowflake = try ConnectionService.choice(.init(mode: "hide", bridges: [BridgeTests.snowflake]))
        #expect(snowflake.needsUDP)
        #expect(throws: VarlinkError("org.needletail.Connection.NoBridges")) {
            try ConnectionService.choice(.init(mode: "hide", bridges: ["# nothing"]))
        }
        let error = #expect(throws: VarlinkError.self) {
            try ConnectionService.choice(.init(mode: "hide", bridges: ["192.0.2.7:1", "x"]))
        }
        #expect(error?.name == "org.needletail.Connection.BadBridges")
        let verdicts = try error?.parameters(as: ConnectionInterface.VerdictsReply.self).verdicts
        #expect(verdicts?.map { $0.problem == nil } == [true, false])
        #expect(
            try ConnectionService.choice(.init(mode: "hide", bridges: ["192.0.2.7:1", "192.0.2.8:1"]))
                == .hide(BridgeText.bridges(in: "192.0.2.7:1\n192.0.2.8:1") ?? []))
    }

    @Test("the interface can be read, and every state fits into it")
    func interface() throws {
        let interface = try VarlinkInterface(ConnectionInterface.text)
        #expect(interface.name == ConnectionInterface.name)
        #expect(interface.methodNames == ["CheckBridges", "Connect", "Disconnect", "GetState", "Monitor"])
        _ = try ConnectionService.service(for: Keeper())
    }
}
