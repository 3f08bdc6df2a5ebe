// SPDX-License-Identifier: GPL-3.0-or-later

import SystemPackage
import Testing

@testable import Commands
@testable import Image

@Suite("The lock")
struct LockTests {
    static func package(_ name: String, _ version: String = "1:2.0-1+b1", digit: Character = "a") -> LockedPackage {
        LockedPackage(
            name: name, version: version, architecture: "amd64", archive: .debian,
            path: "pool/main/\(name)_\(version).deb", size: 10, sha256: String(repeating: digit, count: 64))
    }

    @Test("what is written is read again, sorted by name")
    func roundTrip() throws {
        let lock = Lock(
            suite: "trixie", date: 1_700_000_000, system: [Self.package("tor"), Self.package("apt")],
            buildRoot: [Self.package("xz-utils")])
        let again = try DataFile.decode(Lock.self, from: lock.text, named: "core.json")
        #expect(again == lock)
        #expect(again.system.map(\.name) == ["apt", "tor"])
        #expect(lock.text.split(separator: "\n").count(where: { $0.contains("\"name\"") }) == 3)
    }

    @Test(
        "an entry that would lead elsewhere is refused, with its line",
        arguments: [
            ("pool/main/tor_1:2.0-1+b1.deb", "../../etc/shadow"), ("\"amd64\"", "\"arm64\""),
            (String(repeating: "a", count: 64), "abc"), ("\"size\": 10", "\"size\": -1"),
            ("\"name\": \"tor\"", "\"name\": \"../tor\""), ("\"archive\": \"debian\"", "\"archive\": \"evil\""),
        ])
    func hostile(good: String, bad: String) throws {
        let text = Lock(suite: "trixie", date: 1, system: [Self.package("tor")], buildRoot: []).text
        #expect(text.contains(good))
        let error = #expect(throws: DataFileError.self) {
            try DataFile.decode(Lock.self, from: text.replacing(good, with: bad), named: "core.json")
        }
        #expect(error?.line == 5, "\(String(describing: error))")
    }

    @Test("a package that stands there twice is refused")
    func twice() {
        let text = Lock(suite: "trixie", date: 1, system: [Self.package("tor"), Self.package("tor")], buildRoot: [])
            .text
        let error = #expect(throws: DataFileError.self) {
            try DataFile.decode(Lock.self, from: text, named: "core.json")
        }
        #expect(error?.problem.contains("'tor' stands here twice") == true)
    }

    @Test("changes are shown as a table: new, changed, removed, and other bits under the same version")
    func changes() {
        let old = [Self.package("apt"), Self.package("dash"), Self.package("tor", "0.4.8-1"), Self.package("zstd")]
        let new = [
            Self.package("apt"), Self.package("curl"), Self.package("tor", "0.4.9-1", digit: "b"),
            Self.package("zstd", digit: "c"),
        ]
        let changes = Lock.changes(from: old, to: new)
        #expect(changes.map(\.name) == ["curl", "dash", "tor", "zstd"])
        #expect(
            Lock.table(changes).split(separator: "\n").map { $0.split(separator: " ") } == [
                ["package", "before", "after"], ["curl", "–", "1:2.0-1+b1"], ["dash", "1:2.0-1+b1", "removed"],
                ["tor", "0.4.8-1", "0.4.9-1"], ["zstd", "1:2.0-1+b1", "1:2.0-1+b1"],
            ])
    }

    @Test("a lock that is not there says how to make it")
    func missing() {
        let error = #expect(throws: DataFileError.self) { try Lock.read("/does/not/exist.json") }
        #expect(error?.description.contains("needletail lock") == true)
    }

    @Test("APT's addresses become entries, whatever the mirror")
    func resolving() throws {
        let mirror = Mirror(
            debian: "http://mirror.example/debian/", security: "http://security.example/debian-security")
        let resolver = Resolver(suite: "trixie", mirror: mirror, work: "/w", log: "/l")
        let package = try resolver.parse(
            "'http://security.example/debian-security/pool/updates/main/t/tor/tor_0.4.9-0%2bdeb13u1_amd64.deb' tor_1%3a0.4.9-0+deb13u1_amd64.deb 21 SHA256:\(String(repeating: "0", count: 64))"
        )
        #expect(package.archive == .security)
        #expect(package.version == "1:0.4.9-0+deb13u1")
        #expect(package.path == "pool/updates/main/t/tor/tor_0.4.9-0%2bdeb13u1_amd64.deb")
        #expect(package.fileName == "tor_1%3a0.4.9-0+deb13u1_amd64.deb")
        #expect(throws: ResolverError.self) {
            try resolver.parse("'http://elsewhere.example/x.deb' x_1_all.deb 1 SHA256:0")
        }
    }

    @Test("the machine's APT says where the archives are, and a machine without Debian's is told what to do")
    func machineMirror() throws {
        let text =
            "http://m.example/debian Debian\nhttp://m.example/sec Debian-Security\nhttp://o.example/x Other thing\n"
        #expect(
            try Mirror.parse(indexTargets: text)
                == Mirror(debian: "http://m.example/debian", security: "http://m.example/sec"))
        #expect(Mirror(debian: "http://m.example/debian/").security == "http://m.example/debian-security")
        let error = #expect(throws: MirrorError.self) { try Mirror.parse(indexTargets: "http://o.example/x Other\n") }
        #expect(error?.description.contains("--mirror") == true)
    }

    @Test("a package that the archives do not have is told with the line that names it")
    func unknownPackage() throws {
        for words in ["E: Unable to locate package cowsey", "E: Package 'cowsey' has no installation candidate"] {
            let failure = CommandFailure(
                command: Command("apt-get"), status: "ended with status 100", lastLines: ["Reading…", words], log: nil)
            #expect(ResolverError.from(failure) == .unknownPackage("cowsey"))
        }
        let other = CommandFailure(
            command: Command("apt-get"), status: "ended", lastLines: ["E: The repository is not signed."], log: nil)
        #expect(ResolverError.from(other) == nil)
        let text = DataFileTests.good.replacing("[systemd, tor]", with: "\n  - systemd\n  - cowsey")
        let error = DataFileError.about(
            file: "core.yaml", text: text, field: ["packages", "1"], problem: "No such package.")
        #expect(error.description == "core.yaml:5: packages[1]: No such package.")
    }
}
