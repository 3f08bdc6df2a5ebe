// SPDX-License-Identifier: GPL-3.0-or-later
import Commands
import Foundation
import SystemPackage

/// A program in C that tests compile here and run in a guest. It is in no image.
struct GuestProgram: Sendable {
    /// Where it is in a guest.
    struct Place: Sendable {
        /// Its name, and that of its file system.
        let name: String
        /// The folder that is its file system.
        var folder: String { "/run/\(name)" }
        /// The program.
        var path: String { "\(folder)/\(name)" }
    }

    /// The compiled program.
    let file: FilePath
    private let place: Place

    /// Compiles it; takes about a second.
    ///
    /// - Parameters:
    ///   - source: The folder with its source.
    ///   - file: The program to be made; its folder has to exist.
    ///   - place: Where it goes in a guest.
    /// - Throws: `CommandFailure` with the compiler's words.
    init(source: FilePath, file: FilePath, place: Place) async throws {
        let files = try FileManager.default.contentsOfDirectory(atPath: source.string).filter { $0.hasSuffix(".c") }
        // Static: the guest has other libraries than this machine.
        let words = ["-std=gnu17", "-Wall", "-Wno-format-truncation", "-static", "-Os", "-s", "-o", file.string]
        _ = try await Command("cc", words + files.sorted().map { source.appending($0).string }).output()
        // Once, here: several machines may want it at the same time.
        _ = try await Command("gzip", ["-9", "-k", "-f", file.string]).output()
        self.file = file
        self.place = place
    }

    /// Brings it into a guest through the root shell, unless it is there: a small file system of its own, read-only when it is there,
    /// because nothing that can be written to in the guest may be executed.
    ///
    /// - Throws: `CommandFailure`, `ShellFailure`, and Foundation's error when the packed program cannot be read.
    func install(in shell: GuestShell) async throws {
        guard try await shell.run("test -x \(place.path)").status != 0 else { return }
        let data = try Data(contentsOf: URL(filePath: file.string + ".gz"))
        try await shell.output(
            """
            mkdir -p \(place.folder)
            mount -t tmpfs -o mode=755,nosuid,nodev,size=4m \(place.name) \(place.folder)
            """)
        try await shell.write(Array(data), to: "\(place.path).gz")
        try await shell.output(
            "gzip -d \(place.path).gz && chmod 755 \(place.path) && mount -o remount,ro \(place.folder)")
    }
}
