// SPDX-License-Identifier: GPL-3.0-or-later
import Commands
import Foundation
import Image
import SystemPackage
import Testbed

extension Bench {
    func boot(work: FilePath) async throws -> PartReport {
        var report = PartReport(
            .boot, setting: try await setting(),
            method: [
                """
                A stick as it is built, and as reference Debian's live-boot in an initramfs of initramfs-tools with the same \
                kernel, the same kernel command line, the same GRUB with the same menu and partitions, and the same files of \
                the system in a SquashFS (\(Self.reference.options.joined(separator: " "))) on a FAT partition. Neither has a \
                network card. Both start from a USB stick on xHCI with BIOS, `-cpu Nehalem`, 2 processors and 1 GiB, \
                \(request.runs) times in turn. "Root switched" is the moment at which systemd begins \
                (`UserspaceTimestampMonotonic`), "default target" is `FinishTimestampMonotonic`; power-on is by the clock of the \
                machine that emulates. Needletail verifies each block that it reads and loads its firewall in that time; the \
                reference does neither.
                """
            ])
        let parts = try await ingredients(work: work)
        let sticks = try await sticks(
            parts, words: [], liveBoot: parts.kernelCommandLine + ["boot=live"], work: work)
        let starts = try await starts(of: [sticks.ours, sticks.reference], work: work, readsFiles: false)
        let (own, theirs) = (starts[0], starts[1])
        func figure(_ name: String, _ target: Target? = nil, _ value: (BootTimes) -> Double?) -> Figure {
            Figure(
                name, .seconds, ours: own.series { value($0.times) }, reference: theirs.series { value($0.times) },
                target: target)
        }
        report.figures = [
            figure("Kernel start to root switched", .ratio(0.2)) { $0.systemd },
            figure("Power-on to default target", .ratio(0.45)) { $0.total },
            figure("Power-on to kernel start: firmware, GRUB's two seconds, reading kernel and initramfs") {
                $0.firmware
            },
            figure("Root switched to default target") { times in
                times.systemd.flatMap { begin in times.defaultTarget.map { $0 - begin } }
            },
            Figure(
                "Read from the stick until then", .megabytes, ours: own.series(\.read),
                reference: theirs.series(\.read)),
        ]
        report.phases = (own.first?.phases.names ?? []).map { name in
            PhaseFigures(name: name, seconds: own.series { $0.phases.seconds[name] })
        }
        report.phases.append(PhaseFigures(name: "systemd", seconds: own.series { $0.times.systemd }))
        report.phases.append(PhaseFigures(name: "default target", seconds: own.series { $0.times.defaultTarget }))
        return report
    }

    /// How the reference's system is packed.
    static let reference = SystemImage.Packing(
        fileSystem: .squashfs, options: ["-comp", "zstd", "-Xcompression-level", "19", "-b", "256K"])

    /// Makes the two sticks that are compared, both from the same archive of the system, whatever lies in the output folder.
    ///
    /// - Parameters:
    ///   - parts: What they are made of.
    ///   - words: Words for our kernel, beside those that it always has.
    ///   - commandLine: All words for the reference's kernel.
    ///   - work: Where they are made.
    /// - Returns: Ours, and one that starts with Debian's live-boot and is else the same.
    /// - Throws: What making them throws.
    func sticks(
        _ parts: Ingredients, words: [String], liveBoot commandLine: [String], work: FilePath
    ) async throws -> (ours: Stick, reference: Stick) {
        let system = work.appending("system.img")
        try await steps.step("Pack the system") { try await parts.pack(Self.reference, to: system) }
        let reference = work.appending("live-boot.img")
        try await liveBootStick(parts, system: system, commandLine: commandLine, work: work, to: reference)
        if SystemImage.Packing.shipped != Self.reference {
            try await steps.step("Pack the system as it is shipped") { try await parts.pack(.shipped, to: system) }
        }
        let ours = work.appending("needletail.img")
        try await steps.step("Make a stick of it") {
            try await parts.stick(.shipped, sealing: system, words: words, to: ours)
        }
        return (Stick(name: "Needletail", image: ours), Stick(name: "live-boot", image: reference))
    }

    private func liveBootStick(
        _ parts: Ingredients, system: FilePath, commandLine: [String], work: FilePath, to path: FilePath
    ) async throws {
        let boot = work.appending("live-boot")
        try FileManager.default.createDirectory(atPath: boot.string, withIntermediateDirectories: true)
        let log = request.logs.appending("live-boot.log")
        let initramfs = boot.appending("boot/initrd.img-\(parts.kernelRelease)")
        try await steps.step("Make live-boot's initramfs") {
            let mirror = request.build.mirror
            let suite = try Lock.read(request.build.project.lockPath(request.build.profile)).suite
            // As in debian-live's own images: initramfs-tools with its defaults, BusyBox, live-boot.
            let packages = [
                "linux-image-\(parts.kernelRelease)", "live-boot", "live-boot-initramfs-tools", "initramfs-tools",
                "busybox", "zstd",
            ]
            var command = Command(
                "mmdebstrap",
                [
                    "--variant=apt", "--format=null", "--include=\(packages.joined(separator: ","))",
                    "--aptopt=APT::Install-Recommends \"false\"", "--customize-hook=copy-out /boot \(boot)", suite,
                    "-", "deb \(mirror.debian) \(suite) main", "deb \(mirror.debian) \(suite)-updates main",
                    "deb \(mirror.security) \(suite)-security main",
                ], environment: ["TMPDIR": work.string])
            command.gracePeriod = .seconds(20)
            try await command.run(log: log)
            guard FileManager.default.fileExists(atPath: initramfs.string) else {
                throw BenchFailure("initramfs-tools made no \(initramfs.lastComponent?.string ?? ""). See \(log).")
            }
        }
        let partition = boot.appending("partition.img")
        try await steps.step("Make a stick that starts with live-boot") {
            // A tenth more than the file, for the FAT and whole clusters.
            let size = (Int(try Self.size(of: system) * 1.1e6) >> 20 + 16) << 20
            _ = FileManager.default.createFile(atPath: partition.string, contents: nil)
            let file = try FileDescriptor.open(partition, .writeOnly)
            defer { try? file.close() }
            try file.resize(to: Int64(size))
            for (tool, arguments) in [
                ("mkfs.vfat", ["-F", "32", "/mnt/image"]), ("mmd", ["-i", "/mnt/image", "::/live"]),
                ("mcopy", ["-i", "/mnt/image", "/mnt/system", "::/live/filesystem.squashfs"]),
            ] {
                try await parts.buildRoot.command(
                    tool, arguments,
                    binds: [.writing(partition, at: "/mnt/image"), .reading(system, at: "/mnt/system")]
                ).run(log: log)
            }
            try await parts.stick(initramfs: initramfs, system: partition, commandLine: commandLine, to: path)
        }
        try? FileManager.default.removeItem(atPath: boot.string)
    }
}
