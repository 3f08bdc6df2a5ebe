// SPDX-License-Identifier: GPL-3.0-or-later
import SystemPackage
import Testing

@testable import Image

@Suite("Data files say where they are wrong")
struct DataFileTests {
    static let good = """
        name: core
        suite: trixie
        packages: [systemd, tor]
        defaultTarget: multi-user.target
        """

    func failure(_ text: String) -> DataFileError? {
        #expect(throws: DataFileError.self) { try DataFile.decode(Profile.self, from: text, named: "core.yaml") }
    }

    @Test("a good profile is read")
    func good() throws {
        let profile = try DataFile.decode(Profile.self, from: Self.good, named: "core.yaml")
        #expect(profile.packages.map(\.value) == ["systemd", "tor"])
        #expect(profile.users.isEmpty)
    }

    @Test(
        "an error names the line and the field",
        arguments: [
            ("\ncolour: blue", 5, "colour", "Unknown key"),
            ("\nusers: 7", 5, "users", "Expected a list"),
            ("\nusers:\n  - {name: user, uid: one, gid: 1, home: /h, shell: /s}", 6, "users[0].uid", "Expected"),
            (
                "\nusers:\n  - {name: a, uid: 1, gid: 1, home: /h, shell: /s}\n  - {name: b, uid: 1, gid: 2, home: /h, shell: /s}",
                5, "users", "share a name or a number"
            ),
            ("\nusers:\n  - {name: user, uid: 1, gid: 1, hom: /h, shell: /s}", 6, "users[0].hom", "Unknown key"),
            ("\nusers:\n  - name: user\n    uid: 1\n    gid: 1\n    shell: /s", 6, "users[0]", "'home' is missing"),
            ("\nfiles: [core, ../../etc]", 5, "files[1]", "not a path out of it"),
            ("\nlinks:\n  - path: /etc/../../x\n    target: y", 6, "links[0].path", "escapes the tree"),
            ("\nmodes:\n  - path: /etc/x\n    mode: \"9\"", 7, "modes[0].mode", "octal"),
            ("\nmask:\n  - {unit: nftables, reason: r}", 6, "mask[0].unit", "unit's name"),
            ("\nmask:\n  - {unit: nftables.service, reason: \"\"}", 6, "mask[0].reason", "reason is needed"),
            ("\nenable: [{unit: ../x.service, wantedBy: a.target}]", 5, "enable[0].unit", "unit's name"),
        ])
    func places(addition: String, line: Int, field: String, words: String) throws {
        let error = try #require(failure(Self.good + addition))
        #expect(error.line == line)
        #expect(error.field == field)
        #expect(error.problem.contains(words), "\(error)")
        #expect(error.description.hasPrefix("core.yaml:\(line): \(field): "))
    }

    @Test("a package's name that is none, a wrong suite, an empty file and broken YAML are refused")
    func others() throws {
        let name = try #require(failure(Self.good.replacing("tor]", with: "Tor Browser]")))
        #expect(name.field == "packages[1]" && name.line == 3)
        let suite = try #require(failure(Self.good.replacing("trixie", with: "13; rm")))
        #expect(suite.field == "suite" && suite.line == 2)
        #expect(failure("")?.problem.contains("empty") == true)
        let broken = try #require(failure("name: core\npackages: [a, b\nsuite: x"))
        #expect(broken.problem.contains("Not valid YAML") && broken.line != nil)
    }

    @Test("a file that cannot be read is named")
    func unreadable() {
        let error = #expect(throws: DataFileError.self) {
            try DataFile.decode(Profile.self, from: FilePath("/does/not/exist.yaml"))
        }
        #expect(error?.description.contains("/does/not/exist.yaml") == true)
    }

    @Test("a kernel word that a boot loader would take apart is refused", arguments: ["a b", "x=$y", "q=\"1\""])
    func words(word: String) {
        let text = "kernelCommandLine:\n  - {word: '\(word)', reason: r}\nsysctls: []"
        let error = #expect(throws: DataFileError.self) {
            try DataFile.decode(Hardening.self, from: text, named: "hardening.yaml")
        }
        #expect(error?.field == "kernelCommandLine[0].word")
    }
}
