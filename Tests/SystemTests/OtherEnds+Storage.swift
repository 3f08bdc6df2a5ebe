// SPDX-License-Identifier: GPL-3.0-or-later
import Commands
import Foundation
import SystemPackage
import Testbed
import Testing

/// What an emergency leaves of an encrypted file system that is open. The maker's own e2fsck and debugfs judge.
extension SystemTests.OtherEnds {
    private static let megabytes = 32

    @Test("in an emergency open encrypted storage stays as after a power cut: whole, with all that was written out")
    func openStorage() async throws {
        let image = try ShippedImage.find()
        try await withWork { work in
            let stick = work.appending("storage.img")
            try await makeStick(stick)
            let planter = try await Planter(source: ShippedImage.planter, program: work.appending("planter"))
            let key = (0..<32).map { _ in UInt8.random(in: 0...255) }
            var description = MachineDescription(memory: 768)
            description.translationCache = Examination.translationCache
            description.drives = [Drive("medium", image: image.stick, as: .usb(.xhci), bootOrder: 0)]
            description.reboots = false

            let saved = try await withMachine(description, work: work) { machine in
                let clear = try await open(stick, key: key, planter, on: machine)
                let written = try await writeWithoutEnd(to: clear, on: machine.shell)
                try await machine.execute("device_del", ["id": "medium"])
                #expect(try await machine.waitForPowerOff(within: .seconds(60)) == .poweredOff)
                return written
            }
            // A session later, as its owner would: opened, and here taken out as it is, for others to look at.
            try await withMachine(description, work: work) { machine in
                let clear = try await open(stick, key: key, planter, on: machine)
                try await machine.shell.output(
                    "cat \(clear) > $(readlink -f \(Self.part(1))) && sync", timeout: .seconds(60))
            }
            try await judge(stick, saved: saved, work: work)
        }
    }

    /// A stick whose first partition holds an empty file system, and whose second is for the encrypted one.
    private func makeStick(_ path: FilePath) async throws {
        let sectors = Self.megabytes << 11
        _ = try await Command("truncate", ["-s", "\(2 * Self.megabytes + 2)M", path.string]).output()
        _ = try await Command("sfdisk", ["--quiet", "--no-reread", path.string]).output(
            input: "label: gpt\nstart=2048, size=\(sectors)\nstart=\(2048 + sectors), size=\(sectors)\n")
        _ = try await Command(
            "mkfs.ext4", ["-q", "-F", "-m", "0", "-E", "offset=1048576", path.string, "\(Self.megabytes)M"]
        ).output()
    }

    private static func part(_ number: Int) -> String { "/dev/disk/by-id/usb-*STORAGE*-part\(number)" }

    /// Plugs the stick in once the session is there, and opens its second partition.
    private func open(_ stick: FilePath, key: [UInt8], _ planter: Planter, on machine: Machine) async throws -> String {
        try await machine.shell.waitUntilReady(within: .seconds(180))
        try await machine.plug(Drive("storage", image: stick, as: .usb(.xhci), writes: .kept, serial: "STORAGE"))
        let messages = "dmesg | tail -n 20"
        try await machine.shell.expect("The stick", by: "ls \(Self.part(2))", otherwiseShow: messages)
        let device = try await machine.shell.output("readlink -f \(Self.part(2))")
        let clear = try await planter.openEncrypted(device, key: key, in: machine.shell)
        try await machine.shell.expect("The storage", by: "ls \(clear)", otherwiseShow: messages)
        return clear
    }

    /// Lets files be written and written out, one after the other, until the end.
    ///
    /// - Returns: How many are written out for certain.
    private func writeWithoutEnd(to clear: String, on shell: GuestShell) async throws -> Int {
        try await shell.output(
            """
            cat \(Self.part(1)) > \(clear) && modprobe -q ext4; mkdir /run/storage && mount -t ext4 \(clear) /run/storage
            (n=0; while [ $n -lt 3000 ]; do n=$((n+1)); seq $n $((n+999)) > /run/storage/$n && sync /run/storage/$n \\
            && echo $n > /run/saved.new && mv /run/saved.new /run/saved; done) </dev/null >/dev/null 2>&1 &
            """, timeout: .seconds(90))
        try await shell.expect(
            "Twenty files", by: "[ $(cat /run/saved) -ge 20 ]", otherwiseShow: "cat /run/saved; dmesg | tail -n 20")
        return try #require(Int(try await shell.output("cat /run/saved")))
    }

    private func judge(_ stick: FilePath, saved: Int, work: FilePath) async throws {
        let content = work.appending("content")
        _ = try await Command(
            "dd",
            [
                "if=\(stick)", "of=\(content)", "bs=1M", "skip=1", "count=\(Self.megabytes)", "conv=sparse",
                "status=none",
            ]
        ).output()
        // Nothing was tidied up: the journal still has to be replayed, as after a power cut.
        let header = try await Command("dumpe2fs", ["-h", content.string]).output()
        #expect(header.contains("needs_recovery"), "\(header)")
        // 1: what a journal leaves to do, and is always done by itself.
        let preen = try await e2fsck("-fp", content)
        #expect(preen.hasSuffix("status 0\n") || preen.hasSuffix("status 1\n"), "\(preen)")
        let check = try await e2fsck("-fn", content)
        #expect(check.hasSuffix("status 0\n"), "\(check)")

        let files = work.appending("files")
        try FileManager.default.createDirectory(atPath: files.string, withIntermediateDirectories: true)
        _ = try await Command("debugfs", ["-R", "rdump / \(files)", content.string]).output()
        let lost = (1...saved).filter { number in
            let expected = (number..<number + 1000).map { "\($0)\n" }.joined()
            return (try? String(contentsOfFile: files.appending("\(number)").string, encoding: .utf8)) != expected
        }
        print("  \(saved) files written out, \(lost.count) of them lost")
        #expect(lost.isEmpty)

        // The anti-test: an inode that was not written is noticed.
        _ = try await Command("debugfs", ["-w", "-R", "clri /5", content.string]).output()
        let damaged = try await e2fsck("-fn", content)
        #expect(damaged.hasSuffix("status 4\n"), "\(damaged)")
    }

    /// What e2fsck says, and its exit status as the last line. See `man 8 e2fsck`.
    private func e2fsck(_ options: String, _ content: FilePath) async throws -> String {
        try await Command("sh", ["-c", "e2fsck \"$0\" \"$1\"; echo \"status $?\"", options, content.string]).output()
    }
}
