// SPDX-License-Identifier: GPL-3.0-or-later
import Commands
import Foundation
import Image
import SystemPackage
import Testbed

/// Stock Debian: the live system that Debian's live-build makes of our package list, with all its defaults.
extension Bench {
    /// The hybrid image that live-build made last.
    var liveBuildImage: FilePath { request.folder.appending("live-build.iso") }
    /// The packages that it was asked for.
    private var liveBuildList: FilePath { request.folder.appending("live-build.list") }

    /// Makes the hybrid image, unless there is one of the same packages.
    ///
    /// - Throws: `BenchFailure`, `CommandFailure`.
    func makeLiveBuildImage() async throws {
        let made = try? String(contentsOfFile: liveBuildList.string, encoding: .utf8)
        guard try made != liveBuildPackages() || !FileManager.default.fileExists(atPath: liveBuildImage.string) else {
            return
        }
        let folder = request.folder.appending("lb-\(ProcessInfo.processInfo.processIdentifier)")
        defer { try? FileManager.default.removeItem(atPath: folder.string) }
        try await request.turn.take {
            try await steps.step("Build with live-build") { try await liveBuild(in: folder) }
        }
    }

    /// The hybrid image as a stick. QEMU starts its kernel with the words of its own menu, which would wait for a key.
    ///
    /// - Parameters:
    ///   - parts: For the tools.
    ///   - work: Where its kernel is put.
    /// - Returns: The stick.
    /// - Throws: `BenchFailure`, `CommandFailure`.
    func stockStick(_ parts: Ingredients, work: FilePath) async throws -> Stick {
        try await makeLiveBuildImage()
        let folder = work.appending("stock")
        try FileManager.default.createDirectory(atPath: folder.string, withIntermediateDirectories: true)
        let files = ["/live/vmlinuz": "vmlinuz", "/live/initrd.img": "initramfs", "/isolinux/live.cfg": "menu"]
        try await parts.buildRoot.command(
            "xorriso",
            ["-osirrox", "on", "-indev", "/mnt/image.iso"]
                + files.flatMap { ["-extract", $0.key, "/mnt/files/\($0.value)"] },
            binds: [.reading(liveBuildImage, at: "/mnt/image.iso"), .writing(folder, at: "/mnt/files")]
        ).run(log: request.logs.appending("stock.log"))
        let menu = try String(contentsOfFile: folder.appending("menu").string, encoding: .utf8)
        guard let words = Self.firstCommandLine(inMenu: menu) else {
            throw BenchFailure("The menu of \(liveBuildImage) names no command line for its kernel.")
        }
        return Stick(
            name: "Debian Live", image: liveBuildImage,
            kernel: MachineDescription.Kernel(
                image: folder.appending("vmlinuz"), initramfs: folder.appending("initramfs"), commandLine: words))
    }

    /// The kernel's words of a menu's first entry. See SYSLINUX's manual, `APPEND`.
    static func firstCommandLine(inMenu menu: String) -> String? {
        menu.split(whereSeparator: \.isNewline).lazy.map { $0.split(whereSeparator: \.isWhitespace) }
            .first { $0.first?.lowercased() == "append" && $0.count > 1 }
            .map { $0.dropFirst().joined(separator: " ") }
    }

    private func liveBuildPackages() throws -> String {
        let profile = try request.build.project.profile(request.build.profile)
        let names = profile.packages.map(\.value).filter { $0 != "tiny-initramfs" && !$0.hasPrefix("linux-image-") }
        return names.joined(separator: "\n") + "\n"
    }

    /// Builds with live-build and keeps the hybrid image.
    func liveBuild(in folder: FilePath) async throws {
        guard geteuid() == 0 else {
            throw BenchFailure("live-build runs only as root. Measure this part as root.")
        }
        guard FileManager.default.fileExists(atPath: "/usr/bin/lb") else {
            throw BenchFailure("live-build is missing. Install Debian's package 'live-build'.")
        }
        try FileManager.default.createDirectory(atPath: folder.string, withIntermediateDirectories: true)
        let log = request.logs.appending("live-build.log")
        try? FileManager.default.removeItem(atPath: log.string)
        let mirror = request.build.mirror
        var options = [
            "--mode", "debian", "--distribution", try request.build.project.profile(request.build.profile).suite,
            "--architecture", "amd64", "--archive-areas", "main",
            "--apt-recommends", "false", "--security", "true", "--updates", "true", "--backports", "false",
            "--debian-installer", "none", "--binary-images", "iso-hybrid", "--linux-packages", "linux-image",
            "--linux-flavours", "amd64", "--firmware-binary", "false", "--firmware-chroot", "false", "--memtest",
            "none",
            "--cache", "false", "--apt-indices", "false", "--zsync", "false",
        ]
        for kind in ["bootstrap", "chroot", "binary"] { options += ["--mirror-\(kind)", mirror.debian + "/"] }
        for kind in ["chroot", "binary"] { options += ["--mirror-\(kind)-security", mirror.security + "/"] }
        try await Command("lb", ["config", "noauto"] + options, workingDirectory: folder).run(log: log)
        let packages = try liveBuildPackages()
        let lists = folder.appending("config/package-lists")
        try FileManager.default.createDirectory(atPath: lists.string, withIntermediateDirectories: true)
        try Data(packages.utf8).write(to: URL(filePath: lists.appending("needletail.list.chroot").string))
        // Namespaces of its own: none of its mounts outlives it, however it ends.
        var command = Command(
            "unshare", ["--mount", "--pid", "--fork", "--kill-child=SIGKILL", "--mount-proc", "lb", "build", "noauto"],
            workingDirectory: folder)
        command.gracePeriod = .milliseconds(10)
        try await command.run(log: log)
        let made = try FileManager.default.contentsOfDirectory(atPath: folder.string).first {
            $0.hasSuffix(".hybrid.iso")
        }
        guard let made else { throw BenchFailure("live-build made no hybrid image. See \(log).") }
        try? FileManager.default.removeItem(atPath: liveBuildImage.string)
        try FileManager.default.moveItem(atPath: folder.appending(made).string, toPath: liveBuildImage.string)
        try Data(packages.utf8).write(to: URL(filePath: liveBuildList.string))
    }
}
