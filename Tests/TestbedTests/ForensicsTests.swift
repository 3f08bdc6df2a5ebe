// SPDX-License-Identifier: GPL-3.0-or-later
import ByteScan
import Commands
import Foundation
import SystemPackage
import Testing

@testable import Testbed

@Suite("Forensics", .serialized)
struct ForensicsTests {
    static let source = FilePath(#filePath).removingLastComponent().removingLastComponent().appending("Planter")

    func withFolder<Value>(_ body: (FilePath) async throws -> Value) async throws -> Value {
        let folder = FilePath("/tmp/nt-forensics-\(UUID().uuidString.prefix(8))")
        try FileManager.default.createDirectory(atPath: folder.string, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder.string) }
        return try await body(folder)
    }

    // MARK: Planting and searching

    @Test(
        "what the planter writes to a file is counted record by record, and a marker that was not planted is not there")
    func plantedInFile() async throws {
        try await withFolder { folder in
            let planter = try await Planter(source: Self.source, program: folder.appending("planter"))
            let path = folder.appending("planted")
            let crops = [Crop(.file, "disk", count: 10_001, path: path.string), Crop(.heap, count: 10)]
            // The one that has the file open stays behind.
            defer { for holder in (try? Self.processes(of: planter.program)) ?? [] { kill(holder, SIGKILL) } }
            let text = try await Command(planter.program.string, ["plant"]).output(input: crops[0].line + "\n")
            #expect(try Planter.results(in: text) == [Planter.Planted(name: "disk", count: 10_001, trouble: nil)])
            let findings = try MemorySearch(crops: crops).findings(in: [path])
            let tally = try #require(findings.crops["disk"])
            #expect(tally.whole == 10_001 && tally.numbers == 10_001 && tally.fragments == 0)
            #expect(findings.crops["heap"]?.isEmpty == true && !findings.isClean)
            #expect(findings.planted == 10_001 && findings.known == 0)
        }
    }

    @Test("what the planter holds is found in the memory of its processes, of every kind that lies there")
    func plantedInProcesses() async throws {
        try await withFolder { folder in
            let planter = try await Planter(source: Self.source, program: folder.appending("planter"))
            // Not what outlives its process: it would stay behind on this machine.
            let methods: [Crop.Method] = [
                .heap, .stack, .mapping, .locked, .stopped, .stubborn, .arguments, .environment,
            ]
            let crops = methods.map { Crop($0, count: 1000) }
            let text = try await Command(planter.program.string, ["plant"]).output(
                input: crops.map(\.line).joined(separator: "\n") + "\n")
            let holders = try Self.processes(of: planter.program)
            defer { for holder in holders { kill(holder, SIGKILL) } }
            let planted = try Planter.results(in: text)
            #expect(planted.allSatisfy { $0.count == 1000 && $0.trouble == nil }, "\(planted)")
            #expect(holders.count == methods.count)
            let dumps = try holders.enumerated().map { index, holder in
                try Self.dump(holder, to: folder.appending("dump-\(index)"))
            }
            let findings = try MemorySearch(crops: crops).findings(in: dumps)
            for crop in crops {
                #expect(findings.crops[crop.name]?.numbers == 1000, "\(crop.name): \(findings)")
            }
        }
    }

