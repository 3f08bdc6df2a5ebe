// SPDX-License-Identifier: GPL-3.0-or-later
import Foundation
import Linux
import Sockets
import Synchronization
import Testing
import Varlink

@testable import DiskService
@testable import Disks

/// A service for a loop device in place of a disk, with a password that the test decides on.
@Suite("Disks for the user", .serialized, .enabled(if: getuid() == 0))
struct DiskServiceTests {
    final class Authority: PasswordAuthority {
        let hasPassword: Bool
        let confirmed = Mutex<Set<String>>([])
        let count = Mutex(0)

        init(hasPassword: Bool) { self.hasPassword = hasPassword }

        func prepare(user: UInt32) async throws -> String? {
            hasPassword
                ? count.withLock {
                    $0 += 1
                    return "ticket-\($0)"
                } : nil
        }

        func isConfirmed(_ ticket: String) async throws -> Bool { confirmed.withLock { $0.remove(ticket) != nil } }
    }

    final class Counter: Sendable { let value = Mutex<UInt64>(0) }

    struct Setting {
        let client: VarlinkClient
        let authority: Authority
        let name: String
        let folder: String
        /// What is added to the kernel's number of the disk: with 1 it is another one of the same name.
        let shift: Counter

        var disks: DiskFolder { DiskFolder(path: "\(folder)/disks", sequence: sequence) }
        var sequence: @Sendable (String) -> UInt64? {
            { [name, shift] in $0 == name ? DiskSequence.of($0).map { $0 + shift.value.withLock { $0 } } : nil }
        }

        var disk: Disk {
            Disk(
                name: name, bus: .ata, isRemovable: false, size: 8 << 20, model: "Test disk", location: .init(),
                path: FileTree.resolved("/sys/block/\(name)") ?? "")
        }

        func question(_ change: (inout DisksInterface.Question) -> Void = { _ in }) -> DisksInterface.Question {
            var question = DisksInterface.Question(name: name, model: "Test disk", serial: disk.serial, size: 8 << 20)
            change(&question)
            return question
        }

        func refusal(_ method: String, _ parameters: some Codable & Sendable) async -> String? {
            do {
                try await client.call("org.needletail.Disks.\(method)", parameters)
                return nil
            } catch { return (error as? VarlinkError)?.name.split(separator: ".").last.map(String.init) ?? "\(error)" }
        }
    }

    func with(hasPassword: Bool = true, _ body: (Setting) async throws -> Void) async throws {
        let folder = "/tmp/disks-\(UUID().uuidString.prefix(8))"
        try FileTree.makeDirectory(folder)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        func run(_ program: String, _ arguments: [String]) throws -> String {
            String(try Program.run(program, arguments).output.prefix { !$0.isNewline })
        }
        _ = try run("/usr/bin/truncate", ["-s", "8M", "\(folder)/disk"])
        let device = try run("/sbin/losetup", ["-f", "--show", "\(folder)/disk"])
        let name = String(device.split(separator: "/").last ?? "")
        defer {
            // A loop device keeps this when its file is taken away, for whoever gets it next.
            try? BlockDevice.setReadOnly(false, File(device))
            _ = try? run("/sbin/losetup", ["-d", device])
        }
        try BlockDevice.setReadOnly(true, File(device))

        let authority = Authority(hasPassword: hasPassword)
        let setting = Setting(
            client: VarlinkClient(path: "\(folder)/d.sock"), authority: authority, name: name, folder: folder,
            shift: Counter())
        let access = DiskAccess(
            user: 0, group: 0, nodes: "\(folder)/nodes", folder: setting.disks
        ) { $0 == name }
        let disk = setting.disk
        let keeper = DiskKeeper(access: access, authority: authority, disks: { [disk] }, log: { _ in })
        let server = VarlinkServer(try DisksInterface.service(for: keeper))
        let listener = try Listener(at: "\(folder)/d.sock")
        let task = Task { await server.run([listener]) }
        defer {
            task.cancel()
            _ = access.closeAll()
        }
        try await body(setting)
    }

    func write(_ path: String) -> Bool {
        guard let file = try? File(path, .write) else { return false }
        return (try? file.write([UInt8](repeating: 1, count: 512))) != nil
    }

