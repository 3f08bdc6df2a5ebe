// SPDX-License-Identifier: GPL-3.0-or-later
import Foundation
import SystemPackage

extension Machine {
    /// Where in the machine's address space its memory lies.
    ///
    /// On q35 what is above 2 GiB (2.75 GiB for smaller machines) begins at 4 GiB, on the older machine what is above 3 or
    /// 3.5 GiB. See: QEMU's `hw/i386/pc_q35.c`, `pc_piix.c`.
    public var memoryRanges: [Range<Int>] { arguments.memoryRanges }

    /// Writes all of the guest's memory to a file, range by range. Works while it runs, and after it has switched itself off.
    ///
    /// - Parameter path: The file; as large as the machine's memory.
    /// - Throws: `MachineFailure` when it cannot be written.
    public func dumpMemory(to path: FilePath) async throws {
        let file = path.absolute.string
        let output = try FileDescriptor.open(
            FilePath(file), .writeOnly, options: [.create, .truncate, .closeOnExec], permissions: .ownerReadWrite)
        defer { try? output.close() }
        for (index, range) in memoryRanges.enumerated() {
            let part = index == 0 ? file : file + ".part"
            let words: JSONValue = [
                "val": .integer(range.lowerBound), "size": .integer(range.count), "filename": .string(part),
            ]
            try await execute("pmemsave", words, timeout: .seconds(600))
            guard index > 0 else { continue }
            defer { try? FileManager.default.removeItem(atPath: part) }
            try output.seek(offset: 0, from: .end)
            let input = try FileHandle(forReadingFrom: URL(fileURLWithPath: part))
            defer { try? input.close() }
            while let piece = try input.read(upToCount: 8 << 20), !piece.isEmpty { _ = try output.writeAll(piece) }
        }
    }

    /// Counts how often bytes stand in a file, overlaps not counted: for memory dumps and disk images.
    ///
    /// - Parameters:
    ///   - bytes: What is looked for; not empty.
    ///   - path: The file.
    /// - Returns: How often.
    /// - Throws: Foundation's error when the file cannot be read.
    public static func occurrences(of bytes: [UInt8], in path: FilePath) throws -> Int {
        guard !bytes.isEmpty else { return 0 }
        let input = try FileHandle(forReadingFrom: URL(fileURLWithPath: path.string))
        defer { try? input.close() }
        var count = 0
        var rest = Data()
        while let piece = try input.read(upToCount: 8 << 20), !piece.isEmpty {
            let window = rest + piece
            var start = 0
            window.withUnsafeBytes { all in
                while let found = ByteSearch.first(bytes, in: all, from: start) {
                    count += 1
                    start = found + bytes.count
                }
            }
            rest = Data(window.dropFirst(max(start, window.count - bytes.count + 1)))
        }
        return count
    }

    /// Keeps the machine's whole state, memory included, under a name.
    ///
    /// QEMU cannot keep the state of every part (not of NVMe disks, for one) and of drives that keep writes in a raw image; it
    /// says so then.
    ///
    /// - Throws: `MachineFailure` with QEMU's reason.
    public func saveSnapshot(_ name: String) async throws {
        try await prepareSnapshots()
        try await runSnapshotJob("snapshot-save", name)
    }

    /// Goes back to a kept state; the guest runs on from there. What its connections were is gone: the shell answers again.
    ///
    /// - Throws: `MachineFailure` with QEMU's reason; the machine may stand still then.
    public func loadSnapshot(_ name: String) async throws {
        try await runSnapshotJob("snapshot-load", name)
        try await resume()
    }

    /// Memory needs a place beside the drives': a qcow2 file that is connected to nothing.
    private func prepareSnapshots() async throws {
        guard !FileManager.default.fileExists(atPath: files.snapshots.string) else { return }
        _ = try await tool("qemu-img", ["create", "-q", "-f", "qcow2", files.snapshots.string, "1M"]).output()
        let content: JSONValue = [
            "driver": "qcow2", "node-name": "snapshots",
            "file": .object(["driver": "file", "filename": .string(files.snapshots.string)]),
        ]
        try await execute("blockdev-add", content)
    }

    private func runSnapshotJob(_ command: String, _ name: String) async throws {
        struct Job: Decodable {
            let id: String
            let status: String
            let error: String?
        }
        var nodes = ["snapshots"] + description.drives.filter { $0.writes == .discarded }.map(\.node)
        if arguments.firmware != nil { nodes.append("firmware-variables") }
        let job = "snapshot-\(UUID().uuidString)"
        try await execute(
            command,
            [
                "job-id": .string(job), "tag": .string(name), "vmstate": "snapshots",
                "devices": .array(nodes.map { .string($0) }),
            ])
        let done = try await poll(for: .seconds(300), every: .milliseconds(100)) { () -> Job? in
            try await qmp.execute("query-jobs", as: [Job].self).first { $0.id == job && $0.status == "concluded" }
        }
        guard let done else { throw await failure(.timedOut, "The snapshot '\(name)' was not ready after 300 s.") }
        try await execute("job-dismiss", ["id": .string(job)])
        if let error = done.error {
            throw MachineFailure(.refused, "QEMU cannot do '\(command)' for '\(name)': \(error)")
        }
    }
}

extension MachineArguments {
    /// Where memory lies; see `Machine.memoryRanges`.
    var memoryRanges: [Range<Int>] {
        let size = description.memory << 20
        let isOld = description.drives.contains { $0.attachment.isIDE }
        let limit =
            isOld ? (size >= 0xE000_0000 ? 0xC000_0000 : 0xE000_0000) : size >= 0xB000_0000 ? 0x8000_0000 : 0xB000_0000
        let low = min(size, limit)
        return [0..<low] + (size > low ? [(4 << 30)..<((4 << 30) + size - low)] : [])
    }
}
