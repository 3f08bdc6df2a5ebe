// SPDX-License-Identifier: GPL-3.0-or-later
import Commands
import Foundation
import SystemPackage
import Testing

@testable import Image

@Suite("The system's files")
struct TreeTests {
    static let epoch = 1_700_000_000

    @Test(
        "globs match within and across segments",
        arguments: [
            ("/usr/share/man/**", "usr/share/man/man1/ls.1", true), ("/usr/share/man/**", "usr/share/man", false),
            ("/etc/*-", "etc/passwd-", true), ("/etc/*-", "etc/passwd", false), ("/etc/*-", "etc/a/b-", false),
            ("/**/x", "a/b/x", true), ("/**/x", "x", true), ("/a/**/z", "a/b/c/z", true), ("/a/**/z", "a/b/c", false),
            ("/etc/rc?.d/**", "etc/rc3.d/S01x", true), ("/etc/rc?.d/**", "etc/rcS0.d/x", false),
            ("/a*b*c", "aXbYc", true),
        ])
    func globs(pattern: String, path: String, expected: Bool) {
        #expect(PathPattern(pattern).matches(path) == expected)
    }

    @Test("an archive of GNU tar's is read and written again, and GNU tar sees the same")
    func roundTrip() async throws {
        try await withFolder { folder in
            let tree = folder.appending("tree")
            let long = String(repeating: "long-name-", count: 12)
            try FileManager.default.createDirectory(
                atPath: tree.appending("d/\(long)").string, withIntermediateDirectories: true)
            try Data("hello".utf8).write(to: URL(filePath: tree.appending("d/\(long)/file").string))
            try Data(repeating: 7, count: 3_000_000).write(to: URL(filePath: tree.appending("big").string))
            try FileManager.default.linkItem(
                atPath: tree.appending("big").string, toPath: tree.appending("zz-same").string)
            try FileManager.default.createSymbolicLink(
                atPath: tree.appending("link").string, withDestinationPath: String(repeating: "t/", count: 90))
            let log = folder.appending("log")
            // Whole seconds: fractions of them are dropped on purpose.
            try await Command("find", [tree.string, "-exec", "touch", "-h", "-d", "@1700000000", "{}", ";"]).run(
                log: log)
            let first = folder.appending("first.tar")
            try await Command(
                "tar",
                [
                    "--format=pax", "--sort=name", "--owner=0", "--group=0", "--numeric-owner", "-cf", first.string,
                    "-C", tree.string, ".",
                ]
            ).run(log: log)
            let reader = try TarReader(first)
            let second = folder.appending("second.tar")
            try SystemTree(entries: try reader.entries(), epoch: Int.max >> 32).write(to: second, source: reader.data)
            try await Command("tar", ["--compare", "-f", second.string, "-C", tree.string]).run(log: log)
            let names = try await Command("tar", ["-tvf", second.string]).output()
            #expect(names.contains("link to ./big"))
            #expect(names.contains("\(long)/file"))
        }
    }

    @Test("damaged archives are refused or read, never a crash")
    func hostile() async throws {
        try await withFolder { folder in
            let good = folder.appending("good.tar")
            var writer = try TarWriter(to: good, source: Data())
            try writer.append("d", .folder(time: 1))
            try writer.append("d/" + String(repeating: "x", count: 150), .file([1, 2, 3], time: 1))
            var entry = TarEntry.file([9], time: 1)
            entry.attributes["security.capability"] = [1, 0, 255, 10, 61]
            try writer.append("e", entry)
            try writer.finish()
            let bytes = try Data(contentsOf: URL(filePath: good.string))
            #expect(try TarReader(good).entries()["e"]?.attributes["security.capability"] == [1, 0, 255, 10, 61])
            var random = SystemRandomNumberGenerator()
            let bad = folder.appending("bad.tar")
            var refused = 0
            for _ in 0..<400 {
                var copy = bytes
                copy[Int.random(in: 0..<copy.count, using: &random)] ^= UInt8.random(in: 1...255, using: &random)
                if Bool.random() { copy = copy.prefix(Int.random(in: 0..<copy.count, using: &random)) }
                try copy.write(to: URL(filePath: bad.string))
                do { _ = try TarReader(bad).entries() } catch is TarError { refused += 1 }
            }
            #expect(refused > 0)
            // A path that leaves the tree.
            let escape = folder.appending("escape.tar")
            var evil = try TarWriter(to: escape, source: Data())
            try evil.append("../../etc/passwd", .file([], time: 1))
            try evil.finish()
            #expect(throws: TarError.self) { try TarReader(escape).entries() }
        }
    }

