// SPDX-License-Identifier: GPL-3.0-or-later
import Foundation
import SystemPackage

/// The kernel of the installed system: its release, its image, and its modules' tables (`modules.dep(5)`).
struct Kernel {
    /// The release, as `uname -r` says it.
    let release: String
    /// The tree in which it lies.
    let tree: SystemTree
    /// The archive with the contents.
    let source: Data

    /// The only kernel of a tree.
    init(in tree: SystemTree, source: Data) throws {
        let releases = Set(
            tree.entries.keys.filter { $0.hasPrefix("usr/lib/modules/") }
                .compactMap { $0.split(separator: "/").dropFirst(3).first.map(String.init) })
        guard releases.count == 1, let release = releases.first else {
            throw KernelError.notOne(releases.sorted())
        }
        self.release = release
        self.tree = tree
        self.source = source
    }

    /// The kernel's image, signed by Debian.
    func image() throws -> [UInt8] {
        guard let bytes = tree.bytes(of: "boot/vmlinuz-\(release)", in: source) else {
            throw KernelError.missing("boot/vmlinuz-\(release)")
        }
        return bytes
    }

    /// The folder of the modules, without a slash at its end.
    var folder: String { "usr/lib/modules/\(release)" }

    /// The modules that a list names and all that they need, as paths below the folder, with their packed endings.
    ///
    /// - Throws: `KernelError.noModule` for a pattern that matches neither a module nor what is built into the kernel.
    func select(_ list: InitramfsList) throws -> [String] {
        let dependencies = try self.dependencies()
        let builtin = try text("modules.builtin").split(separator: "\n").map(String.init)
        var wanted: Set<String> = []
        for rule in list.modules {
            let pattern = PathPattern(rule.path)
            let found = dependencies.keys.filter { pattern.matches(Self.stem($0)) }
            if found.isEmpty, !builtin.contains(where: { pattern.matches(Self.stem($0)) }) {
                throw KernelError.noModule(rule.path, release: release)
            }
            wanted.formUnion(found)
        }
        var queue = Array(wanted)
        while let module = queue.popLast() {
            for needed in dependencies[module] ?? [] where wanted.insert(needed).inserted {
                queue.append(needed)
            }
        }
        return wanted.sorted()
    }

    /// `modules.dep`, `modules.alias`, `modules.softdep` and `modules.builtin` with only what concerns the given modules, which lie there
    /// unpacked.
    func tables(for modules: [String]) throws -> [(name: String, text: String)] {
        let dependencies = try self.dependencies()
        let kept = Set(modules)
        let dep = modules.map { module in
            let needed = (dependencies[module] ?? []).filter(kept.contains).map(Self.unpacked)
            return "\(Self.unpacked(module)):" + needed.map { " \($0)" }.joined() + "\n"
        }.joined()
        let names = Set(modules.map(Self.name))
        func lines(_ file: String, position: Int) throws -> String {
            try text(file).split(separator: "\n").filter { line in
                let words = line.split(separator: " ")
                return words.count > position && names.contains(String(words[position]).replacing("-", with: "_"))
            }.map { "\($0)\n" }.joined()
        }
        return [
            ("modules.dep", dep),
            ("modules.alias", try lines("modules.alias", position: 2)),
            ("modules.softdep", try lines("modules.softdep", position: 1)),
            ("modules.builtin", try text("modules.builtin")),
        ]
    }

    /// A module's bytes as they lie in the tree.
    func bytes(of module: String) throws -> [UInt8] {
        guard let bytes = tree.bytes(of: "\(folder)/\(module)", in: source) else { throw KernelError.missing(module) }
        return bytes
    }

    private func text(_ name: String) throws -> String {
        guard let bytes = tree.bytes(of: "\(folder)/\(name)", in: source) else {
            throw KernelError.missing("\(folder)/\(name)")
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private func dependencies() throws -> [String: [String]] {
        var result: [String: [String]] = [:]
        for line in try text("modules.dep").split(separator: "\n") {
            let parts = line.split(separator: ":", maxSplits: 1)
            guard let module = parts.first else { continue }
            result[String(module)] = parts.count > 1 ? parts[1].split(separator: " ").map(String.init) : []
        }
        return result
    }

    /// The path without `.ko` and the packing's ending.
    static func stem(_ path: String) -> String {
        String(path.prefix(upTo: path.firstRange(of: ".ko")?.lowerBound ?? path.endIndex))
    }

    /// The path of the module when it is unpacked.
    static func unpacked(_ path: String) -> String { stem(path) + ".ko" }

    /// The module's name as the kernel says it.
    static func name(_ path: String) -> String {
        String(stem(path).split(separator: "/").last ?? "").replacing("-", with: "_")
    }
}

/// What is wrong with the kernel of an image.
enum KernelError: Error, CustomStringConvertible {
    case notOne([String])
    case missing(String)
    case noModule(String, release: String)

    var description: String {
        switch self {
        case .notOne(let releases):
            releases.isEmpty
                ? "The profile's packages bring no kernel; is linux-image-amd64 among them?"
                : "The profile's packages bring more than one kernel: \(releases.joined(separator: ", "))."
        case .missing(let path): "The kernel's package did not bring \(path)."
        case .noModule(let path, let release):
            "image/initramfs.yaml: '\(path)' matches no module of kernel \(release). Was it renamed?"
        }
    }
}
