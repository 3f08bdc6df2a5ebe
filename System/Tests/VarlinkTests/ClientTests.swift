// SPDX-License-Identifier: GPL-3.0-or-later
import Linux
import Sockets
import Testing
import Varlink

@Suite("Varlink client", .timeLimit(.minutes(1)))
struct ClientTests {
    struct Reply: Decodable, Sendable {
        var sum: Int
    }
    struct Number: Decodable, Sendable {
        var number: Int
    }

    @Test("calls give values, typed errors, and many at once do not wait for each other")
    func calls() async throws {
        try await TestService.with("calls") { test in
            let client = VarlinkClient(path: test.path)
            let sum = try await client.call("org.example.test.Add", ["a": 1, "b": 2], returning: Reply.self)
            #expect(sum.sum == 3)
            let error = await #expect(throws: VarlinkError.self) {
                try await client.call("org.example.test.Add", ["a": 1000, "b": 2], returning: Reply.self)
            }
            #expect(error == VarlinkError("org.example.test.TooLarge", ["limit": .int(1000)]))
            await #expect(throws: VarlinkError.invalidParameter("b")) {
                try await client.call("org.example.test.Add", ["a": 1], returning: Reply.self)
            }
            let slow = Task { () async throws -> Nothing in
                try await client.call("org.example.test.Wait", within: .milliseconds(500))
            }
            _ = try await client.call("org.example.test.Add", ["a": 1, "b": 2], returning: Reply.self)
            await #expect(throws: VarlinkClient.Failure.self) { try await slow.value }
            try await client.send("org.example.test.Note", ["text": "sent"])
            try await test.diary.wait(for: "sent")
        }
    }

    @Test("observing ends with the last reply, or when the reader stops")
    func observe() async throws {
        try await TestService.with("observe") { test in
            let client = VarlinkClient(path: test.path)
            var numbers: [Int] = []
            for try await reply in client.observe("org.example.test.Count", ["to": 4], returning: Number.self) {
                numbers.append(reply.number)
            }
            #expect(numbers == [1, 2, 3, 4])
            for try await reply in client.observe("org.example.test.Count", ["to": 0], returning: Number.self) {
                if reply.number == 3 { break }
            }
            try await test.diary.wait(for: "counting ended")
            #expect(test.diary.all == ["counting", "counting ended"])
        }
    }

    @Test(
        "a service that breaks the rules gives an error, not a crash",
        arguments: ["", "{", "[]", "{}", #"{"parameters":{"sum":"x"}}"#, #"{"error":5}"#, "\u{0}"])
    func badService(answer: String) async throws {
        let path =
            "/tmp/needletail-varlink-bad-service-\(Program.identifier)-\(answer.utf8.count)-\(answer.first?.asciiValue ?? 1)"
        let listener = try Listener(at: path)
        defer { try? FileTree.remove(path) }
        async let served: Void = {
            let stream = try await listener.accept()
            _ = try await stream.read()
            try await stream.write((answer + (answer.isEmpty ? "" : "\0")).utf8)
            stream.shutDown()
        }()
        await #expect(throws: VarlinkClient.Failure.self) {
            try await VarlinkClient(path: path).call("a.b.C", returning: Reply.self)
        }
        try await served
    }

    @Test("a service that is not there is named")
    func missing() async throws {
        await #expect(throws: VarlinkClient.Failure.self) {
            try await VarlinkClient(path: "/nonexistent/socket").call("a.b.C")
        }
    }
}

@Suite("Varlink interfaces")
struct InterfaceTests {
    @Test(
        "a wrong interface is refused with its line",
        arguments: [
            ("", 1), ("interface x", 1), ("interface a.b\nmethod x() -> ()", 2),
            ("interface a.b\nmethod X() -> (a: Y)", 0),
            ("interface a.b\n# c\nmethod X(a: int, a: int) -> ()", 3), ("interface a.b\ntype T (a, b: int)", 2),
            ("interface a.b\nmethod X()", 2), ("interface a.b\nmethod X() -> ()\nmethod X() -> ()", 3),
            ("interface a.b\ntype T (a: []?[string]nope)", 2),
        ])
    func wrong(text: String, line: Int) {
        let failure = #expect(throws: InterfaceFailure.self) { try VarlinkInterface(text) }
        #expect(failure?.line == line)
    }

    @Test("every kind of type can be declared")
    func right() throws {
        let interface = try VarlinkInterface(
            """
            # A comment
            interface org.example.a-b.c2
            type E (one, two_2, three) # behind
            type T (a: bool, b: ?int, c: []float, d: [string]E, e: (x: int, y: (p, q)), f: object, g: ?[][string]?T)
            method M(t: T)->(e: E)
            error Bad (why: string)
            error Worse ()
            """)
        #expect(interface.name == "org.example.a-b.c2")
        #expect(interface.methodNames == ["M"])
    }
}
