// SPDX-License-Identifier: GPL-3.0-or-later
import Commands
import Foundation
import Image
import Media
import SystemPackage
import Testbed
import Testing

/// All tests that boot the shipped image. Each suite waits for its turn.
@Suite("The shipped system")
enum SystemTests {}

/// The image as it is in `out/`, and what it is made of.
struct ShippedImage: Sendable {
    let folder: FilePath
    let manifest: Manifest

    /// The source tree.
    static let project = FilePath(#filePath).removingLastComponent().removingLastComponent().removingLastComponent()
    /// The program under test.
    static let program = project.appending(".build/debug/needletail")

    var stick: FilePath { folder.appending(Builder.outputNames(of: manifest.profile)[0]) }
    var disc: FilePath { folder.appending(Builder.outputNames(of: manifest.profile)[1]) }

    /// The image of the profile that `NEEDLETAIL_PROFILE` names, `core` otherwise.
    static func find() throws -> ShippedImage {
        let profile = ProcessInfo.processInfo.environment["NEEDLETAIL_PROFILE"] ?? "core"
        let folder = project.appending("out")
        let path = folder.appending(Builder.outputNames(of: profile)[3])
        let data = try #require(
            FileManager.default.contents(atPath: path.string), "There is no \(path). Build the image first: make image")
        return ShippedImage(folder: folder, manifest: try JSONDecoder().decode(Manifest.self, from: data))
    }

    /// The stick's table of partitions.
    func table(of image: FilePath) throws -> GPT {
        let file = try FileDescriptor.open(image, .readOnly)
        defer { try? file.close() }
        var bytes = [UInt8](repeating: 0, count: 1 << 20)
        let count = try bytes.withUnsafeMutableBytes { try file.read(fromAbsoluteOffset: 0, into: $0) }
        return try GPT(parsing: Array(bytes[..<count]))
    }

    /// Where the system begins on a medium, in bytes.
    func systemOffset(of image: FilePath) throws -> UInt64 {
        let unique = try #require(GUID(manifest.systemPartition))
        let entry = try #require(try table(of: image).partition(unique: unique), "The table does not list the system.")
        return entry.partition.firstSector * 512
    }

    /// A kernel to be started directly, with the shipped kernel, initramfs and command line, and a serial console: quicker
    /// than the boot menu, for tests of what comes after it.
    func kernel(in work: FilePath, adding words: String = "") async throws -> MachineDescription.Kernel {
        let partition = try #require(try table(of: stick).partitions.first { $0.type == .efiSystem })
        let source = "\(stick)@@\(partition.firstSector * 512)"
        for name in ["vmlinuz", "initramfs"] {
            _ = try await Command("mcopy", ["-n", "-i", source, "::/needletail/\(name)", work.appending(name).string])
                .output()
        }
        let menu = try await Command("mtype", ["-i", source, "::/EFI/debian/grub.cfg"]).output()
        let line = try #require(
            menu.split(separator: "\n").first {
                $0.contains("linux /needletail/vmlinuz") && $0.contains("toram") == false
            })
        let options = line.split(separator: " ").dropFirst(2).filter { $0 != "quiet" }.joined(separator: " ")
        return MachineDescription.Kernel(
            image: work.appending("vmlinuz"), initramfs: work.appending("initramfs"),
            commandLine: "\(options) \(words) console=ttyS0")
    }

    /// A copy of the stick's image that a test may damage.
    func copy(to path: FilePath) async throws -> FilePath {
        _ = try await Command("cp", ["--sparse=always", "--reflink=auto", stick.string, path.string]).output()
        return path
    }
}

/// Runs a body with an empty folder whose path is short enough for sockets.
func withWork<Value>(_ body: (FilePath) async throws -> Value) async throws -> Value {
    let folder = FilePath("/tmp/nt-\(UUID().uuidString.prefix(8))")
    try FileManager.default.createDirectory(atPath: folder.string, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder.string) }
    return try await body(folder)
}

/// Runs a body with a machine that has no network.
func withMachine<Value>(
    _ description: MachineDescription, work: FilePath, _ body: (Machine) async throws -> Value
) async throws -> Value {
    let sandbox = try await Sandbox.open(work: work.appending("box"))
    do {
        let value = try await Machine.with(description, in: sandbox) { try await body($0) }
        await sandbox.close()
        return value
    } catch {
        await sandbox.close()
        throw error
    }
}

/// What the boot stage wrote about itself, read in the running system.
struct BootReport: Decodable {
    struct Medium: Decodable {
        let device: String
        let bus: String
        let removable: Bool
    }
    let version: String
    let medium: Medium
    let toram: Bool
    let phases: [String: Double]

    static func read(from machine: Machine) async throws -> BootReport {
        let text = try await machine.shell.output("cat /run/needletail/boot.json")
        return try JSONDecoder().decode(BootReport.self, from: Data(text.utf8))
    }
}

extension ShippedImage {
    /// The source of the program that tries to get round the walls.
    static let probe = project.appending("Tests/Probe")
}
