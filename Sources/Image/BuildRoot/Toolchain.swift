// SPDX-License-Identifier: GPL-3.0-or-later
import Commands
import Foundation
import SystemPackage

/// The machine's Swift toolchain, which compiles the guest's programs inside the build root.
struct Toolchain: Sendable {
    /// The folder that has `usr/bin/swift`.
    let root: FilePath
    /// The compiler's own words about its version.
    let version: String

    /// The toolchain that `swift` in `PATH` belongs to.
    static func fromMachine() async throws -> Toolchain {
        struct TargetInfo: Decodable {
            struct Paths: Decodable { let runtimeResourcePath: String }
            let compilerVersion: String
            let paths: Paths
        }
        let text = try await Command("swiftc", ["-print-target-info"]).output()
        let info = try JSONDecoder().decode(TargetInfo.self, from: Data(text.utf8))
        // …/usr/lib/swift
        let usr = FilePath(info.paths.runtimeResourcePath).removingLastComponent().removingLastComponent()
        return Toolchain(root: usr.removingLastComponent(), version: info.compilerVersion)
    }
}

/// Compiles the programs of the package `System/` inside the build root, linked statically.
struct Programs: Sendable {
    let buildRoot: BuildRoot
    let toolchain: Toolchain
    /// The folder `System/`.
    let sources: FilePath
    /// Where the compiler keeps what it made, for the next build.
    let scratch: FilePath
    let log: FilePath

    /// The program of the initramfs.
    static let bootStage = "needletail-init"

    /// Compiles every program as one that needs no library, and takes the symbols off those that are wanted.
    ///
    /// - Parameters:
    ///   - names: The programs that are wanted.
    ///   - folder: An existing folder, which gets a file for each.
    /// - Throws: `CommandFailure`, `CancellationError`.
    func compile(_ names: [String], to folder: FilePath) async throws {
        try FileManager.default.createDirectory(atPath: scratch.string, withIntermediateDirectories: true)
        try await buildRoot.command(
            "/mnt/swift/usr/bin/swift",
            [
                "build", "--package-path", "/mnt/System", "--scratch-path", "/mnt/scratch", "--disable-sandbox",
                "--cache-path", "/tmp/cache", "--config-path", "/tmp/config", "--security-path", "/tmp/security",
                "--configuration", "release", "--static-swift-stdlib",
                "-Xswiftc", "-static-executable", "-Xswiftc", "-Osize", "-Xswiftc", "-gnone",
            ],
            binds: [
                .reading(toolchain.root, at: "/mnt/swift"), .reading(sources, at: "/mnt/System"),
                .writing(scratch, at: "/mnt/scratch"),
            ],
            environment: ["PATH": "/mnt/swift/usr/bin:/usr/sbin:/usr/bin"]
        ).run(log: log)
        for name in names {
            try await buildRoot.command(
                "strip", ["--strip-all", "-o", "/mnt/out/\(name)", "/mnt/scratch/release/\(name)"],
                binds: [.reading(scratch, at: "/mnt/scratch"), .writing(folder, at: "/mnt/out")]
            ).run(log: log)
        }
    }
}