    @Test(
        "a disk is listed, opened for reading, and cannot be written to by anybody, also not when the disk is unlocked behind it"
    )
    func reading() async throws {
        try await with { setting in
            let list = try await setting.client.call(
                "org.needletail.Disks.List", returning: DisksInterface.ListReply.self)
            #expect(list.disks.map(\.model) == ["Test disk"] && list.disks.first?.access == .closed)
            #expect(list.disks.first?.state == "protected")
            let path = try await setting.client.call(
                "org.needletail.Disks.Open", DisksInterface.Name(name: setting.name),
                returning: DisksInterface.Path.self
            ).path
            #expect(try File(path).read(upTo: 512).count == 512)
            #expect(try FileTree.status(path).mode & 0o777 == 0o440)
            #expect(!write(path))
            try BlockDevice.setReadOnly(false, File("/dev/\(setting.name)"))
            #expect(!write(path))
            try BlockDevice.setReadOnly(true, File("/dev/\(setting.name)"))
            // Twice is the same as once.
            #expect(await setting.refusal("Open", DisksInterface.Name(name: setting.name)) == nil)
            #expect(await setting.refusal("Close", DisksInterface.Name(name: setting.name)) == nil)
            #expect(!FileTree.exists(path))
            #expect(await setting.refusal("Close", DisksInterface.Name(name: setting.name)) == nil)
        }
    }

    @Test(
        "writing needs an open disk, the right model, serial number and size, and the password; and ends with closing")
    func writing() async throws {
        try await with { setting in
            #expect(await setting.refusal("AskWriting", setting.question()) == "NotOpen")
            #expect(await setting.refusal("Open", DisksInterface.Name(name: setting.name)) == nil)
            #expect(await setting.refusal("AskWriting", setting.question { $0.model = "Another" }) == "OtherDisk")
            #expect(await setting.refusal("AskWriting", setting.question { $0.serial = "1" }) == "OtherDisk")
            #expect(await setting.refusal("AskWriting", setting.question { $0.size = 1 }) == "OtherDisk")
            #expect(await setting.refusal("AllowWriting", DisksInterface.Ticket(ticket: "x")) == "NotConfirmed")

            let ticket = try await setting.client.call(
                "org.needletail.Disks.AskWriting", setting.question(), returning: DisksInterface.Ticket.self)
            #expect(await setting.refusal("AllowWriting", ticket) == "NotConfirmed")
            #expect(!write("/dev/\(setting.name)"))

            let second = try await setting.client.call(
                "org.needletail.Disks.AskWriting", setting.question(), returning: DisksInterface.Ticket.self)
            setting.authority.confirmed.withLock { _ = $0.insert(second.ticket) }
            let path = try await setting.client.call(
                "org.needletail.Disks.AllowWriting", second, returning: DisksInterface.Path.self
            ).path
            #expect(write(path))
            // A ticket is good once.
            #expect(await setting.refusal("AllowWriting", second) == "NotConfirmed")

            #expect(await setting.refusal("CloseAll", Nothing()) == nil)
            #expect(!FileTree.exists(path) && !write("/dev/\(setting.name)"))
            #expect((try? KernelDisks().isReadOnly(setting.name)) == true)
        }
    }

    func allow(_ setting: Setting) async throws -> String {
        #expect(await setting.refusal("Open", DisksInterface.Name(name: setting.name)) == nil)
        let ticket = try await setting.client.call(
            "org.needletail.Disks.AskWriting", setting.question(), returning: DisksInterface.Ticket.self)
        setting.authority.confirmed.withLock { _ = $0.insert(ticket.ticket) }
        return try await setting.client.call(
            "org.needletail.Disks.AllowWriting", ticket, returning: DisksInterface.Path.self
        ).path
    }

    @Test("a disk that takes the name while the person types is not opened, even when it says the same about itself")
    func otherDisk() async throws {
        try await with { setting in
            #expect(await setting.refusal("Open", DisksInterface.Name(name: setting.name)) == nil)
            let ticket = try await setting.client.call(
                "org.needletail.Disks.AskWriting", setting.question(), returning: DisksInterface.Ticket.self)
            setting.shift.value.withLock { $0 = 1 }
            setting.authority.confirmed.withLock { _ = $0.insert(ticket.ticket) }
            // What was open of the disk before counts no more.
            #expect(await setting.refusal("AskWriting", setting.question()) == "NotOpen")
            let list = try await setting.client.call(
                "org.needletail.Disks.List", returning: DisksInterface.ListReply.self)
            #expect(list.disks.first?.access == .closed)
            #expect(await setting.refusal("Open", DisksInterface.Name(name: setting.name)) == nil)
            #expect(await setting.refusal("AllowWriting", ticket) == "OtherDisk")
            #expect(!write("/dev/\(setting.name)"))
        }
    }

