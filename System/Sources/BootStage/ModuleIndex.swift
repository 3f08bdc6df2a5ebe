// SPDX-License-Identifier: GPL-3.0-or-later

/// Which kernel modules there are, what each needs, and which device wants which: kmod's text files.
/// See `man 5 modules.dep` and `man 8 depmod`.
struct ModuleIndex {
    /// One module of `modules.dep`.
    struct Module: Hashable {
        /// Its file, below the directory of the modules.
        let path: String
        /// The files that have to be loaded before it, in the order in which they must be loaded.
        let needs: [String]
    }

    private var modules: [String: Module] = [:]
    private var aliases: [Substring: [(pattern: Glob, name: String)]] = [:]
    private var builtIn: Set<String> = []

    /// Reads the three files. Lines that are not understood are passed over: one odd line must not keep a computer from
    /// starting, and a module that is then missing is reported when it is wanted.
    ///
    /// - Parameters:
    ///   - dependencies: the content of `modules.dep`.
    ///   - aliases: the content of `modules.alias`.
    ///   - builtIn: the content of `modules.builtin`.
    init(dependencies: String, aliases: String, builtIn: String) {
        for line in dependencies.split(separator: "\n") {
            guard let colon = line.firstIndex(of: ":") else { continue }
            let path = String(line[..<colon])
            let needs = line[line.index(after: colon)...].split(separator: " ").map(String.init)
            // depmod lists the nearest first; what they need comes after them.
            modules[Self.name(ofFile: path)] = Module(path: path, needs: needs.reversed())
        }
        for line in aliases.split(separator: "\n") {
            let words = line.split(separator: " ", omittingEmptySubsequences: true)
            guard words.count == 3, words[0] == "alias" else { continue }
            let name = Self.normalized(words[2])
            self.aliases[Self.bus(words[1]), default: []].append((Glob(words[1]), name))
        }
        self.builtIn = Set(builtIn.split(separator: "\n").map { Self.name(ofFile: $0) })
    }

    /// The module of a name, with `-` and `_` the same; `nil` when there is none.
    func module(_ name: String) -> Module? { modules[Self.normalized(name)] }

    /// Whether the kernel has a module built in.
    func isBuiltIn(_ name: String) -> Bool { builtIn.contains(Self.normalized(name)) }

    /// The names of the modules that want a device, in the order of `modules.alias`, each once.
    func modules(forDevice modalias: String) -> [String] {
        var names: [String] = []
        // Patterns that begin with a wildcard are under the empty bus.
        for bus in [Self.bus(modalias), ""] {
            for alias in aliases[bus] ?? [] where !names.contains(alias.name) && alias.pattern.matches(modalias) {
                names.append(alias.name)
            }
        }
        return names
    }

    static func name(ofFile path: some StringProtocol) -> String {
        let file = path.split(separator: "/").last ?? ""
        return normalized(file.prefix { $0 != "." })
    }

    static func normalized(_ name: some StringProtocol) -> String { String(name.map { $0 == "-" ? "_" : $0 }) }

    /// The part before the colon, which no pattern of another bus can match.
    private static func bus(_ alias: some StringProtocol) -> Substring {
        let bus = alias.prefix { $0 != ":" }
        return Substring(bus.contains { "*?[\\".contains($0) } ? "" : String(bus))
    }
}