    @Test("the same tree gives the same archive, and nothing in it is younger than the image")
    func deterministic() async throws {
        try await withFolder { folder in
            var tree = SystemTree(entries: [:], epoch: Self.epoch)
            tree.put("b/c", .file([1], time: Self.epoch + 99))
            tree.put("a", .link("b", time: 5))
            var other = SystemTree(entries: [:], epoch: Self.epoch)
            other.put("a", .link("b", time: 5))
            other.put("b/c", .file([1], time: Self.epoch + 12345))
            try tree.write(to: folder.appending("1"), source: Data())
            try other.write(to: folder.appending("2"), source: Data())
            #expect(
                FileManager.default.contents(atPath: folder.appending("1").string)
                    == FileManager.default.contents(atPath: folder.appending("2").string))
            #expect(try TarReader(folder.appending("1")).entries()["b/c"]?.time == Self.epoch)
        }
    }

    @Test("a profile is applied: accounts, units, links, modes, files, and what is left out")
    func applies() async throws {
        try await withFolder { folder in
            let trees = folder.appending("files")
            try FileManager.default.createDirectory(
                atPath: trees.appending("core/lib/x").string, withIntermediateDirectories: true)
            try Data("#!".utf8).write(to: URL(filePath: trees.appending("core/lib/x/tool").string))
            try FileManager.default.setAttributes(
                [.posixPermissions: 0o700], ofItemAtPath: trees.appending("core/lib/x/tool").string)
            var tree = SystemTree(entries: [:], epoch: Self.epoch)
            tree.put("lib", .link("usr/lib", time: 1))
            tree.put("etc/passwd", .file(Array("root:x:0:0:root:/root:/bin/bash\n".utf8), time: 1))
            tree.put("etc/group", .file(Array("root:x:0:\nshadow:x:42:\naudio:x:29:pulse\n".utf8), time: 1))
            tree.put("etc/shadow", .file(Array("root:*:20000:0:99999:7:::\n".utf8), time: 1))
            tree.put("etc/gshadow", .file(Array("audio:*::pulse\n".utf8), time: 1))
            tree.put("etc/skel/.profile", .file([1], time: 1))
            tree.put("usr/share/man/man1/ls.1", .file([1], time: 1))
            tree.put("usr/lib/systemd/system/getty@.service", .file([], time: 1))
            tree.put("dev/null", .file([], time: 1))
            let yaml = """
                name: core
                suite: trixie
                packages: [tor]
                files: [core]
                exclude: [{path: /usr/share/man/**, reason: r}, {path: /not/there, reason: r}]
                users: [{name: user, uid: 1000, gid: 1000, home: /home/user, shell: /bin/bash, groups: [audio]}]
                enable: [{unit: getty@tty1.service, wantedBy: getty.target}]
                mask: [{unit: nftables.service, reason: r}]
                links: [{path: /etc/l, target: x}]
                modes: [{path: /lib/x/tool, mode: "4750", group: audio}]
                defaultTarget: multi-user.target
                """
            let profile = try DataFile.decode(Profile.self, from: yaml, named: "core.yaml")
            let hardening = try DataFile.decode(
                Hardening.self, from: "kernelCommandLine: []\nsysctls: [{key: kernel.x, value: 1, reason: why}]",
                named: "h")
            let unused = try tree.apply(
                profile, hardening: hardening, firewall: FirewallTests.shipped(), programs: trees, trees: trees,
                source: Data(), version: "1.2")
            #expect(unused.map(\.path.value) == ["/not/there"])
            func text(_ path: String) -> String? {
                tree.bytes(of: path, in: Data()).map { String(decoding: $0, as: UTF8.self) }
            }
            #expect(text("etc/passwd")?.contains("user:x:1000:1000::/home/user:/bin/bash") == true)
            #expect(text("etc/group")?.contains("audio:x:29:pulse,user") == true)
            #expect(text("etc/shadow") == "root:*::0:99999:7:::\nuser:!::0:99999:7:::\n")
            #expect(tree.entries["etc/shadow"]?.mode == 0o640 && tree.entries["etc/shadow"]?.gid == 42)
            #expect(tree.entries["home/user/.profile"]?.uid == 1000)
            #expect(tree.entries["usr/share/man/man1/ls.1"] == nil && tree.entries["dev/null"] == nil)
            #expect(
                tree.entries["etc/systemd/system/getty.target.wants/getty@tty1.service"]?.kind
                    == .link("/usr/lib/systemd/system/getty@.service"))
            #expect(tree.entries["etc/systemd/system/nftables.service"]?.kind == .link("/dev/null"))
            #expect(text("usr/lib/sysctl.d/60-needletail.conf")?.contains("# why\nkernel.x = 1\n") == true)
            // Through the link /lib, as in a merged-usr system, with the profile's mode and not the checkout's.
            #expect(tree.entries["usr/lib/x/tool"]?.mode == 0o4750 && tree.entries["usr/lib/x/tool"]?.gid == 29)
            #expect(text("usr/lib/os-release")?.contains("IMAGE_VERSION=1.2\n") == true)
        }
    }

    @Test(
        "a profile that names what the image does not have is refused",
        arguments: [
            "enable: [{unit: nothing.service, wantedBy: a.target}]", "modes: [{path: /nothing, mode: \"0600\"}]",
            "users: [{name: u, uid: 1, gid: 1, home: /h, shell: /s, groups: [nobody-has-it]}]", "files: [not-there]",
        ])
    func refuses(line: String) throws {
        let profile = try DataFile.decode(Profile.self, from: DataFileTests.good + "\n" + line, named: "core.yaml")
        let hardening = try DataFile.decode(Hardening.self, from: "kernelCommandLine: []\nsysctls: []", named: "h")
        var tree = SystemTree(entries: [:], epoch: 1)
        #expect(throws: SystemTreeError.self) {
            try tree.apply(
                profile, hardening: hardening, firewall: FirewallTests.shipped(), programs: "/does/not/exist",
                trees: "/does/not/exist", source: Data(),
                version: "1")
        }
    }
}
