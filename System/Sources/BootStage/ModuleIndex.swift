// SPDX-License-Identifier: GPL-3.0-or-later

/// Which kernel modules there are, what each needs, and which device wants which: kmod's text files.
/// See `man 5 modules.dep`, `man 5 modprobe.d` and `man 8 depmod`.
///
/// All work is on bytes: this runs before anything else, and text by characters took a second of every start.
struct ModuleIndex {
    /// One module of `modules.dep`.
    struct Module: Hashable {
        /// Its file, below the directory of the modules.
        let path: String
        /// The files that have to be loaded before it, in the order in which they must be loaded.
        let needs: [String]
        /// Modules or aliases that it wants loaded before, though it does not link to them (`softdep … pre:`).
        var wants: [String] = []
    }

    private struct Alias {
        let pattern: Glob
        let name: String
    }

    private var modules: [String: Module] = [:]
    private var aliases: [ArraySlice<UInt8>: [Alias]] = [:]
    private var builtIn: Set<String> = []

    /// Reads the files. Lines that are not understood are passed over: one odd line must not keep a computer from
    /// starting, and a module that is then missing is reported when it is wanted.
    ///
    /// - Parameters:
    ///   - dependencies: the content of `modules.dep`.
    ///   - aliases: the content of `modules.alias`.
    ///   - builtIn: the content of `modules.builtin`.
    ///   - soft: the content of `modules.softdep`; may be empty.
    init(dependencies: [UInt8], aliases: [UInt8], builtIn: [UInt8], soft: [UInt8] = []) {
        for line in dependencies.split(separator: Self.newline) {
            let words = line.split(separator: Self.blank)
            guard let first = words.first, first.last == UInt8(ascii: ":") else { continue }
            let path = first.dropLast()
            // depmod lists the nearest first; what they need comes after them.
            let needs = words.dropFirst().reversed().map { String(decoding: $0, as: UTF8.self) }
            modules[Self.name(ofFile: path)] = Module(path: String(decoding: path, as: UTF8.self), needs: needs)
        }
        for line in aliases.split(separator: Self.newline) {
            let words = line.split(separator: Self.blank)
            guard words.count == 3, words[0].elementsEqual("alias".utf8) else { continue }
            self.aliases[Self.bus(words[1]), default: []].append(
                Alias(pattern: Glob(words[1]), name: Self.normalized(words[2])))
        }
        for line in soft.split(separator: Self.newline) {
            let words = line.split(separator: Self.blank)
            guard words.count > 3, words[0].elementsEqual("softdep".utf8), words[2].elementsEqual("pre:".utf8) else {
                continue
            }
            let wants = words[3...].prefix { $0.last != UInt8(ascii: ":") }
            modules[Self.normalized(words[1])]?.wants += wants.map { String(decoding: $0, as: UTF8.self) }
        }
        self.builtIn = Set(builtIn.split(separator: Self.newline).map { Self.name(ofFile: $0) })
    }

    /// The module of a name, with `-` and `_` the same; `nil` when there is none.
    func module(_ name: String) -> Module? { modules[Self.normalized(name.utf8)] }

    /// Whether the kernel has a module built in.
    func isBuiltIn(_ name: String) -> Bool { builtIn.contains(Self.normalized(name.utf8)) }

    /// The names of the modules that want a device, or answer to an alias, in the order of `modules.alias`, each once.
    func modules(forDevice modalias: String) -> [String] {
        let text = Array(modalias.utf8)
        var names: [String] = []
        // Patterns that begin with a wildcard are under the empty bus.
        for bus in [Self.bus(text[...]), []] {
            for alias in aliases[bus] ?? [] where !names.contains(alias.name) && alias.pattern.matches(text) {
                names.append(alias.name)
            }
        }
        return names
    }

    static func name(ofFile path: some BidirectionalCollection<UInt8>) -> String {
        let start = path.lastIndex(of: UInt8(ascii: "/")).map(path.index(after:)) ?? path.startIndex
        return normalized(path[start...].prefix { $0 != UInt8(ascii: ".") })
    }

    static func normalized(_ name: some Collection<UInt8>) -> String {
        String(decoding: name.map { $0 == UInt8(ascii: "-") ? UInt8(ascii: "_") : $0 }, as: UTF8.self)
    }

    private static let newline = UInt8(ascii: "\n")
    private static let blank = UInt8(ascii: " ")

    /// The part before the colon, which no pattern of another bus can match.
    private static func bus(_ alias: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        let bus = alias.prefix { $0 != UInt8(ascii: ":") }
        return bus.contains { "*?[\\".utf8.contains($0) } ? [] : bus
    }
}
