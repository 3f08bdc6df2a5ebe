// SPDX-License-Identifier: GPL-3.0-or-later
import Connection
import Testing

@Suite("Bridge lines")
struct BridgeTests {
    static let fingerprint = "0123456789ABCDEF0123456789ABCDEF01234567"
    static let certificate = String(repeating: "aB3+/", count: 14)
    static let obfs4 = "obfs4 192.0.2.7:443 \(fingerprint) cert=\(certificate) iat-mode=0"
    static let snowflake =
        "snowflake 192.0.2.3:80 \(fingerprint) fingerprint=\(fingerprint) url=https://broker.example/ "
        + "fronts=a.example,b.example ice=stun:stun.example:3478,stun:other.example:3478 utls-imitate=hellorandomizedalpn"

    @Test(
        "lines as Tor hands them out are taken",
        arguments: [
            ("192.0.2.7:443", "192.0.2.7:443"),
            ("192.0.2.7:443 \(fingerprint)", "192.0.2.7:443 \(fingerprint)"),
            ("  Bridge\t\(obfs4)  ", obfs4), (obfs4, obfs4),
            // Of the list of names one is taken: snowflake-client knows no list.
            (snowflake, snowflake.replacing("fronts=a.example,b.example", with: "front=a.example")),
            ("snowflake 192.0.2.3:80 front=c.example fronts=a.example", "snowflake 192.0.2.3:80 front=c.example"),
            ("OBFS4 192.0.2.7:1 cert=\(certificate) iat-mode=2", "obfs4 192.0.2.7:1 cert=\(certificate) iat-mode=2"),
            ("192.0.2.7:443 \(fingerprint.lowercased())", "192.0.2.7:443 \(fingerprint)"),
        ])
    func right(text: String, line: String) throws {
        let verdicts = BridgeText.check(text)
        #expect(try verdicts.map { try $0.result.get().line } == [line])
    }

    @Test(
        "the text of a QR code is taken",
        arguments: [
            "['\(obfs4)', '192.0.2.8:1']", "[\"\(obfs4)\",\"192.0.2.8:1\"]", " [ '\(obfs4)' ,\n'192.0.2.8:1' ]\n",
            "['obfs4 192.0.2.7:443 \(fingerprint) cert=\(certificate.split(separator: "/").joined(separator: "\\/"))\\/ iat-mode=0','192.0.2.8:1']",
        ])
    func code(text: String) {
        #expect(BridgeText.bridges(in: text)?.map(\.line) == [Self.obfs4, "192.0.2.8:1"])
    }

    @Test("empty lines and comments are passed over, and lines keep their numbers")
    func lines() throws {
        let verdicts = BridgeText.check("# bridges\r\n\r\n192.0.2.7:443\r\n  \t\n192.0.2.8:443\n")
        #expect(verdicts.map(\.line) == [3, 5])
        #expect(try verdicts.map { try $0.result.get().endpoint } == ["192.0.2.7:443", "192.0.2.8:443"])
        #expect(BridgeText.bridges(in: "# nothing\n") == nil)
    }

