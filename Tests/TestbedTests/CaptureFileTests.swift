// SPDX-License-Identifier: GPL-3.0-or-later
import Commands
import Foundation
import SystemPackage
import Testing

@testable import Testbed

@Suite("Capture files")
struct CaptureFileTests {
    /// The same two frames in each of the four forms of the format.
    static func file(little: Bool, nanoseconds: Bool, link: UInt32 = 1, lengths: [UInt32] = [60, 60]) -> [UInt8] {
        func word(_ value: UInt32) -> [UInt8] {
            let big = [24, 16, 8, 0].map { UInt8(value >> UInt32($0) & 255) }
            return little ? big.reversed() : big
        }
        let version: [UInt8] = little ? [2, 0, 4, 0] : [0, 2, 0, 4]
        var bytes =
            word(nanoseconds ? 0xA1B2_3C4D : 0xA1B2_C3D4) + version + word(0) + word(0) + word(65535) + word(link)
        for (index, length) in lengths.enumerated() {
            bytes += word(1000 + UInt32(index)) + word(7) + word(length) + word(60)
            bytes += [UInt8](repeating: UInt8(index), count: 60)
        }
        return bytes
    }

    @Test("all four forms of the format are read", arguments: [true, false], [true, false])
    func forms(little: Bool, nanoseconds: Bool) throws {
        let file = try PcapFile(Self.file(little: little, nanoseconds: nanoseconds))
        #expect(!file.isCut)
        #expect(file.frames.map(\.bytes.count) == [60, 60])
        #expect(file.frames[1].nanoseconds == 1001 * 1_000_000_000 + (nanoseconds ? 7 : 7000))
    }

    @Test("a file that is no capture of Ethernet is an error that says why")
    func wrongFiles() {
        let good = Self.file(little: true, nanoseconds: false)
        let wrong: [(bytes: [UInt8], words: String)] = [
            ([], "no header"), (Array(good.prefix(20)), "cut"), (Array("#!/bin/sh and more".utf8), "does not begin"),
            ([0x0A, 0x0D, 0x0D, 0x0A, 0, 0, 0, 28], "pcapng"),
            (Self.file(little: true, nanoseconds: false, link: 113), "link type 113"),
            (Self.file(little: true, nanoseconds: false, lengths: [60, 0xFFFF_FFFF]), "after 1 frames"),
        ]
        for (bytes, words) in wrong {
            let error = #expect(throws: PcapError.self) { try PcapFile(bytes, name: "x.pcap") }
            #expect(error?.description.contains(words) == true)
            #expect(error?.description.contains("x.pcap") == true)
        }
    }

    @Test("a file cut at any byte gives the whole frames before the cut, and says that it is cut")
    func cutAnywhere() throws {
        let bytes = Self.file(little: true, nanoseconds: true)
        for length in 24..<bytes.count {
            let file = try PcapFile(bytes.prefix(length))
            #expect(file.frames.count == (length - 24) / 76)
            #expect(file.isCut == ((length - 24) % 76 != 0))
        }
        let path = NSTemporaryDirectory() + "cut-\(UUID().uuidString).pcap"
        defer { try? FileManager.default.removeItem(atPath: path) }
        try Data(bytes.dropLast()).write(to: URL(fileURLWithPath: path))
        let verdict = try Judge(allowList: Craft.network()).verdict(onCapture: FilePath(path))
        #expect(verdict.findingsByKind[.captureIncomplete] == 1)
    }

    @Test("frames that were cut or flipped anywhere never stop the judge, and flipped leaks stay findings")
    func fuzz() throws {
        var numbers = FixedNumbers(state: 20_260)
        let leaks = (Leak.services + Leak.packets + Leak.dhcp).map(\.frame)
        let judge = Judge(
            allowList: Craft.network(), hardwareAddresses: [MACAddress("52:54:00:ab:cd:ef")!], words: ["margaret"])
        var mutated: [[UInt8]] = []
        for frame in leaks + Craft.good {
            for length in 0...min(frame.count, 120) { mutated.append(Array(frame.prefix(length))) }
            for _ in 0..<60 {
                var copy = frame
                for _ in 0..<Int.random(in: 1...4, using: &numbers) where !copy.isEmpty {
                    copy[Int.random(in: 0..<copy.count, using: &numbers)] = UInt8.random(in: 0...255, using: &numbers)
                }
                mutated.append(copy)
            }
        }
        let verdict = judge.verdict(on: Craft.capture(mutated))
        #expect(verdict.frames == mutated.count)
        // Each frame is allowed or has a finding: none is lost between.
        let guilty = Set(verdict.findings.map(\.nanoseconds)).count
        #expect(guilty + verdict.allowed.values.reduce(0, +) == mutated.count)

        let file = PcapFile.encode(Craft.capture(leaks))
        for _ in 0..<300 {
            var copy = file
            copy[Int.random(in: 0..<copy.count, using: &numbers)] ^=
                UInt8(1) << UInt8.random(in: 0..<8, using: &numbers)
            _ = try? PcapFile(copy.prefix(Int.random(in: 0...copy.count, using: &numbers)))
        }
    }