    @Test("a disk that gets the name of one that could be written to is opened for reading only")
    func inherited() async throws {
        try await with { setting in
            let path = try await allow(setting)
            #expect(write(path))
            setting.shift.value.withLock { $0 = 1 }
            let again = try await setting.client.call(
                "org.needletail.Disks.Open", DisksInterface.Name(name: setting.name),
                returning: DisksInterface.Path.self
            ).path
            #expect(again == path && !write(path))
            #expect(try FileTree.status(path).mode & 0o777 == 0o440)
            #expect(setting.disks.allowedDevices.isEmpty)
        }
    }

    @Test("closing locks also when the kernel has counted the disk anew, and waits for what udev does to the disk")
    func closing() async throws {
        try await with { setting in
            let path = try await allow(setting)
            setting.shift.value.withLock { $0 = 1 }
            #expect(await setting.refusal("Close", DisksInterface.Name(name: setting.name)) == nil)
            #expect(!FileTree.exists(path) && !write("/dev/\(setting.name)"))
            setting.shift.value.withLock { $0 = 0 }

            _ = try await allow(setting)
            let lock = try setting.disks.lock(disk: setting.name)
            let closing = Task { await setting.refusal("Close", DisksInterface.Name(name: setting.name)) }
            try await Task.sleep(for: .milliseconds(200))
            // What is allowed changes only with the lock, so no event can have read it before and act on it after.
            #expect(setting.disks.allowedDevices == [setting.name])
            _ = consume lock
            #expect(await closing.value == nil)
            #expect(setting.disks.allowedDevices.isEmpty && !write("/dev/\(setting.name)"))
        }
    }

    @Test("without an administration password nothing becomes writable")
    func off() async throws {
        try await with(hasPassword: false) { setting in
            #expect(await setting.refusal("Open", DisksInterface.Name(name: setting.name)) == nil)
            #expect(await setting.refusal("AskWriting", setting.question()) == "NoPassword")
            let status = await DisksCommand.run(
                ["allow-writing", setting.name], client: setting.client, isYes: { _ in true }, confirm: { _, _ in 0 })
            #expect(status == 69)
        }
    }

    @Test("the command asks before it asks for the password")
    func command() async throws {
        try await with { setting in
            func run(_ words: [String], yes: Bool = true, status: Int32 = 0) async -> Int32 {
                let authority = setting.authority
                return await DisksCommand.run(words, client: setting.client, isYes: { _ in yes }) { ticket, _ in
                    if status == 0 { authority.confirmed.withLock { _ = $0.insert(ticket) } }
                    return status
                }
            }
            #expect(await run([]) == 0)
            #expect(await run(["erase", setting.name]) == 2)
            #expect(await run(["open", "sdzz"]) == 1)
            #expect(await run(["open", setting.name]) == 0)
            #expect(await run(["allow-writing", setting.name], yes: false) == 1)
            #expect(await run(["allow-writing", setting.name], status: 77) == 77)
            #expect(!write("/dev/\(setting.name)"))
            #expect(await run(["allow-writing", setting.name]) == 0)
            #expect(write("/dev/\(setting.name)"))
            #expect(await run(["lock"]) == 0)
            #expect(!write("/dev/\(setting.name)"))
        }
    }

    @Test("what is said about a disk fits into 80 columns, with every word of it")
    func width() {
        let detail = DiskWords.failed("sda", because: "the driver did not keep it read-only")
        let lines = DisksWords.indented(detail).split(separator: "\n")
        #expect(lines.count > 1 && lines.allSatisfy { $0.hasPrefix("    ") && $0.utf8.count <= 80 })
        #expect(lines.flatMap { $0.split(separator: " ") } == detail.split(separator: " "))
        for text in [DisksWords.usage, DisksWords.opened("nvme0n1p1", "/dev/needletail/nvme0n1p1")] {
            #expect(text.split(separator: "\n").allSatisfy { $0.utf8.count <= 80 })
        }
    }

    @Test(
        "names that are none are refused",
        arguments: ["", "..", "../sda", "loop", "sda/sda1", String(repeating: "a", count: 4000), "s\u{0}a"])
    func names(name: String) async throws {
        try await with { setting in
            #expect(await setting.refusal("Open", DisksInterface.Name(name: name)) != nil)
        }
    }
}
