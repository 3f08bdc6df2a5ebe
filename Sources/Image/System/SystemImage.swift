// SPDX-License-Identifier: GPL-3.0-or-later
import Commands
import Foundation
import Media
import SystemPackage

/// The read-only file system of the image with dm-verity's hash tree behind it.
public struct SystemImage: Sendable {
    /// How the file system is packed.
    public struct Packing: Sendable, Equatable {
        /// The kernel's file system.
        public let fileSystem: BootConfiguration.FileSystem
        /// The options of the tool that packs it: `mkfs.erofs(1)` or `sqfstar(1)`.
        public let options: [String]

        /// A way of packing.
        public init(fileSystem: BootConfiguration.FileSystem, options: [String]) {
            self.fileSystem = fileSystem
            self.options = options
        }

        /// What is shipped; `docs/benchmarks.md` has the table that decided.
        public static let shipped = Packing(
            fileSystem: .squashfs, options: ["-comp", "zstd", "-Xcompression-level", "19", "-b", "256K"])
    }

    /// What the boot stage has to know.
    struct Seal: Sendable, Codable, Equatable {
        let dataSize: UInt64
        let hashSize: UInt64
        /// 64 hexadecimal digits.
        let rootHash: String
        /// Hexadecimal digits.
        let salt: String

        /// The unique GUID of the system partition: each version of the system has its own.
        func partition() throws -> GUID {
            guard let guid = GUID(derivedFromHash: Hexadecimal.bytes(rootHash)) else {
                throw SystemImageError.noRootHash
            }
            return guid
        }
    }

    let buildRoot: BuildRoot
    let packing: Packing
    let log: FilePath

    /// Packs the archive of the system; the size is a multiple of 4096.
    func pack(_ tar: FilePath, to image: FilePath) async throws {
        let target = "/mnt/out/\(image.lastComponent?.string ?? "system.img")"
        switch packing.fileSystem {
        case .squashfs:
            // Times of the file system itself come from SOURCE_DATE_EPOCH.
            try await buildRoot.command(
                "sqfstar", packing.options + ["-no-progress", target],
                binds: [.writing(image.removingLastComponent(), at: "/mnt/out")]
            ).run(log: log, input: tar)
        case .erofs:
            try await buildRoot.command(
                "mkfs.erofs",
                packing.options + [
                    "--tar=f", "-T", String(buildRoot.epoch), "-U", "6e656564-6c65-4461-a96c-000000000001", "--quiet",
                    target, "/mnt/system.tar",
                ],
                binds: [.reading(tar, at: "/mnt/system.tar"), .writing(image.removingLastComponent(), at: "/mnt/out")]
            ).run(log: log)
        }
        let file = try FileDescriptor.open(image, .readWrite, options: .closeOnExec)
        defer { try? file.close() }
        let size = try file.seek(offset: 0, from: .end)
        try file.resize(to: (size + 4095) / 4096 * 4096)
    }

    /// Appends dm-verity's superblock and hash tree (`veritysetup(8)`).
    func seal(_ image: FilePath, salt: String) async throws -> Seal {
        let attributes = try FileManager.default.attributesOfItem(atPath: image.string)
        guard let size = (attributes[.size] as? NSNumber)?.uint64Value else {
            throw SystemImageError.noRootHash
        }
        let name = image.lastComponent?.string ?? "system.img"
        let text = try await buildRoot.command(
            "veritysetup",
            [
                "format", "--hash=sha256", "--data-block-size=4096", "--hash-block-size=4096", "--hash-offset=\(size)",
                "--data-blocks=\(size / 4096)", "--salt=\(salt)", "--uuid=6e656564-6c65-4461-a96c-000000000002",
                "/mnt/out/\(name)", "/mnt/out/\(name)",
            ],
            binds: [.writing(image.removingLastComponent(), at: "/mnt/out")]
        ).output()
        guard
            let line = text.split(separator: "\n").first(where: { $0.hasPrefix("Root hash:") }),
            let hash = line.split(whereSeparator: \.isWhitespace).last, hash.count == 64
        else { throw SystemImageError.noRootHash }
        let end = try FileManager.default.attributesOfItem(atPath: image.string)
        let whole = ((end[.size] as? NSNumber)?.uint64Value ?? size)
        return Seal(dataSize: size, hashSize: whole - size, rootHash: String(hash), salt: salt)
    }
}

enum SystemImageError: Error, CustomStringConvertible {
    case noRootHash

    var description: String { "veritysetup did not tell the root hash." }
}
