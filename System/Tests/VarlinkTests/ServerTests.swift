// SPDX-License-Identifier: GPL-3.0-or-later
import Linux
import Sockets
import Testing
import Varlink

@Suite("Varlink server", .timeLimit(.minutes(1)))
struct ServerTests {
    @Test(
        "a call is answered to the letter",
        arguments: [
            (
                #"{"method":"org.example.test.Add","parameters":{"a":1,"b":2}}"#,
                #"{"parameters":{"sum":3}}"#
            ),
            (
                #"{"method":"org.example.test.Add","parameters":{"a":999,"b":2}}"#,
                #"{"error":"org.example.test.TooLarge","parameters":{"limit":1000}}"#
            ),
            (
                #" { "parameters" : null , "method" : "org.varlink.service.GetInfo" , "more" : false } "#,
                #"{"parameters":{"interfaces":["org.example.test","org.varlink.service"],"product":"test","url":"","vendor":"Needletail","version":"1"}}"#
            ),
            (
                #"{"method":"org.example.test.Visit","parameters":{"places":[{"name":"K2","height":8611},{"name":"\u00e4\ud83c\udfd4\/","height":null}]}}"#,
                #"{"parameters":{"names":["K2/8611","ä🏔//-"]}}"#
            ),
            (
                #"{"method":"org.example.test.Nope"}"#,
                #"{"error":"org.varlink.service.MethodNotFound","parameters":{"method":"org.example.test.Nope"}}"#
            ),
            (
                #"{"method":"org.example.none.Nope"}"#,
                #"{"error":"org.varlink.service.InterfaceNotFound","parameters":{"interface":"org.example.none"}}"#
            ),
            (
                #"{"method":"org.example.test.Add","parameters":{"a":1,"b":2},"upgrade":true}"#,
                #"{"error":"org.varlink.service.MethodNotImplemented","parameters":{"method":"org.example.test.Add"}}"#
            ),
            (
                #"{"method":"org.example.test.Break"}"#, #"{"error":"org.needletail.ServiceFailed","parameters":{}}"#
            ),
            (
                #"{"method":"org.example.test.OnlyRoot"}"#,
                #"{"error":"org.varlink.service.PermissionDenied","parameters":{}}"#
            ),
            (
                #"{"method":"org.example.test.Count","parameters":{"to":1}}"#,
                #"{"error":"org.varlink.service.ExpectedMore","parameters":{}}"#
            ),
        ])
    func wire(call: String, reply: String) async throws {
        let replies = try await TestService.with("wire") { try await $0.exchange(call + "\0", replies: 1) }
        #expect(replies == [reply])
    }

