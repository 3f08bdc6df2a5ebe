// SPDX-License-Identifier: GPL-3.0-or-later
import Commands
import Foundation

extension Setting {
    /// What this machine is.
    ///
    /// - Parameters:
    ///   - commit: Needletail's commit.
    ///   - guestKernel: The release of the image's kernel.
    /// - Returns: The setting.
    /// - Throws: `CommandFailure` when a tool is missing.
    static func ofMachine(commit: String, guestKernel: String) async throws -> Setting {
        let emulator = try await firstLine("qemu-system-x86_64", "--version")
        let compiler = try await firstLine("swiftc", "--version")
        let hostKernel = try await firstLine("uname", "-r")
        return Setting(
            date: String(ISO8601DateFormatter().string(from: Date()).prefix(10)), commit: commit,
            machine: machine(
                processors: read("/proc/cpuinfo"), memory: read("/proc/meminfo")),
            hostKernel: hostKernel,
            emulator: "\(emulator), TCG, -cpu Nehalem, 2 processors", guestKernel: guestKernel, compiler: compiler,
            load: read("/proc/loadavg").split(separator: " ").first.flatMap { Double($0) } ?? 0)
    }

    /// Processor, cores and memory in words, from `/proc/cpuinfo` and `/proc/meminfo`.
    static func machine(processors: String, memory: String) -> String {
        func values(_ key: String, in text: String) -> [String] {
            text.split(separator: "\n").filter { $0.hasPrefix(key) }.compactMap { line in
                line.split(separator: ":", maxSplits: 1).dropFirst().first.map {
                    $0.trimmingCharacters(in: .whitespaces)
                }
            }
        }
        let models = values("model name", in: processors)
        let kibibytes = values("MemTotal", in: memory).first?.split(separator: " ").first.flatMap { Double($0) } ?? 0
        let gibibytes = Document.number(kibibytes / 1_048_576, digits: 0)
        return "\(models.first ?? "unknown processor"), \(models.count) cores, \(gibibytes) GiB"
    }

    private static func read(_ path: String) -> String { (try? String(contentsOfFile: path, encoding: .utf8)) ?? "" }

    private static func firstLine(_ program: String, _ argument: String) async throws -> String {
        let text = try await Command(program, [argument]).output()
        return text.split(separator: "\n").first.map(String.init) ?? "unknown"
    }
}
