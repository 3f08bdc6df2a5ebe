// SPDX-License-Identifier: GPL-3.0-or-later
import Testing

@testable import Clock

@Suite("Three independent operators must agree")
struct SurveyTests {
    private func survey(_ corrections: [Double]) -> Survey {
        Survey(
            corrections.enumerated().map { number, correction in
                .init(
                    operatorName: "operator \(number)", host: "\(number).example", correction: correction,
                    uncertainty: 0.8)
            })
    }

    @Test("the median of those who agree counts, and who does not is named")
    func outlier() {
        let survey = survey([3600.2, 3599.7, 90_000, 3600.9])
        #expect(survey.outcome == .correction(3600.2, agreeing: 3))
        #expect(survey.outliers.map(\.host) == ["2.example"])
    }

    @Test("two are too few, also when they agree")
    func tooFew() { #expect(survey([5, 5]).outcome == .tooFew) }

    @Test("half against half is a disagreement, and nothing is changed")
    func disagreement() {
        #expect(survey([0, 0, 86_400, 86_400]).outcome == .disagreement)
        #expect(survey([0, 100, 200]).outcome == .disagreement)
        #expect(survey([0, 0, 0, 50, 100, 150]).outcome == .disagreement)
    }

    @Test("an operator with many sites has one vote")
    func oneVote() {
        let answers = (0..<9).map { number in
            Survey.Answer(
                operatorName: "same", host: "\(number).example", correction: 1e6, uncertainty: 1)
        }
        #expect(Survey(answers).outcome == .tooFew)
    }

    @Test("numbers that are none are left out")
    func notANumber() {
        #expect(survey([.nan, .infinity, 1, 1]).outcome == .tooFew)
        #expect(survey([.nan, 1, 1, 1]).outcome == .correction(1, agreeing: 3))
    }

    @Test("the question has its own circuits, no other protocol, and no shell between")
    func arguments() throws {
        let sources = try TimeSources(json: Array(Self.list(["a.example", "b.example", "c.example:8443"]).utf8))
        let source = sources.operators[2].sources[0]
        let words = DateQuestion(source, isolation: "clock1", authorities: "/x.pem").arguments
        #expect(words.contains("=https") && words.contains("clock1:clock") && words.contains("/x.pem"))
        #expect(words.last == "https://c.example:8443/")
        #expect(!words.contains("--insecure") && !words.contains("--location"))
    }

    @Test("the answer's date and times are read")
    func reply() throws {
        let text =
            "HTTP/2 301 \r\nServer: x\r\ndate: Sun, 06 Nov 1994 08:49:37 GMT\r\nlocation: y\r\n\r\n\nneedletail-timing 301 1.5 2.5 2.6\n"
        let reply = try #require(DateQuestion.reply(text))
        #expect(reply.date == Moment(torDate: "1994-11-06 08:49:37"))
        #expect(reply.middle == 2 && reply.roundTrip == 1)
    }

    @Test(
        "hostile answers give no time",
        arguments: [
            "", "\nneedletail-timing 200 1 2 3\n",
            "date: Sun, 06 Nov 1994 08:49:37 GMT\r\n",
            "date: Sun, 06 Nov 1994 08:49:37 GMT\r\ndate: Sun, 06 Nov 1995 08:49:37 GMT\r\n\nneedletail-timing 200 1 2 3\n",
            "date: x\r\n\nneedletail-timing 200 1 2 3\n",
            "date: Sun, 06 Nov 1994 08:49:37 GMT\r\n\nneedletail-timing 000 1 2 3\n",
            "date: Sun, 06 Nov 1994 08:49:37 GMT\r\n\nneedletail-timing 503 1 2 3\n",
            "date: Sun, 06 Nov 1994 08:49:37 GMT\r\n\nneedletail-timing 200 2 1 3\n",
            "date: Sun, 06 Nov 1994 08:49:37 GMT\r\n\nneedletail-timing 200 1 nan 3\n",
            "date: Sun, 06 Nov 1994 08:49:37 GMT\r\n\nneedletail-timing 200 1 29 30\n",
            "needletail-timing 200 0 0 0\r\ndate: Sun, 06 Nov 1994 08:49:37 GMT\r\n\n",
        ])
    func hostile(text: String) { #expect(DateQuestion.reply(text) == nil) }

    static func list(_ hosts: [String], kind: String = "https") -> String {
        let operators = hosts.enumerated().map { number, host in
            #"{"name":"\#(number)","reason":"r","sources":[{"kind":"\#(kind)","host":"\#(host)"}]}"#
        }
        return #"{"operators":[\#(operators.joined(separator: ","))]}"#
    }

    @Test(
        "a list with what is no host, or too few operators, is not used",
        arguments: [
            ["a.example", "b.example"], ["a.example", "b.example", "-x"], ["a.example", "b.example", "c.example/x"],
            ["a.example", "b.example", "c d"], ["a.example", "b.example", "u@c.example"],
            ["a.example", "b.example", "c.example:0"], ["a.example", "b.example", "c.example:x"],
            ["a.example", "b.example", "A.EXAMPLE"], ["a.example", "b.example", "b.example"],
            ["a.example", "b.example", "x.onion"], ["a.example", "b.example", ""],
        ])
    func wrongList(hosts: [String]) {
        #expect(throws: (any Error).self) { try TimeSources(json: Array(Self.list(hosts).utf8)) }
    }

    @Test("an onion service must have a key for a name")
    func onion() {
        let key = String(repeating: "a", count: 56)
        #expect(TimeSources.Source.isHost("\(key).onion", .onion))
        #expect(TimeSources.Source.isHost("www.\(key).onion", .onion))
        #expect(!TimeSources.Source.isHost("short.onion", .onion))
        #expect(!TimeSources.Source.isHost("\(key).onion", .https))
        #expect(!TimeSources.Source.isHost("\(key).example", .onion))
    }
}
