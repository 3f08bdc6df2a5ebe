// SPDX-License-Identifier: GPL-3.0-or-later
import Foundation
import SystemPackage

/// All that a machine remembers: its memory, and that of its graphics card.
public struct MemoryDump: Sendable {
    /// The machine's memory.
    public let memory: FilePath
    /// The graphics card's; `nil` when the guest has switched it off.
    public let video: FilePath?

    /// Both.
    public var files: [FilePath] { [memory] + (video.map { [$0] } ?? []) }

    init(memory: FilePath, video: FilePath?) {
        self.memory = memory
        self.video = video
    }

    /// Writes it to files. Works while the machine runs, and after it has switched itself off or has asked for a reset.
    ///
    /// - Parameters:
    ///   - machine: The machine.
    ///   - folder: Where the files go; as large as the memory.
    ///   - name: What they are called.
    /// - Throws: `MachineFailure` when QEMU cannot write there.
    public init(of machine: Machine, in folder: FilePath, name: String = "memory") async throws {
        memory = folder.appending("\(name).dump").absolute
        try await machine.dumpMemory(to: memory)
        guard let range = try await machine.videoMemory() else {
            video = nil
            return
        }
        let path = folder.appending("\(name).video").absolute
        try await machine.dump(range, to: path)
        video = path
    }

    /// How many bytes of the graphics memory are not zero; 0 when the screen was wiped.
    ///
    /// - Throws: Foundation's error when the file cannot be read.
    public func litBytes() throws -> Int {
        guard let video else { return 0 }
        let data = try Data(contentsOf: URL(fileURLWithPath: video.string), options: .alwaysMapped)
        return data.withUnsafeBytes { bytes in
            var count = 0
            for start in stride(from: 0, to: bytes.count, by: 4096) {
                let page = UnsafeRawBufferPointer(rebasing: bytes[start..<min(start + 4096, bytes.count)])
                // Zeros are skipped by the page: a debug build is slow.
                guard let base = page.baseAddress, page[0] != 0 || memcmp(base, base + 1, page.count - 1) != 0 else {
                    continue
                }
                count += page.reduce(0) { $0 + ($1 == 0 ? 0 : 1) }
            }
            return count
        }
    }

    /// What the emergency program has written into the kernel's log, which nobody overwrites in an emergency: by its words, the
    /// number behind them, "dark after (ms)": 212.
    ///
    /// - Throws: Foundation's error when the file cannot be read.
    public func emergencyLog() throws -> [String: Int] {
        let data = try Data(contentsOf: URL(fileURLWithPath: memory.string), options: .alwaysMapped)
        let mark = Array("needletail: emergency: ".utf8)
        return data.withUnsafeBytes { bytes in
            var found: [String: Int] = [:]
            var place = 0
            while let base = bytes.baseAddress, place + mark.count < bytes.count,
                let hit = memchr(base + place, Int32(mark[0]), bytes.count - mark.count - place)
            {
                place = base.distance(to: hit) + 1
                guard memcmp(hit, mark, mark.count) == 0 else { continue }
                place += mark.count - 1
                let line = bytes[place..<min(place + 100, bytes.count)].prefix { $0 != 10 }
                let words = String(decoding: line, as: UTF8.self).split(separator: " ")
                guard line.count < 100, words.count > 1, let number = words.last.flatMap({ Int($0) }) else { continue }
                found[words.dropLast().joined(separator: " ")] = number
            }
            return found
        }
    }

    /// Copies the files.
    ///
    /// - Parameter folder: Where to.
    /// - Throws: Foundation's error when they cannot be written there.
    public func copy(to folder: FilePath) throws {
        for file in files {
            guard let name = file.lastComponent else { continue }
            try FileManager.default.copyItem(atPath: file.string, toPath: folder.appending(name).string)
        }
    }

    /// Removes the files.
    public func remove() {
        for file in files { try? FileManager.default.removeItem(atPath: file.string) }
    }
}

extension Machine {
    /// Writes a range of the machine's address space to a file.
    func dump(_ range: Range<Int>, to path: FilePath) async throws {
        let words: JSONValue = [
            "val": .integer(range.lowerBound), "size": .integer(range.count), "filename": .string(path.string),
        ]
        try await execute("pmemsave", words, timeout: .seconds(600))
    }

    /// Where the graphics card's own memory is in the address space; `nil` when it is not.
    func videoMemory() async throws -> Range<Int>? {
        struct Bus: Decodable {
            struct Device: Decodable {
                struct Kind: Decodable {
                    let number: Int
                    enum CodingKeys: String, CodingKey { case number = "class" }
                }
                struct Region: Decodable {
                    let type: String
                    let address: Int
                    let size: Int
                }
                let kind: Kind
                let regions: [Region]
                enum CodingKeys: String, CodingKey {
                    case kind = "class_info"
                    case regions
                }
            }
            let devices: [Device]
        }
        // 0x03: display controllers. A region that is switched off is at -1.
        let cards = try await qmp.execute("query-pci", as: [Bus].self).flatMap(\.devices).filter {
            $0.kind.number >> 8 == 3
        }
        return cards.flatMap(\.regions).filter { $0.type == "memory" && $0.address > 0 }.max { $0.size < $1.size }.map {
            $0.address..<($0.address + $0.size)
        }
    }
}
