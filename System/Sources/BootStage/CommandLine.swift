// SPDX-License-Identifier: GPL-3.0-or-later

/// What the boot menu asked for: the words of the kernel's command line that are the boot stage's own.
struct CommandLine: Hashable {
    /// Run from memory: copy the system image there, so that the medium can be taken out.
    var isToRAM = false
    /// Say more on the console.
    var isVerbose = false
    /// Parameters of modules by the modules' names, `-` read as `_`: the words `module.parameter=value`, which modprobe too
    /// takes from here (`man 8 modprobe`).
    var moduleParameters: [String: String] = [:]

    /// Reads a command line. Words that it does not know belong to the kernel or to systemd, and are passed over.
    /// What follows `--` is for PID 1's arguments and never holds our words.
    ///
    /// - Parameter text: the content of `/proc/cmdline`.
    init(parsing text: String) {
        for word in Self.words(text) {
            switch word {
            case "needletail.toram", "needletail.toram=1": isToRAM = true
            case "needletail.verbose", "needletail.verbose=1": isVerbose = true
            case "--": return
            default: takeModuleParameter(word)
            }
        }
    }

    private mutating func takeModuleParameter(_ word: String) {
        let name = word.prefix { $0 != "=" }
        guard let dot = name.firstIndex(of: "."), dot > name.startIndex else { return }
        let module = ModuleIndex.normalized(name[..<dot].utf8)
        // The last word for a parameter is the one that counts: the kernel reads them in order.
        let parameter = word[word.index(after: dot)...]
        moduleParameters[module, default: ""] += (moduleParameters[module] == nil ? "" : " ") + parameter
    }

    /// Splits at blanks that are not between double quotes, as the kernel does.
    static func words(_ text: String) -> [String] {
        var words: [String] = []
        var word = ""
        var isQuoted = false
        for character in text {
            switch character {
            case "\"": isQuoted.toggle()
            case " ", "\t", "\n":
                if isQuoted {
                    word.append(character)
                } else if !word.isEmpty {
                    words.append(word)
                    word = ""
                }
            default: word.append(character)
            }
        }
        return word.isEmpty ? words : words + [word]
    }
}
