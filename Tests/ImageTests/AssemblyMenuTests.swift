// SPDX-License-Identifier: GPL-3.0-or-later
import Foundation
import Testing

@testable import Image

@Suite struct AssemblyMenuTests {
    static let bootFiles = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "image/boot")

    static func menu(_ words: [String] = ["lockdown=confidentiality", "panic=5"]) throws -> String {
        try BootMenu(version: "0.1.0", kernelCommandLine: words, system: "0123")
            .render(String(contentsOf: bootFiles.appending(path: "grub.cfg.in"), encoding: .utf8))
    }

    /// The lines of the menu that begin with a command, without the command.
    static func lines(_ command: String, in menu: String) -> [String] {
        menu.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
            .filter { $0.hasPrefix(command + " ") }.map { String($0.dropFirst(command.count + 1)) }
    }

    @Test func placeholdersAreFilledIn() throws {
        let menu = try BootMenu(version: "1.2~rc1", kernelCommandLine: ["a=1", "b"], system: "0123-45")
        #expect(
            try menu.render("# @version@\nmenuentry @title@ {\n  linux /k @options@ quiet # @system@\n}\n")
                == "# 1.2~rc1\nmenuentry 'Needletail 1.2~rc1' {\n  linux /k a=1 b quiet # 0123-45\n}\n")
    }

    @Test func anUnknownPlaceholderIsNamedWithItsLine() throws {
        let menu = try BootMenu(version: "1", kernelCommandLine: [], system: "0")
        #expect(throws: MediaFailure.placeholder("nothing", line: 2)) { try menu.render("a\nb @nothing@ c") }
        #expect(throws: MediaFailure.placeholder("version", line: 1)) { try menu.render("half a @version") }
    }

    @Test(arguments: ["a=$b", "a;b", "a*", "a&b", "x={y}", "a|b", "<a>", "#a", "[a]", "a!", "a(b)", "a~b", "a?"])
    func wordsThatMeanSomethingToGRUBAreQuoted(word: String) throws {
        #expect(try BootMenu.scriptWord(word) == "'\(word)'")
    }

    @Test(arguments: ["quiet", "console=ttyS0,115200", "a.b-c=/d_e:f", "x+y%"])
    func plainWordsStayAsTheyAre(word: String) throws {
        #expect(try BootMenu.scriptWord(word) == word)
    }

    @Test(arguments: ["", "a b", "a\tb", "a\nb", "it's", "say=\"x\"", "a\\b", "größe", "a\u{7f}"])
    func wordsThatGRUBWouldChangeAreRefused(word: String) {
        #expect(throws: MediaFailure.kernelWord(word)) { try BootMenu.scriptWord(word) }
        #expect(throws: MediaFailure.kernelWord(word)) {
            try BootMenu(version: "1", kernelCommandLine: ["ok", word], system: "0")
        }
    }

    @Test(arguments: ["", "1'2", "1\n2", "1 2", "$x", String(repeating: "1", count: 41)])
    func versionsThatWouldBreakTheMenuAreRefused(version: String) {
        #expect(throws: MediaFailure.version(version)) {
            try BootMenu(version: version, kernelCommandLine: [], system: "0")
        }
    }

    @Test func everyEntryHasTheCommonWordsAndItsOwn() throws {
        let kernels = Self.lines("linux", in: try Self.menu()).filter { $0.hasPrefix("/needletail/vmlinuz") }
        let common = "/needletail/vmlinuz lockdown=confidentiality panic=5"
        #expect(
            kernels == [
                "\(common) needletail.connect=direct quiet usb_storage.delay_use=250ms",
                "\(common) needletail.connect=ask quiet usb_storage.delay_use=250ms",
                "\(common) needletail.connect=direct quiet usb_storage.delay_use=250ms needletail.admin",
                "\(common) needletail.connect=direct needletail.verbose console=ttyS0,115200 console=tty0 nomodeset systemd.show_status=1",
                "\(common) needletail.connect=direct quiet usb_storage.delay_use=250ms needletail.toram",
            ])
    }

    @Test func whatTheMenuStartsIsOnTheMedium() throws {
        let menu = try Self.menu()
        let named = Set(
            ["linux", "initrd", "chainloader"].flatMap { Self.lines($0, in: menu) }
                .compactMap { $0.split(separator: " ").first.map { String($0.dropFirst()) } })
        let root = BuildRoot(root: "/root", epoch: 0)
        let parts = MediaParts(
            version: "1", kernel: "/k", initramfs: "/i", systemImage: "/s", systemPartition: .zero,
            kernelCommandLine: [], memoryTest: .init(in: root), bootFiles: "/b")
        let present = MediaAssembly(buildRoot: root, parts: parts, work: "/w", log: "/l").needletailFiles.map(\.path)
        #expect(named == Set(present))
    }

    @Test func eachKeyStartsOneEntryOnEachPlatform() throws {
        var keys: [String: Set<String>] = [:]
        for entry in Self.lines("menuentry", in: try Self.menu()) {
            let words = entry.split(separator: " ").map(String.init)
            guard let key = words.firstIndex(of: "--hotkey").map({ words[$0 + 1] }),
                let id = words.firstIndex(of: "--id").map({ words[$0 + 1] })
            else { continue }
            #expect(entry.contains("[\(key)]'"), "the title of \(id) shows its key")
            keys[key, default: []].insert(id)
        }
        // The memory test is there three times, for three kinds of firmware, under one name and one key.
        #expect(
            keys == [
                "a": ["admin"], "b": ["choose"], "s": ["verbose"], "t": ["toram"], "m": ["memtest"], "f": ["firmware"],
                "o": ["off"],
            ])
    }

    /// A key that GRUB's menu uses itself never starts an entry (`run_menu` in `grub-core/normal/menu.c`): seen with v, which
    /// moves down.
    @Test func noEntryHasAKeyThatGRUBKeepsForItself() throws {
        for entry in Self.lines("menuentry", in: try Self.menu()) {
            #expect(!["c", "e", "v", "^"].contains { entry.contains("--hotkey \($0) ") }, "\(entry)")
        }
    }

    @Test func textsFitTheScreenOfABIOS() throws {
        for entry in Self.lines("menuentry", in: try Self.menu()) {
            let title = entry.split(separator: "'")[0]
            // Of 80 columns GRUB takes six for the frame, the mark and the margin.
            #expect(title.utf8.count <= 74 && title.utf8.allSatisfy { $0 < 0x80 }, "\(title)")
        }
    }
}
