// SPDX-License-Identifier: GPL-3.0-or-later
import SystemPackage

/// Why a medium could not be put together.
public enum MediaFailure: Error, Equatable, CustomStringConvertible {
    /// A file could not be read.
    case unreadable(FilePath, Errno)
    /// A file could not be written.
    case unwritable(FilePath, Errno)
    /// A part has a size that cannot be: the file, and what is wrong with it as the end of a sentence.
    case part(FilePath, String)
    /// A template has a placeholder that nothing is known for.
    case placeholder(String, line: Int)
    /// A word of the kernel's command line that GRUB could not hand on unchanged.
    case kernelWord(String)
    /// A version that cannot be shown in the boot menu.
    case version(String)
    /// GRUB's boot code is not what the builder knows how to install.
    case bootCode(String)
    /// The disc image that xorriso made lacks something.
    case disc(String)

    /// What is wrong and what to do, for a person.
    public var description: String {
        switch self {
        case .unreadable(let path, let error): "\(path) cannot be read: \(error)."
        case .unwritable(let path, .noSpace), .unwritable(let path, Errno(rawValue: 122)):
            "\(path) cannot be written: its disk is full. Make room there, or choose another folder, and build again."
        case .unwritable(let path, let error): "\(path) cannot be written: \(error)."
        case .part(let path, let problem): "\(path) cannot be put on a medium: it \(problem)."
        case .placeholder(let name, let line):
            "Line \(line) of the boot menu's template has the unknown placeholder '@\(name)@'."
        case .kernelWord(let word):
            """
            '\(word)' cannot be a word of the kernel's command line. GRUB hands words on unchanged only when they have \
            no spaces, quotes, backslashes or characters outside ASCII; write it in another way.
            """
        case .version(let version):
            "'\(version)' cannot be a version: use letters, digits and the characters . + ~ - only, at most 40."
        case .bootCode(let problem):
            """
            GRUB's boot code in the build root is not of the kind that this program can install: \(problem). Was the \
            package grub-pc-bin changed? Lock it to the version that worked before.
            """
        case .disc(let problem): "The disc image that xorriso made cannot be completed: \(problem)."
        }
    }
}
