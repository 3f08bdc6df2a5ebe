// SPDX-License-Identifier: GPL-3.0-or-later
import Foundation
import SystemPackage
import Testing

@testable import Image

@Suite struct AssemblyMediumFileTests {
    struct Refused: Error {}

    static func folder() throws -> FilePath {
        let url = FileManager.default.temporaryDirectory.appending(path: "needletail-medium-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        return FilePath(url.path(percentEncoded: false))
    }

    static func names(in folder: FilePath) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder.string).sorted()
    }

    @Test func anImageAppearsWhenItIsWhole() async throws {
        let folder = try Self.folder()
        defer { try? FileManager.default.removeItem(atPath: folder.string) }
        let path = folder.appending("a.img")
        try await MediumFile.write(to: path) { file in
            try file.resize(to: 16)
            try file.write([1, 2, 3], at: 5)
            #expect(try Self.names(in: folder) == ["a.img.partial"])
        }
        #expect(try path.contents() == [0, 0, 0, 0, 0, 1, 2, 3, 0, 0, 0, 0, 0, 0, 0, 0])
        #expect(try Self.names(in: folder) == ["a.img"])
    }

    @Test func aFailureLeavesTheImageOfBeforeAndNothingElse() async throws {
        let folder = try Self.folder()
        defer { try? FileManager.default.removeItem(atPath: folder.string) }
        let path = folder.appending("a.img")
        try await MediumFile.write(to: path) { try $0.write([7], at: 0) }
        await #expect(throws: Refused.self) {
            try await MediumFile.write(to: path) { file in
                try file.write([8], at: 0)
                throw Refused()
            }
        }
        #expect(try path.contents() == [7])
        #expect(try Self.names(in: folder) == ["a.img"])
    }

    @Test func aCancelledCopyLeavesNothing() async throws {
        let folder = try Self.folder()
        defer { try? FileManager.default.removeItem(atPath: folder.string) }
        let source = folder.appending("source")
        try await MediumFile.write(to: source) { try $0.write([1], at: 0) }
        let path = folder.appending("a.img")
        let work = Task {
            try await MediumFile.write(to: path) { file in
                withUnsafeCurrentTask { $0?.cancel() }
                try await file.copy(source, at: 0)
            }
        }
        await #expect(throws: CancellationError.self) { try await work.value }
        #expect(try Self.names(in: folder) == ["source"])
    }

    @Test func aCopyHasEveryByteAndLeavesHolesForZeros() async throws {
        let folder = try Self.folder()
        defer { try? FileManager.default.removeItem(atPath: folder.string) }
        var bytes = [UInt8](repeating: 0, count: 5 << 20)
        bytes[17] = 1
        bytes[(4 << 20) + 3] = 2
        bytes[bytes.count - 1] = 3
        let source = folder.appending("source")
        let content = bytes
        try await MediumFile.write(to: source) { try $0.write(content, at: 0) }
        let path = folder.appending("a.img")
        try await MediumFile.write(to: path) { file in
            try file.resize(to: 6 << 20)
            try await file.copy(source, at: 4096)
        }
        let copy = try path.contents()
        #expect(Array(copy[4096..<4096 + bytes.count]) == bytes)
        #expect(copy.count == 6 << 20)
        var status = stat()
        #expect(stat(path.string, &status) == 0)
        #expect(status.st_blocks * 512 < 4 << 20)
    }

    @Test func aFullDiskIsSaidInWords() async {
        // man 4 full: every write to it fails with ENOSPC.
        await #expect(throws: MediaFailure.unwritable("/dev/full", .noSpace)) {
            try await MediumFile.filling("/dev/full", isNew: false) { try $0.write([1], at: 0) }
        }
        #expect(MediaFailure.unwritable("/out/x.img", .noSpace).description.contains("its disk is full"))
        #expect(!MediaFailure.unwritable("/out/x.img", .permissionDenied).description.contains("full"))
    }

    @Test func aMissingPartIsNamed() async throws {
        let folder = try Self.folder()
        defer { try? FileManager.default.removeItem(atPath: folder.string) }
        let missing = folder.appending("missing")
        await #expect(throws: MediaFailure.unreadable(missing, .noSuchFileOrDirectory)) {
            try await MediumFile.write(to: folder.appending("a.img")) { try await $0.copy(missing, at: 0) }
        }
        #expect(try Self.names(in: folder) == [])
    }
}