    @Test(
        "a wrong word is named with its place",
        arguments: [
            ("webtunnel 192.0.2.7:443", 1, "webtunnel"), ("obfs5 192.0.2.7:443", 1, "obfs5"),
            ("plain 192.0.2.7:443", 1, "plain"), ("obfs4", 6, nil), ("Bridge", 7, nil), ("192.0.2.7", 1, "192.0.2.7"),
            ("192.0.2.7:0", 1, "192.0.2.7:0"), ("192.0.2.7:65536", 1, "192.0.2.7:65536"),
            ("192.0.2.256:1", 1, "192.0.2.256:1"), ("192.0.02.7:1", 1, "192.0.02.7:1"), ("1.2.3:1", 1, "1.2.3:1"),
            ("127.0.0.1:9001", 1, "127.0.0.1:9001"), ("224.0.0.1:1", 1, "224.0.0.1:1"), ("0.0.0.0:1", 1, "0.0.0.0:1"),
            ("bridge.example:443", 1, "bridge.example:443"), ("obfs4 [2001:db8::1]:443 x", 7, "[2001:db8::1]:443"),
            ("[2001:db8::1]:443", 1, "[2001:db8::1]:443"), ("2001:db8::1", 1, "2001:db8::1"),
            ("192.0.2.7:1 0123", 13, "0123"), ("192.0.2.7:1 \(fingerprint)0", 13, "\(fingerprint)0"),
            ("192.0.2.7:1 \(fingerprint) more", 54, "more"), ("192.0.2.7:1 cert=x", 13, "cert=x"),
            ("obfs4 192.0.2.7:1 \(fingerprint)", 59, nil), ("obfs4 192.0.2.7:1 cert=abc", 19, "cert=abc"),
            ("obfs4 192.0.2.7:1 iat-mode=3", 19, "iat-mode=3"), ("obfs4 192.0.2.7:1 a=b", 19, "a=b"),
            ("snowflake 192.0.2.3:80 url=http://x", 24, "url=http://x"), ("snowflake 192.0.2.3:80 x=y", 24, "x=y"),
            ("snowflake 192.0.2.3:80 max=0 max=0", 30, "max=0"),
            ("snowflake 192.0.2.3:80 fronts=a,,b", 24, "fronts=a,,b"),
            ("snowflake 192.0.2.3:80 front=a,b", 24, "front=a,b"),
            ("snowflake 192.0.2.3:80 fronts=a.b/c", 24, "fronts=a.b/c"),
            ("192.0.2.7:1\u{0}", 12, "192.0.2.7:1?"),
            ("192.0.2.7:1 \u{1b}[2J", 13, "?[2J"), ("obfs4 192.0.2.7\u{202e}:1", 16, "192.0.2.7?:1"),
            ("192.0.2.7:1 \"x\"", 13, "\"x\""), ("192.0.2.7:1\rUseBridges 0", 12, "192.0.2.7:1?UseBridges 0"),
        ] as [(String, Int, String?)])
    func wrong(text: String, column: Int, word: String?) throws {
        let verdicts = BridgeText.check(text)
        #expect(verdicts.count == 1)
        guard case .failure(let problem) = verdicts.first?.result else {
            Issue.record("was taken")
            return
        }
        #expect(problem.column == column)
        #expect(problem.word == word)
        #expect(problem.problem.hasSuffix(".") && problem.expected.hasSuffix("."))
        #expect(BridgeText.bridges(in: text) == nil)
    }

    @Test("duplicates, overlong lines, too many lines and a text that is too long are refused")
    func tooMuch() throws {
        let twice = BridgeText.check("\(Self.obfs4)\n192.0.2.7:443\n\(Self.obfs4)")
        #expect(twice.map { (try? $0.result.get()) != nil } == [true, true, false])
        #expect(BridgeText.bridges(in: "192.0.2.7:443 " + String(repeating: " ", count: 1024)) == nil)
        let many = BridgeText.check((1...200).map { "192.0.2.\($0):443\n" }.joined())
        #expect(many.count == BridgeText.bridgeLimit + 1)
        #expect((try? many.last?.result.get()) == nil)
        #expect(BridgeText.check(String(repeating: "\n", count: 40_000)).count == 1)
        let url = "url=https://" + String(repeating: "x", count: 600)
        #expect(BridgeText.bridges(in: "snowflake 192.0.2.3:80 \(url)") == nil)
    }

    @Test(
        "a list that is broken is refused with its place",
        arguments: ["['a", "['a' 'b']", "['a',]", "['a'] x", "[]", "['']"])
    func brokenList(text: String) { #expect(BridgeText.bridges(in: text) == nil) }

    @Test("any bytes give verdicts, never a crash, and what is taken is one line of plain signs")
    func anything() {
        var generator = SystemRandomNumberGenerator()
        let seeds = [Self.obfs4, Self.snowflake, "['\(Self.obfs4)', \"192.0.2.8:1\"]", "192.0.2.7:443"].map {
            Array($0.utf8)
        }
        for round in 0..<4000 {
            var bytes = seeds[round % seeds.count]
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                bytes[Int.random(in: bytes.indices, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
            }
            for verdict in BridgeText.check(String(decoding: bytes, as: UTF8.self)) {
                guard let bridge = try? verdict.result.get() else { continue }
                #expect(bridge.line.utf8.allSatisfy { (0x20...0x7e).contains($0) && $0 != 0x22 && $0 != 0x5c })
            }
        }
    }
}
