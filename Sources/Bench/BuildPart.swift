// SPDX-License-Identifier: GPL-3.0-or-later
import Commands
import Foundation
import Image
import SystemPackage

extension Bench {
    func build(work: FilePath) async throws -> PartReport {
        var report = PartReport(
            .build, setting: try await setting(),
            method: [
                """
                The image of the profile from nothing, in a fresh clone of the commit with an empty cache, every package fetched \
                from the mirror: `needletail build` writes the stick's image and the DVD's, with reproducible bits, its list of \
                contents and dm-verity. The reference is Debian's live-build with the same package list (without \
                tiny-initramfs, whose place initramfs-tools takes), the same mirror, no recommended packages, no \
                installer, no zsync file, its usual boot loaders, security and updates: `lb build`. Each once: they take \
                minutes.
                """
            ])
        // Not in /tmp, which may be small, and not where a path is short for sockets: gigabytes, and no sockets.
        let folder = request.folder.appending("build-\(ProcessInfo.processInfo.processIdentifier)")
        try FileManager.default.createDirectory(atPath: folder.string, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder.string) }

        let clone = folder.appending("needletail")
        try await Command("git", ["clone", "--quiet", request.build.project.root.string, clone.string])
            .run(log: request.logs.appending("clone.log"))
        let compile = try await timed("Compile the tools from nothing") {
            try await Command(
                "swift", ["build", "--scratch-path", folder.appending("swift").string], workingDirectory: clone
            )
            .run(log: request.logs.appending("swift-build.log"))
        }
        let cold = try await timed("Build the image from nothing") { try await buildImage(of: clone, in: folder) }
        let source = clone.appending("System/Sources/BootStage/BootStage.swift")
        try Data((String(contentsOfFile: source.string, encoding: .utf8) + Self.change).utf8)
            .write(to: URL(filePath: source.string))
        let warm = try await timed("Build it again after a change of one Swift file") {
            try await buildImage(of: clone, in: folder)
        }
        let reference = try await timed("Build with live-build") { try await liveBuild(in: folder.appending("lb")) }
        let one = Series([cold])
        report.figures = [
            Figure(
                "Image from nothing, packages fetched", .seconds, ours: one, reference: Series([reference]),
                target: .ratio(0.6)),
            Figure(
                "The same with compiling all Swift (tools and boot stage)", .seconds, ours: Series([cold + compile]),
                reference: Series([reference]), target: .ratio(1.0)),
            Figure(
                "Again after a change of one Swift file of the boot stage (reference: our own build from nothing)",
                .seconds, ours: Series([warm]), reference: one, target: .ratio(0.3)),
        ]
        return report
    }

    /// A change that the compiler cannot overlook.
    private static let change = """

        /// Changes what the compiler makes of this file.
        public func benchmark(_ number: Int) -> Int { number &* 31 &+ 7 }

        """

    private func timed(_ name: String, _ body: @Sendable () async throws -> Void) async throws -> Double {
        try await request.turn.take {
            try await steps.step(name) {
                let begin = ContinuousClock.now
                try await body()
                return (ContinuousClock.now - begin) / .seconds(1)
            }
        }
    }

    private func buildImage(of clone: FilePath, in folder: FilePath) async throws {
        let mirror = request.build.mirror
        try await Command(
            request.program.string,
            [
                "build", "--profile", request.build.profile, "--cache", folder.appending("cache").string, "--output",
                folder.appending("out").string, "--mirror", mirror.debian, "--security-mirror", mirror.security,
            ], workingDirectory: clone
        ).run(log: request.logs.appending("needletail-build.log"))
    }
}
