// SPDX-License-Identifier: GPL-3.0-or-later
import Foundation
import Synchronization
import SystemPackage
import Testing

@testable import Image

@Suite("Fetching packages")
struct PackageStoreTests {
    static let content = [UInt8]("not really a package, but fetched like one\n".utf8)

    func package(_ name: String, sha256: String, size: Int = content.count) -> LockedPackage {
        LockedPackage(
            name: name, version: "1.0-1", architecture: "all", archive: .debian, path: "pool/\(name).deb", size: size,
            sha256: sha256)
    }

    func withStore(
        _ answer: @escaping @Sendable (String) -> FakeMirror.Answer,
        _ body: (PackageStore, FakeMirror) async throws -> Void
    ) async throws {
        let mirror = try FakeMirror(answer)
        defer { mirror.stop() }
        try await withFolder { folder in
            let store = try PackageStore(
                folder: folder.appending("packages"), mirror: Mirror(debian: mirror.address),
                log: folder.appending("log"))
            try await body(store, mirror)
        }
    }

    @Test("a package is fetched once, with progress, and is then there under its hash")
    func fetches() async throws {
        let hash = try await Cache.hash(String(decoding: Self.content, as: UTF8.self))
        try await withStore({ _ in .content(Self.content) }) { store, mirror in
            let package = package("good", sha256: hash)
            let progress = Mutex<[Int]>([])
            try await store.fetch([package]) { done, _ in progress.withLock { $0.append(done) } }
            try await store.fetch([package]) { _, total in #expect(total == 0) }
            #expect(FileManager.default.contents(atPath: store.file(of: package).string) == Data(Self.content))
            #expect(mirror.requests == ["/debian/pool/good.deb"])
            #expect(progress.withLock { $0 } == [0, Self.content.count])
        }
    }

    @Test("a version that the mirror no longer holds is named, with how to re-lock")
    func gone() async throws {
        try await withStore({ _ in .gone }) { store, _ in
            let package = package("gone", sha256: String(repeating: "0", count: 64))
            let error = await #expect(throws: PackageStoreError.self) { try await store.fetch([package]) { _, _ in } }
            #expect(error == .gone(package, mirror: store.mirror.debian))
            #expect(error?.description.contains("gone 1.0-1") == true)
            #expect(error?.description.contains("needletail lock") == true)
        }
    }

    @Test("other bits than the lock's are refused and not kept")
    func wrongHash() async throws {
        try await withStore({ _ in .content(Self.content) }) { store, _ in
            let package = package("changed", sha256: String(repeating: "1", count: 64))
            let error = await #expect(throws: PackageStoreError.self) { try await store.fetch([package]) { _, _ in } }
            #expect(error == .wrongHash(package, mirror: store.mirror.debian), "\(String(describing: error))")
            let left = try FileManager.default.contentsOfDirectory(atPath: store.folder.string)
            #expect(left.isEmpty)
        }
    }

    @Test("when the mirror goes down in the middle, what had arrived is kept")
    func mirrorDown() async throws {
        let hash = try await Cache.hash(String(decoding: Self.content, as: UTF8.self))
        try await withStore({ path in
            path.contains("second") ? .breaksOff(Self.content) : .content(Self.content)
        }) { store, mirror in
            let first = package("first", sha256: hash)
            let second = package("second", sha256: try await Cache.hash("other"), size: 5)
            try await store.fetch([first]) { _, _ in }
            let error = await #expect(throws: PackageStoreError.self) {
                try await store.fetch([first, second]) { _, _ in }
            }
            guard case .unreachable = error else {
                Issue.record("not told as a broken connection: \(String(describing: error))")
                return
            }
            #expect(FileManager.default.fileExists(atPath: store.file(of: first).string))
            #expect(!FileManager.default.fileExists(atPath: store.file(of: second).string))
            #expect(mirror.requests.count(where: { $0.contains("first") }) == 1)
        }
    }

    @Test("a mirror that does not answer at all is named")
    func noMirror() async throws {
        try await withFolder { folder in
            // Port 9 ("discard") of loopback: nobody listens.
            let store = try PackageStore(
                folder: folder.appending("p"), mirror: Mirror(debian: "http://127.0.0.1:9/debian"),
                log: folder.appending("log"))
            let error = await #expect(throws: PackageStoreError.self) {
                try await store.fetch([package("x", sha256: String(repeating: "0", count: 64))]) { _, _ in }
            }
            #expect(error?.description.contains("127.0.0.1:9") == true)
        }
    }

    @Test("too little room is told before anything is fetched")
    func noRoom() async throws {
        try await withStore({ _ in .content(Self.content) }) { store, mirror in
            let error = await #expect(throws: PackageStoreError.self) {
                try await store.fetch([package("huge", sha256: String(repeating: "0", count: 64), size: 1 << 60)]) {
                    _, _ in
                }
            }
            guard case .noRoom(let folder, _, _) = error else {
                Issue.record("\(String(describing: error))")
                return
            }
            #expect(folder == store.folder)
            #expect(mirror.requests.isEmpty)
        }
    }
}

/// Runs a body with an empty folder that is removed afterwards.
func withFolder<Value>(_ body: (FilePath) async throws -> Value) async throws -> Value {
    let folder = FilePath(FileManager.default.temporaryDirectory.path).appending("needletail-\(UUID().uuidString)")
    try FileManager.default.createDirectory(atPath: folder.string, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder.string) }
    return try await body(folder)
}