    @Test("a planter that did not come to its end is an error")
    func reading() throws {
        #expect(throws: ForensicsFailure.self) { try Planter.results(in: "planted\theap\t5\n") }
        let text = "planted\theap\t5\nodd line\nfailed\tkey\t3\tEDQUOT\nend\n"
        #expect(
            try Planter.results(in: text) == [
                Planter.Planted(name: "heap", count: 5, trouble: nil),
                Planter.Planted(name: "key", count: 3, trouble: "EDQUOT"),
            ])
    }

    @Test("markers are never the same, and have nothing in them that a name or a line cannot have")
    func markers() {
        let crops = Crop.everyKind(records: 6_300_000, stick: "/a", vault: "/b")
        #expect(Set(crops.map(\.marker)).count == crops.count && Set(crops.map(\.name)).count == crops.count)
        #expect(crops.allSatisfy { $0.marker.wholeMatch(of: #/[A-Za-z0-9]{56}/#) != nil })
        #expect(crops.reduce(0) { $0 + $1.count } >= 6_000_000)
        #expect(Set(crops.map(\.method)).count == Crop.Method.allCases.count, "A kind is planted by nobody.")
        #expect(crops.allSatisfy { $0.name.utf8.count < 48 && ($0.path?.utf8.count ?? 0) < 256 })
    }

    @Test("artefacts are found: both halves of a key, an address in two spellings, a relay's name")
    func artefacts() async throws {
        let key = (0..<32).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ 11) }
        let page = "visited-\(UUID().uuidString)"
        let fingerprint = "0123456789ABCDEF0123456789ABCDEF01234567"
        let artefacts = Artefact.diskKey(key) + [.text("URL", page)] + Artefact.relay(fingerprint)
        #expect(Artefact.relay("no fingerprint").isEmpty)
        try await withFolder { folder in
            var bytes = [UInt8](repeating: 0, count: 100_000)
            bytes.replaceSubrange(5001..<5017, with: key[16...])
            bytes.replaceSubrange(70_000..<70_008, with: key[3..<11])
            let wide: [UInt8] = page.utf8.flatMap { [$0, 0] as [UInt8] }
            bytes.replaceSubrange(20_002..<20_002 + wide.count, with: wide)
            bytes.replaceSubrange(30_003..<30_043, with: Array(fingerprint.utf8))
            let path = folder.appending("dump")
            try Data(bytes).write(to: URL(fileURLWithPath: path.string))
            let findings = try MemorySearch(crops: [], artefacts: artefacts).findings(in: [path])
            #expect(findings.artefacts["disk key"]?.whole == 1 && findings.artefacts["disk key"]?.fragments == 1)
            #expect(findings.artefacts["URL"]?.whole == 1)
            #expect(findings.artefacts["relay of a circuit"]?.whole == 1)
            #expect(findings.known == 4 && findings.planted == 0)
            try Data(count: 100_000).write(to: URL(fileURLWithPath: path.string))
            #expect(try MemorySearch(crops: [], artefacts: artefacts).findings(in: [path]).isClean)
        }
    }

    // MARK: Disks

    @Test("the disks are what other tools take them for, and a changed sector is named by its place")
    func disks() async throws {
        try await withFolder { folder in
            let set = try await DiskSet(in: folder, buses: [.sata])
            let disk = set.disks[0]
            #expect(try set.changes().sectors == 0)
            let kinds = [
                "ext4-dirty": "ext4", "btrfs": "btrfs", "xfs": "xfs", "ntfs-hibernated": "ntfs", "fat": "vfat",
                "swap": "swap", "swap-hibernated": "swsuspend", "lvm": "LVM2_member", "luks": "crypto_LUKS",
                "raid-degraded": "linux_raid_member", "efi-system": "vfat",
            ]
            #expect(kinds.count == DiskContent.allCases.count)
            for part in disk.parts {
                guard let kind = kinds[part.name] else { continue }
                let text = try await Command(
                    "blkid",
                    [
                        "--probe", "--output", "value", "--match-tag", "TYPE", "--offset",
                        "\(part.sectors.lowerBound * 512)", "--size", "\(part.sectors.count * 512)", disk.image.string,
                    ]
                ).output()
                #expect(text.trimmingCharacters(in: .whitespacesAndNewlines) == kind, "\(part.name)")
            }
            let xfs = try #require(disk.parts.first { $0.name == "xfs" })
            let file = try FileDescriptor.open(disk.image, .readWrite)
            for sector in [0, xfs.sectors.lowerBound + 100, xfs.sectors.lowerBound + 101] {
                try file.writeAll(toAbsoluteOffset: Int64(sector * 512 + 300), [0xA5])
            }
            try file.close()
            let changes = try set.changes()
            #expect(changes.sectors == 3)
            #expect(
                changes.sentences == ["sata: sector 0 of the table", "sata: sectors 100 to 101 of xfs"])
        }
    }

    @Test("what stands on the disks waits to be written to: a journal, a sleeping Windows, a sleeping Linux")
    func temptations() async throws {
        try await withFolder { folder in
            func make(_ content: DiskContent) async throws -> String {
                let path = folder.appending(content.rawValue)
                try await content.make(at: path, work: folder)
                return path.string
            }
            let header = try await Command("dumpe2fs", ["-h", make(.ext4DirtyJournal)]).output()
            #expect(header.contains("needs_recovery"), "\(header)")
            // 14: Windows is hibernated. See: 'man 8 ntfs-3g.probe'.
            let windows = try await make(.ntfsHibernated)
            let probe = try await Command(
                "sh", ["-c", "ntfs-3g.probe --readwrite \"$0\" 2>&1; echo \"status $?\"", windows]
            ).output()
            #expect(probe.contains("status 14"), "\(probe)")
            let swap = try await make(.swapHibernated)
            let signature = try await Command("dd", ["if=\(swap)", "bs=1", "skip=4086", "count=9", "status=none"])
                .output()
            #expect(signature == "S1SUSPEND")
        }
    }

    @Test("another copy of the system has encrypted storage behind it")
    func otherCopy() async throws {
        try await withFolder { folder in
            let stick = folder.appending("stick.img")
            _ = try await Command("truncate", ["-s", "9M", stick.string]).output()
            _ = try await Command("sfdisk", ["--quiet", "--no-reread", stick.string]).output(
                input: "label: gpt\nstart=2048, size=2048, name=system\n")
            let disk = try #require(
                try await DiskSet(in: folder.appending("disks"), buses: [], copyOf: stick).disks.first)
            let table = try await Command("sfdisk", ["--dump", disk.image.string]).output()
            #expect(table.contains("name=\"system\"") && table.contains("name=\"storage\""), "\(table)")
            let storage = try #require(disk.parts.first { $0.name == "the storage" })
            let kind = try await Command(
                "blkid",
                [
                    "--probe", "--output", "value", "--match-tag", "TYPE", "--offset",
                    "\(storage.sectors.lowerBound * 512)", disk.image.string,
                ]
            ).output()
            #expect(kind.trimmingCharacters(in: .whitespacesAndNewlines) == "crypto_LUKS")
            #expect(try disk.changes().isEmpty)
        }
    }

    @Test("what an emergency has noted in the kernel's log is read from a dump, and nothing that only looks like it")
    func emergencyLog() async throws {
        try await withFolder { folder in
            var bytes = [UInt8](repeating: 0x55, count: 3_000_000)
            func put(_ text: String, at place: Int) {
                bytes.replaceSubrange(place..<place + text.utf8.count, with: text.utf8)
            }
            put("needletail: emergency: dark after (ms) 212\n", at: 5001)
            put("needletail: emergency: %.*s %lld\n", at: 9000)
            put("needletail: emergency: keys gone after (ms) 31\nneedletail: emergency: 7", at: 2_000_003)
            put("needletail: emergency: wiped after (ms) 12", at: 3_000_000 - 42)
            let path = folder.appending("dump")
            try Data(bytes).write(to: URL(fileURLWithPath: path.string))
            let log = try MemoryDump(memory: path, video: nil).emergencyLog()
            #expect(log == ["dark after (ms)": 212, "keys gone after (ms)": 31, "wiped after (ms)": 12])
        }
    }

    @Test("the stick that is plugged in has a file system, in which an empty one for the encrypted part lies")
    func stick() async throws {
        try await withFolder { folder in
            let stick = folder.appending("stick.img")
            try await Examination.makeStick(at: stick, label: "a label")
            let table = try await Command("sfdisk", ["--dump", stick.string]).output()
            #expect(table.contains("start=        2048, size=       65536") && table.contains("start=       67584"))
            let part = folder.appending("part")
            _ = try await Command(
                "dd", ["if=\(stick)", "of=\(part)", "bs=1M", "skip=1", "count=32", "conv=sparse", "status=none"]
            ).output()
            let inner = folder.appending("inner")
            _ = try await Command("debugfs", ["-R", "dump /empty \(inner)", part.string]).output()
            for path in [part, inner] { _ = try await Command("e2fsck", ["-f", "-n", path.string]).output() }
            let left = try FileManager.default.contentsOfDirectory(atPath: folder.string)
            #expect(Set(left) == ["stick.img", "part", "inner"])
        }
    }

    @Test("a disk on USB says that it is fixed, and a stick that it can be taken out")
    func fixedDisk() {
        let arguments = MachineArguments(
            description: MachineDescription(memory: 64), files: MachineFiles(folder: "/nowhere"), firmware: nil)
        let disk = arguments.device(for: Drive("disk", image: "/disk", as: .usbDisk(.xhci)))
        #expect(disk["removable"] == .bool(false) && disk["bus"] == "xhci.0")
        let stick = arguments.device(for: Drive("stick", image: "/stick", as: .usb(.xhci)))
        #expect(stick["removable"] == .bool(true))
    }

    // MARK: Firmware

    @Test("the firmware's variables are read from its flash memory, and a changed, a new and a lost one are named")
    func firmwareVariables() throws {
        let files = try #require(try FirmwareFiles.find(.uefiSecureBoot))
        let bytes = Array(try Data(contentsOf: URL(fileURLWithPath: files.variables.string)))
        let variables = try FirmwareVariables(parsing: bytes)
        let names = Set(variables.values.keys.map(\.name))
        #expect(names.isSuperset(of: ["PK", "KEK", "db"]), "\(names)")
        #expect(variables.changes(to: variables).isEmpty)
        // A byte of the content of PK; its name is in UTF-16, and a zero follows.
        let mark: [UInt8] = [0x50, 0, 0x4B, 0, 0, 0]
        let place = try #require(bytes.indices.first { Array(bytes[$0..<min($0 + 6, bytes.count)]) == mark })
        var changed = bytes
        changed[place + 40] ^= 1
        #expect(variables.changes(to: try FirmwareVariables(parsing: changed)).map(\.name) == ["PK"])
        // Deleted: its state is 60 bytes and its own name before; see the header's layout.
        changed = bytes
        changed[place - 60 + 2] &= 0xFD
        let lost = try FirmwareVariables(parsing: changed)
        #expect(variables.changes(to: lost).map(\.name) == ["PK"] && lost.changes(to: variables).map(\.name) == ["PK"])
        #expect(throws: ForensicsFailure.self) { try FirmwareVariables(parsing: [1, 2, 3]) }
        #expect(throws: ForensicsFailure.self) { try FirmwareVariables(parsing: Array(bytes.prefix(200))) }
    }

    @Test("every way to end has its own name, and can be asked for by it")
    func endings() {
        #expect(Set(Ending.all.map(\.name)).count == Ending.all.count)
        for ending in Ending.all { #expect(Ending.named(ending.name) == ending) }
        #expect(Ending.named("no such end") == nil)
    }

    // MARK: Processes

    static func processes(of program: FilePath) throws -> [pid_t] {
        try FileManager.default.contentsOfDirectory(atPath: "/proc").compactMap { pid_t($0) }.filter {
            (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\($0)/exe")) == program.string
        }
    }

    /// Writes all that a process can read of its own memory to a file.
    static func dump(_ process: pid_t, to path: FilePath) throws -> FilePath {
        let memory = try FileDescriptor.open("/proc/\(process)/mem", .readOnly)
        defer { try? memory.close() }
        let output = try FileDescriptor.open(
            path, .writeOnly, options: [.create, .truncate], permissions: .ownerReadWrite)
        defer { try? output.close() }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 16)
        defer { buffer.deallocate() }
        let maps = try String(contentsOfFile: "/proc/\(process)/maps", encoding: .utf8)
        for line in maps.split(separator: "\n") where line.contains(" rw") {
            let ends = line.prefix { $0 != " " }.split(separator: "-").compactMap { Int($0, radix: 16) }
            guard ends.count == 2 else { continue }
            var place = ends[0]
            while place < ends[1] {
                let piece = UnsafeMutableRawBufferPointer(rebasing: buffer[..<min(buffer.count, ends[1] - place)])
                guard let count = try? memory.read(fromAbsoluteOffset: Int64(place), into: piece), count > 0 else {
                    break
                }
                try output.writeAll(UnsafeRawBufferPointer(rebasing: piece[..<count]))
                place += count
            }
        }
        return path
    }
}