    @Test(
        "parameters that are missing, unknown, or of the wrong kind are refused by name",
        arguments: [
            (#"{"a":1}"#, "b"), (#"{"a":1,"b":2,"c":3}"#, "c"), (#"{"a":"1","b":2}"#, "a"), (#"{"a":1,"b":2.5}"#, "b"),
            (#"{"a":1,"b":99999999999999999999}"#, "b"), (#"{"a":null,"b":2}"#, "a"),
        ])
    func parameters(parameters: String, wrong: String) async throws {
        let replies = try await TestService.with("parameters") {
            try await $0.exchange(#"{"method":"org.example.test.Add","parameters":"# + parameters + "}\0", replies: 1)
        }
        #expect(
            replies == [#"{"error":"org.varlink.service.InvalidParameter","parameters":{"parameter":"\#(wrong)"}}"#])
    }

    @Test("an unknown member deep inside a parameter is refused")
    func nestedParameter() async throws {
        let call = #"{"method":"org.example.test.Visit","parameters":{"places":[{"name":"K2","size":1}]}}"#
        let replies = try await TestService.with("nested") { try await $0.exchange(call + "\0", replies: 1) }
        #expect(replies == [#"{"error":"org.varlink.service.InvalidParameter","parameters":{"parameter":"places"}}"#])
    }

    @Test("many calls sent at once are answered in order, those for no reply not at all")
    func pipeline() async throws {
        try await TestService.with("pipeline") { test in
            var text = ""
            for number in 0..<200 {
                text += #"{"method":"org.example.test.Add","parameters":{"a":\#(number),"b":0}}"# + "\0"
                text += #"{"method":"org.example.test.Note","parameters":{"text":"n\#(number)"},"oneway":true}"# + "\0"
            }
            let replies = try await test.exchange(text, replies: 200)
            #expect(replies == (0..<200).map { #"{"parameters":{"sum":\#($0)}}"# })
            try await test.diary.wait(for: "n199")
            #expect(test.diary.all == (0..<200).map { "n\($0)" })
        }
    }

    @Test("a caller who wants more gets every reply, and the last one says that it is the last")
    func more() async throws {
        let call = #"{"method":"org.example.test.Count","parameters":{"to":3},"more":true}"#
        let replies = try await TestService.with("more") { try await $0.exchange(call + "\0", replies: 3) }
        #expect(
            replies == [
                #"{"continues":true,"parameters":{"number":1}}"#, #"{"continues":true,"parameters":{"number":2}}"#,
                #"{"parameters":{"number":3}}"#,
            ])
    }

    @Test(
        "a message that breaks the rules closes the connection with a line in the log, and the service lives on",
        arguments: [
            "", "null", "[]", "{", #"{"method":1}"#, #"{"method":"NoDot"}"#, #"{"parameters":{}}"#,
            #"{"method":"org.example.test.Wait","extra":1}"#, #"{"method":"org.example.test.Wait","more":1}"#,
            #"{"method":"org.example.test.Wait","method":"org.example.test.Break"}"#,
            #"{"method":"org.example.test.Wait","more":true,"oneway":true}"#,
            #"{"method":"org.example.test.Wait"} {}"#, #"{"method":"org.example.\ud800"}"#,
            #"{"method":"org.example.test.Add","parameters":{"a":01}}"#,
            String(repeating: "[", count: 60_000), #"{"a":"# + String(repeating: #"{"a":"#, count: 10_000),
            #"{"method":"org.example.test.Note","parameters":{"text":"\#(String(repeating: "x", count: 70_000))"}}"#,
        ])
    func badMessage(message: String) async throws {
        try await TestService.with("bad") { test in
            #expect(try await test.exchange(message + "\0", replies: 1) == [])
            #expect(test.diary.all.contains { $0.hasPrefix("log: a connection of user") })
            let after = try await test.exchange(
                #"{"method":"org.example.test.Add","parameters":{"a":1,"b":1}}"# + "\0", replies: 1)
            #expect(after == [#"{"parameters":{"sum":2}}"#])
        }
    }

    @Test("text that is not UTF-8 closes the connection")
    func invalidText() async throws {
        try await TestService.with("utf8") { test in
            for bytes: [UInt8] in [[0xff], [0xc3], [0xed, 0xa0, 0x80], [0xf5, 0x80, 0x80, 0x80]] {
                let message = Array(#"{"method":"org.example.test.Note","parameters":{"text":""#.utf8) + bytes
                let replies = try await test.exchange(message + Array("\"}}\0".utf8), replies: 1)
                #expect(replies == [])
            }
        }
    }

    @Test("a message without an end is cut off at the limit")
    func endless() async throws {
        try await TestService.with("endless") { test in
            let replies = try await test.exchange([UInt8](repeating: 0x20, count: 3_000_000), replies: 1)
            #expect(replies == [])
        }
    }

    @Test("a message may arrive in pieces, down to single bytes")
    func pieces() async throws {
        try await TestService.with("pieces") { test in
            let stream = try Stream(connectingTo: test.path)
            for byte in (#"{"method":"org.example.test.Add","parameters":{"a":1,"b":2}}"# + "\0").utf8 {
                try await stream.write([byte])
                await Task.yield()
            }
            #expect(try await stream.read() == Array("{\"parameters\":{\"sum\":3}}\0".utf8))
        }
    }

    @Test("when the caller goes away in the middle, the work is given up, but work without a reply is finished")
    func disconnect() async throws {
        try await TestService.with("disconnect") { test in
            do {
                let stream = try Stream(connectingTo: test.path)
                try await stream.write(("{\"method\":\"org.example.test.Wait\"}\0").utf8)
                try await test.diary.wait(for: "waiting")
                try await stream.write(
                    (#"{"method":"org.example.test.Add","parameters":{"a":1,"b":2}}"# + "\0"
                        + #"{"method":"org.example.test.Note","parameters":{"text":"done"},"oneway":true}"# + "\0{\"me")
                        .utf8)
            }
            try await test.diary.wait(for: "done")
            #expect(test.diary.all.filter { !$0.hasPrefix("log") } == ["waiting", "cancelled", "done"])
        }
    }

    @Test("a user gets so many connections and no more, and a place again when one is closed")
    func connections() async throws {
        var limits = VarlinkServer.Limits()
        limits.connections = 3
        limits.connectionsOfUser = 3
        try await TestService.with("limit", limits: limits) { test in
            let call = "{\"method\":\"org.varlink.service.GetInfo\"}\0"
            do {
                var held: [Stream] = []
                for _ in 0..<3 {
                    let stream = try Stream(connectingTo: test.path)
                    try await stream.write(call.utf8)
                    _ = try await stream.read()
                    held.append(stream)
                }
                #expect(try await test.exchange(call, replies: 1) == [])
                #expect(held.count == 3)
            }
            for _ in 0..<200 where try await test.exchange(call, replies: 1).isEmpty {
                try await Task.sleep(for: .milliseconds(10))
            }
            #expect(try await test.exchange(call, replies: 1).count == 1)
        }
    }

    @Test("a service that nobody uses ends, one that is used does not")
    func idle() async throws {
        try await TestService.with("idle", idle: .milliseconds(300)) { test in
            do {
                let stream = try Stream(connectingTo: test.path)
                try await stream.write("{\"method\":\"org.varlink.service.GetInfo\"}\0".utf8)
                try await Task.sleep(for: .milliseconds(900))
                #expect(!test.diary.all.contains("server ended"))
                #expect(try await !stream.read().isEmpty)
            }
            try await test.diary.wait(for: "server ended")
            #expect(test.diary.all.contains("server ended"))
        }
    }

    @Test("a caller who does not read is dropped")
    func slowReader() async throws {
        var limits = VarlinkServer.Limits()
        limits.writeTime = .milliseconds(200)
        try await TestService.with("slow", limits: limits) { test in
            let stream = try Stream(connectingTo: test.path)
            let text = String(repeating: "x", count: 60_000)
            for _ in 0..<64 {
                guard
                    (try? await stream.write(
                        (#"{"method":"org.example.test.Visit","parameters":{"places":[{"name":"\#(text)"}]}}"# + "\0")
                            .utf8)) != nil
                else { return }
            }
            Issue.record("the service took everything")
        }
    }
}