    @Test("tcpdump, which shares no code with the judge, counts the same frames")
    func independentCount() async throws {
        let frames = Craft.good + (Leak.services + Leak.packets + Leak.dhcp).map(\.frame)
        let path = NSTemporaryDirectory() + "count-\(UUID().uuidString).pcap"
        defer { try? FileManager.default.removeItem(atPath: path) }
        try Data(PcapFile.encode(Craft.capture(frames))).write(to: URL(fileURLWithPath: path))
        func count(_ filter: String) async throws -> Int {
            try await Command("tcpdump", ["-n", "-t", "-r", path, filter]).output(limit: 1 << 22)
                .split(separator: "\n").filter { !$0.hasPrefix("\t") && !$0.hasPrefix(" ") }.count
        }
        let verdict = try Judge(allowList: Craft.network()).verdict(onCapture: FilePath(path))
        #expect(verdict.frames == frames.count)
        #expect(try PcapFile(readingFrom: FilePath(path)).frames == Craft.capture(frames))
        let dns = try await count("(udp or tcp) and dst port 53")
        #expect(dns == verdict.findingsByKind[.dns])
        let lldp = try await count("ether proto 0x88cc")
        #expect(lldp == verdict.findingsByKind[.lldp])
        let fragments = try await count("ip[6:2] & 0x3fff != 0")
        #expect(fragments == verdict.findingsByKind[.fragment])
        let tagged = try await count("vlan")
        #expect(tagged == verdict.findingsByKind[.vlan])
        // Parses the same frames its own way: what it takes for allowed is at least what the judge does.
        let good = try await count(
            "arp or (udp and src port 68 and dst port 67) or (tcp and dst host 198.51.100.7 and dst port 9001)")
        #expect(good >= verdict.allowed.values.reduce(0, +))
    }

    @Test("a capture in a sandbox holds every frame the guest's side sent, from the first on, and no other")
    func liveCapture() async throws {
        let work = FilePath("/tmp/nt-cap-\(UUID().uuidString.prefix(8))")
        defer { try? FileManager.default.removeItem(atPath: work.string) }
        let sandbox = try await Sandbox.open(work: work)
        // A pair of interfaces stands for the guest: what "guest0" sends comes in on "tap0".
        for words in [
            ["link", "add", "tap0", "type", "veth", "peer", "name", "guest0"], ["link", "set", "tap0", "up"],
            ["netns", "add", "guest"], ["link", "set", "guest0", "netns", "guest"],
            ["addr", "add", "192.0.2.1/24", "dev", "tap0"],
        ] { _ = try await sandbox.command("ip", words).output() }
        let capture = try await FrameCapture(of: "tap0", in: sandbox)
        for words in [
            ["link", "set", "guest0", "address", "02:11:22:33:44:55", "up"],
            ["addr", "add", "192.0.2.57/24", "dev", "guest0"],
        ] { _ = try await sandbox.command("ip", words, in: "guest").output() }
        // The router answers: its frames must not be taken for the guest's.
        for _ in 0..<3 {
            let question = "exec 3>/dev/udp/192.0.2.1/53 && printf question >&3"
            _ = try await sandbox.command("bash", ["-c", question], in: "guest").output()
        }
        let recording = await capture.stop()
        await sandbox.close()
        #expect(recording.dropped == 0)
        let verdict = try Judge(allowList: Craft.network()).verdict(on: recording)
        #expect(verdict.findingsByKind[.dns] == 3, "\(verdict)")
        #expect(verdict.allowed["ARP", default: 0] >= 1)
        let answers = try PcapFile(readingFrom: recording.toGuest).frames
        #expect(answers.count >= 4)
    }
}
