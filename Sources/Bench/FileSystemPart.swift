// SPDX-License-Identifier: GPL-3.0-or-later
import Commands
import Foundation
import Image
import Media
import SystemPackage

extension Bench {
    /// A way of packing that is looked at.
    struct Candidate: Sendable {
        let name: String
        let packing: SystemImage.Packing

        static func squashFS(_ name: String, _ options: String...) -> Candidate {
            Candidate(name: "SquashFS \(name)", packing: .init(fileSystem: .squashfs, options: options))
        }

        static func erofs(_ name: String, _ options: String...) -> Candidate {
            Candidate(name: "EROFS \(name)", packing: .init(fileSystem: .erofs, options: options))
        }

        static let all: [Candidate] = [
            squashFS("zstd-19, 128 KiB", "-comp", "zstd", "-Xcompression-level", "19", "-b", "128K"),
            squashFS("zstd-19, 256 KiB", "-comp", "zstd", "-Xcompression-level", "19", "-b", "256K"),
            squashFS("zstd-19, 1 MiB", "-comp", "zstd", "-Xcompression-level", "19", "-b", "1M"),
            squashFS("xz, 256 KiB", "-comp", "xz", "-b", "256K"),
            squashFS("lz4hc, 128 KiB", "-comp", "lz4", "-Xhc", "-b", "128K"),
            erofs("lz4hc-12, 64 KiB", "-zlz4hc,level=12", "-C65536"),
            erofs("lz4hc-12, 64 KiB, deduplicated", "-zlz4hc,level=12", "-C65536", "-Ededupe,fragments,ztailpacking"),
            erofs("zstd-9, 64 KiB, fragments", "-zzstd,level=9", "-C65536", "-Efragments,ztailpacking"),
        ]
    }

    func fileSystem(work: FilePath) async throws -> PartReport {
        var report = PartReport(
            .filesystem, setting: try await setting(),
            method: [
                """
                The same system packed in several ways, by the tools of the build root, and started with dm-verity from a USB \
                stick on xHCI (BIOS, 1 GiB, no network), \(request.runs) times each, in turn. An emulated stick \
                answers at once; on a real one each megabyte read costs 10 to 50 ms, so "read at start" counts beside the \
                times.
                """
            ])
        let parts = try await ingredients(work: work)
        var sticks: [Stick] = []
        var made: [(size: Double, seconds: Double, isSame: Bool?)] = []
        let candidates = Candidate.all.filter { candidate in
            request.packings.isEmpty || request.packings.contains { candidate.name.contains($0) }
        }
        guard !candidates.isEmpty else {
            let names = Candidate.all.map { "\n    \($0.name)" }.joined()
            throw BenchFailure("No way of packing has such a name. There are:\(names)")
        }
        for (index, candidate) in candidates.enumerated() {
            let image = work.appending("system-\(index).img")
            let seconds = try await steps.step("Pack \(candidate.name)") {
                let begin = ContinuousClock.now
                try await parts.pack(candidate.packing, to: image)
                return (ContinuousClock.now - begin) / .seconds(1)
            }
            let isSame =
                candidate.packing == .shipped
                ? try await isPackedAlike(parts, candidate.packing, image, work: work) : nil
            made.append((try Self.size(of: image), seconds, isSame))
            let stick = work.appending("stick-\(index).img")
            try await steps.step("Make a stick of it") {
                try await parts.stick(candidate.packing, sealing: image, to: stick)
            }
            try FileManager.default.removeItem(atPath: image.string)
            sticks.append(Stick(name: candidate.name, image: stick))
        }
        let starts = try await starts(of: sticks, work: work, readsFiles: true)
        report.packings = zip(zip(candidates, made), starts).map { pair, starts in
            let (candidate, made) = pair
            return PackingFigures(
                name: candidate.name, options: candidate.packing.options, isShipped: candidate.packing == .shipped,
                size: made.size, packing: made.seconds, isReproducible: made.isSame,
                systemd: starts.series { $0.times.systemd }, defaultTarget: starts.series { $0.times.defaultTarget },
                read: starts.series(\.read), random: starts.series { $0.reading?.random },
                sequential: starts.series { $0.reading?.sequential }, available: starts.series(\.available))
        }
        report.notes = [
            """
            Why SquashFS with zstd-19 in blocks of 256 KiB: it starts as quickly as any, and only bigger blocks make it \
            smaller, which multiply random reads and what is read from the stick. lz4 saves no time at the start and costs \
            size: more than half of the image is kernel modules, which Debian has packed already. EROFS reads at random in \
            about half the time and is the one to look at again for a profile that reads more than it starts.
            """
        ]
        return report
    }

    private func isPackedAlike(
        _ parts: Ingredients, _ packing: SystemImage.Packing, _ image: FilePath, work: FilePath
    ) async throws -> Bool {
        let again = work.appending("again.img")
        defer { try? FileManager.default.removeItem(atPath: again.string) }
        try await steps.step("Pack it again") { try await parts.pack(packing, to: again) }
        return FileManager.default.contentsEqual(atPath: image.string, andPath: again.string)
    }
}
