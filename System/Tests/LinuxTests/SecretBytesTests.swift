// SPDX-License-Identifier: GPL-3.0-or-later
import CLinux
import Glibc
import Testing

@testable import Linux

@Suite("Memory for secrets")
struct SecretBytesTests {
    /// Unlikely anywhere else in memory.
    private static let pattern: UInt8 = 0xa7
    private static let count = 1000

    private func pattern() -> [UInt8] { [UInt8](repeating: Self.pattern, count: Self.count) }

    private func filled() throws -> SecretBytes {
        let secret = SecretBytes(capacity: Self.count)
        var bytes = pattern()
        try #require(secret.take(&bytes))
        return secret
    }

    private func address(of secret: SecretBytes) throws -> UnsafeMutableRawPointer {
        try #require(secret.withCString { $0.map { UnsafeMutableRawPointer(mutating: $0) } })
    }

    /// The flags of the mapping at an address. See `man 5 proc_pid_smaps`.
    private func flags(at address: UnsafeRawPointer) throws -> Set<Substring> {
        let place = UInt(bitPattern: address)
        var isHere = false
        for line in try File.text("/proc/self/smaps").split(separator: "\n") {
            if line.hasPrefix("VmFlags:"), isHere { return Set(line.split(separator: " ").dropFirst()) }
            let ends = line.prefix { $0 != " " }.split(separator: "-").compactMap { UInt($0, radix: 16) }
            if ends.count == 2 { isHere = (ends[0]..<ends[1]).contains(place) }
        }
        return []
    }

    /// What the code gives back in a child of this process, where only plain system calls are safe.
    private func inChild(_ body: () -> Int32) throws -> Int32 {
        let child = clinux_fork()
        if child == 0 { _exit(body()) }
        try #require(child > 0)
        var status: Int32 = 0
        while waitpid(child, &status, 0) < 0, errno == EINTR {}
        return status & 0x7f == 0 ? status >> 8 & 0xff : -1
    }

    @Test("the pages are locked, in no core dump and in no child")
    func flags() throws {
        let secret = try filled()
        let ordinary = try #require(Pages.take(Pages.size))
        defer { Pages.giveBack(ordinary) }
        let own = try flags(at: address(of: secret))
        #expect(own.isSuperset(of: ["lo", "dd", "wf"]))
        let other = try flags(at: #require(UnsafeRawPointer(ordinary.baseAddress)))
        #expect(!other.isEmpty && other.isDisjoint(with: ["lo", "dd", "wf"]))
        withExtendedLifetime(secret) {}
    }

    @Test("a child finds zeros")
    func child() throws {
        let secret = try filled()
        let ordinary = try #require(Pages.take(Pages.size))
        defer { Pages.giveBack(ordinary) }
        ordinary.initializeMemory(as: UInt8.self, repeating: Self.pattern)
        func count(_ memory: UnsafeRawPointer) -> Int32 {
            var found: Int32 = 0
            for index in 0..<Self.count where memory.load(fromByteOffset: index, as: UInt8.self) != 0 { found = 1 }
            return found
        }
        let hidden = UnsafeRawPointer(try address(of: secret))
        let shown = try #require(UnsafeRawPointer(ordinary.baseAddress))
        let seen = (secret: try inChild { count(hidden) }, other: try inChild { count(shown) })
        #expect(seen.secret == 0)
        // Who looks so finds what is there.
        #expect(seen.other == 1)
        withExtendedLifetime(secret) { #expect(count(hidden) == 1) }
    }

    @Test("with the last reference the bytes are overwritten before the page is given back")
    func end() throws {
        var name = "/tmp/secret-XXXXXX".utf8CString.map { $0 }
        let file = mkstemp(&name)
        try #require(file >= 0)
        defer { close(file) }
        unlink(name)
        try #require(ftruncate(file, off_t(Pages.size)) == 0)
        var secret: SecretBytes? = try filled()
        let page = try address(of: #require(secret))
        // A page with the same content that stays when it is unmapped there takes the place of the one that would be gone.
        let content = try #require(secret).withBytes { Array($0) }
        try #require(content == pattern())
        try #require(mmap(page, Pages.size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, file, 0) == page)
        page.copyMemory(from: content, byteCount: content.count)
        var seen = [UInt8](repeating: 0, count: Self.count)
        #expect(pread(file, &seen, seen.count, 0) == seen.count && seen == pattern())
        var another = secret
        secret = nil
        #expect(pread(file, &seen, seen.count, 0) == seen.count && seen == pattern())
        #expect(another?.count == Self.count)
        another = nil
        #expect(pread(file, &seen, seen.count, 0) == seen.count)
        #expect(seen.allSatisfy { $0 == 0 })
        let left = try flags(at: page)
        #expect(!left.contains("sh"), "The page is still there.")
    }

    // MARK: Where it came from

    /// Whether the bytes are still where an array kept them. Nothing is allocated in between, so that nobody else has written
    /// there: the allocator keeps freed memory of this size for the same thread, as it is.
    private func remains(_ bytes: inout [UInt8], after body: (inout [UInt8]) -> Void) -> Bool {
        let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.count, alignment: 1)
        defer { copy.deallocate() }
        let place = bytes.withUnsafeBytes { $0.baseAddress }
        body(&bytes)
        guard let place, let start = copy.baseAddress else { return true }
        memcpy(start, place, Self.count)
        return copy.filter { $0 == Self.pattern }.count > Self.count / 2
    }

    @Test("what was taken from an array, or forgotten, is overwritten there")
    func source() {
        let secret = SecretBytes(capacity: Self.count)
        var taken = pattern()
        #expect(!remains(&taken) { secret.take(&$0) })
        #expect(taken.isEmpty && secret.withBytes { Array($0) } == pattern())
        var forgotten = pattern()
        #expect(!remains(&forgotten) { SecretBytes.forget(&$0) })
        #expect(forgotten.isEmpty)
        // Who looks so finds what is only removed.
        var removed = pattern()
        #expect(remains(&removed) { $0.removeAll() })
    }

    @Test("bytes that do not fit are refused as a whole, and overwritten as well")
    func tooMany() {
        let secret = SecretBytes(capacity: Self.count)
        var first: [UInt8] = [1, 2, 3]
        #expect(secret.take(&first))
        var more = pattern()
        var isTaken = true
        #expect(!remains(&more) { isTaken = secret.take(&$0) })
        #expect(!isTaken && more.isEmpty)
        #expect(secret.count == 3 && secret.withBytes { Array($0) } == [1, 2, 3])
    }

    @Test("memory that cannot be locked takes no secret")
    func notLocked() throws {
        func hasRoom() -> Int32 {
            guard let pages = clinux_secret_pages(1) else { return 0 }
            clinux_secret_free(pages, 1)
            return 1
        }
        let usual = try inChild { hasRoom() }
        #expect(usual == 1)
        let answer = try inChild {
            var none = rlimit(rlim_cur: 0, rlim_max: 0)
            guard setrlimit(Int32(__RLIMIT_MEMLOCK.rawValue), &none) == 0 else { return 2 }
            // Root may lock whatever the limit.
            if getuid() == 0, setuid(65534) != 0 { return 3 }
            return hasRoom()
        }
        #expect(answer == 0)
    }
}
