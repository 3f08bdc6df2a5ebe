// SPDX-License-Identifier: GPL-3.0-or-later
import Commands
import Foundation
import SystemPackage
import Testing

@testable import Image

@Suite("The initramfs")
struct InitramfsTests {
    @Test("the archive is what cpio takes it for")
    func archive() async throws {
        try await withFolder { folder in
            var archive = CpioArchive(time: 1_700_000_000)
            archive.device("dev/console", major: 5, minor: 1, mode: 0o600)
            archive.file("a/b/c", Array("hello".utf8), mode: 0o755)
            archive.folder("a")
            let path = folder.appending("x.cpio")
            try Data(archive.finish()).write(to: URL(filePath: path.string))
            let log = folder.appending("log")
            try await Command("cpio", ["-itvn", "--quiet"]).run(log: log, input: path)
            let lines = try String(contentsOfFile: log.string, encoding: .utf8).split(separator: "\n")
                .map { $0.split(separator: " ") }
            #expect(lines.map { $0.last ?? "" } == ["dev", "dev/console", "a", "a/b", "a/b/c"])
            #expect(
                lines.map { $0.first ?? "" } == ["drwxr-xr-x", "crw-------", "drwxr-xr-x", "drwxr-xr-x", "-rwxr-xr-x"])
            #expect(lines[1].contains("5,"))
        }
    }

    func kernel() throws -> Kernel {
        var tree = SystemTree(entries: [:], epoch: 1)
        let folder = "usr/lib/modules/6.12"
        func put(_ name: String, _ text: String) { tree.put("\(folder)/\(name)", .file(Array(text.utf8), time: 1)) }
        put(
            "modules.dep",
            """
            kernel/fs/erofs/erofs.ko.xz: kernel/lib/lz4/lz4.ko.xz kernel/lib/crc.ko.xz
            kernel/lib/lz4/lz4.ko.xz:
            kernel/lib/crc.ko.xz: kernel/lib/base.ko.xz
            kernel/lib/base.ko.xz:
            kernel/drivers/net/e1000.ko.xz:

            """)
        put("modules.alias", "# x\nalias fs-erofs erofs\nalias pci:v00008086* e1000\n")
        put("modules.softdep", "softdep erofs pre: lz4\nsoftdep e1000 pre: x\n")
        put("modules.builtin", "kernel/fs/ext4/ext4.ko\n")
        return try Kernel(in: tree, source: Data())
    }

    func list(_ path: String) throws -> InitramfsList {
        try DataFile.decode(InitramfsList.self, from: "modules: [{path: \(path), reason: r}]", named: "i")
    }

    @Test("a module comes with all that it needs, and the tables tell only of what is there")
    func selection() throws {
        let kernel = try kernel()
        let modules = try kernel.select(try list("kernel/fs/erofs/*"))
        #expect(
            modules == [
                "kernel/fs/erofs/erofs.ko.xz", "kernel/lib/base.ko.xz", "kernel/lib/crc.ko.xz",
                "kernel/lib/lz4/lz4.ko.xz",
            ])
        let tables = Dictionary(uniqueKeysWithValues: try kernel.tables(for: modules).map { ($0.name, $0.text) })
        #expect(tables["modules.alias"] == "alias fs-erofs erofs\n")
        #expect(tables["modules.softdep"] == "softdep erofs pre: lz4\n")
        #expect(
            tables["modules.dep"]?.contains("kernel/fs/erofs/erofs.ko: kernel/lib/lz4/lz4.ko kernel/lib/crc.ko\n")
                == true)
    }

    @Test("what is built into the kernel is fine, what is nowhere is an error with its name")
    func missing() throws {
        let kernel = try kernel()
        #expect(try kernel.select(try list("kernel/fs/ext4/*")).isEmpty)
        let error = #expect(throws: KernelError.self) { try kernel.select(try list("kernel/fs/nofs/*")) }
        #expect(error?.description.contains("kernel/fs/nofs/*") == true)
    }
}

@Suite("The output folder and the cache")
struct OutputTests {
    @Test("a second build into the same folder is refused, and the first goes on")
    func inUse() async throws {
        try await withFolder { folder in
            let first = try OutputFolder(folder)
            #expect(throws: OutputError.inUse(folder)) { try OutputFolder(folder) }
            _ = first
        }
        try await withFolder { folder in
            _ = try OutputFolder(folder)
            _ = try OutputFolder(folder)
        }
    }

    @Test("who reads an old image goes on reading the old one, and only whole files appear")
    func publishing() async throws {
        try await withFolder { folder in
            let output = try OutputFolder(folder)
            try Data("old".utf8).write(to: URL(filePath: folder.appending("x.img").string))
            let reader = try #require(FileHandle(forReadingAtPath: folder.appending("x.img").string))
            try Data("new".utf8).write(to: URL(filePath: output.partial("x.img").string))
            #expect(FileManager.default.contents(atPath: folder.appending("x.img").string) == Data("old".utf8))
            try output.publish(["x.img"])
            #expect(FileManager.default.contents(atPath: folder.appending("x.img").string) == Data("new".utf8))
            #expect(try reader.readToEnd() == Data("old".utf8))
        }
    }

    @Test("a folder in place of the image, and a folder that cannot be made, are told")
    func impossible() async throws {
        try await withFolder { folder in
            let output = try OutputFolder(folder)
            try FileManager.default.createDirectory(
                atPath: folder.appending("x.img/y").string, withIntermediateDirectories: true)
            try Data("new".utf8).write(to: URL(filePath: output.partial("x.img").string))
            let error = #expect(throws: OutputError.self) { try output.publish(["x.img"]) }
            #expect(error?.description.contains("x.img cannot be replaced") == true)
            output.discard(["x.img"])
            #expect(!FileManager.default.fileExists(atPath: output.partial("x.img").string))
            #expect(throws: OutputError.self) { try OutputFolder("/proc/nothing/out") }
            #expect(throws: OutputError.self) { try output.checkRoom(for: 1 << 60) }
        }
    }

    @Test("the cache keeps what was made well, and nothing of what failed")
    func cache() async throws {
        struct Failure: Error {}
        try await withFolder { folder in
            let cache = try Cache(folder: folder)
            await #expect(throws: Failure.self) {
                _ = try await cache.get("thing", key: ["a"]) { path in
                    try Data("half".utf8).write(to: URL(filePath: path.string))
                    throw Failure()
                }
            }
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder.string).isEmpty)
            let (path, wasThere) = try await cache.get("thing", key: ["a"]) {
                try Data("x".utf8).write(to: URL(filePath: $0.string))
            }
            #expect(!wasThere)
            let again = try await cache.get("thing", key: ["a"]) { _ in throw Failure() }
            #expect(again.wasThere && again.0 == path)
            let other = try await cache.get("thing", key: ["b"]) {
                try Data("y".utf8).write(to: URL(filePath: $0.string))
            }
            #expect(other.0 != path)
        }
    }
}
