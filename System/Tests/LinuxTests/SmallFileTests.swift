// SPDX-License-Identifier: GPL-3.0-or-later
import Foundation
import Synchronization
import Testing

@testable import Linux

@Suite("Files that are seen whole")
struct SmallFileTests {
    @Test("a file is there whole or not at all, replaces nothing, and leaves nothing beside it")
    func whole() throws {
        let folder = "/tmp/files-\(UUID().uuidString.prefix(8))"
        try FileTree.makeDirectory(folder)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let path = "\(folder)/file"
        let count = 1 << 26
        let isDone = Mutex(false)
        let sizes = Mutex<Set<Int>>([])
        let watched = DispatchSemaphore(value: 0)
        DispatchQueue(label: "reader").async {
            while !isDone.withLock({ $0 }) {
                let size = (try? FileManager.default.attributesOfItem(atPath: path)[.size] as? NSNumber)?.intValue
                if let size { sizes.withLock { _ = $0.insert(size) } }
            }
            watched.signal()
        }
        try File.makeWhole(path, mode: 0o600, [UInt8](repeating: 1, count: count))
        #expect(throws: SystemCallFailure(call: "link", object: path, number: .exists)) {
            try File.makeWhole(path, mode: 0o600, [2])
        }
        isDone.withLock { $0 = true }
        watched.wait()
        #expect(sizes.withLock { $0 }.isSubset(of: [count]))
        #expect(FileTree.names(in: folder) == ["file"])
        #expect(try File(path).read(upTo: 1) == [1])
    }
}
