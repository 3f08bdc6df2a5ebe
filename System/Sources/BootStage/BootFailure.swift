// SPDX-License-Identifier: GPL-3.0-or-later

/// Why the system cannot be started. Each has a screen in ``Message`` and a code for programs and tests.
enum BootFailure: Error, Hashable {
    /// The initramfs or the kernel lacks something: the image was built wrong.
    case incomplete(String)
    /// The computer has too little memory.
    case tooLittleMemory(found: UInt64, needed: UInt64)
    /// No disk carries the system partition.
    case mediumNotFound(seen: [String])
    /// Two media carry it and nothing tells which one was started.
    case severalMedia([String])
    /// The medium was taken out.
    case mediumRemoved(String)
    /// The system partition ends too early.
    case systemCutShort(String)
    /// The hashes of the system are not where they should be.
    case verityMissing(String)
    /// What was read is not what was written, or could not be read.
    case systemDamaged(String)
    /// There is not enough memory for running from memory.
    case noMemoryForToRAM(needed: UInt64, available: UInt64)
    /// The file tree could not be set up.
    case root(String)
    /// The firewall could not be loaded.
    case firewall(String)
    /// The namespaces, or the links to them, could not be made.
    case namespaces(String)
    /// systemd could not be started.
    case handover(String)

    /// The code of the line `needletail: failed: CODE: …`.
    var code: String {
        switch self {
        case .incomplete: "incomplete"
        case .tooLittleMemory: "too-little-memory"
        case .mediumNotFound: "medium-not-found"
        case .severalMedia: "several-media"
        case .mediumRemoved: "medium-removed"
        case .systemCutShort: "system-cut-short"
        case .verityMissing: "verity-missing"
        case .systemDamaged: "system-damaged"
        case .noMemoryForToRAM: "no-memory-for-toram"
        case .root: "root"
        case .firewall: "firewall"
        case .namespaces: "namespaces"
        case .handover: "handover"
        }
    }

    /// Whether the page shows the particulars already.
    var isDetailOnPage: Bool {
        switch self {
        case .mediumNotFound, .severalMedia, .tooLittleMemory, .noMemoryForToRAM: true
        default: false
        }
    }

    /// The particulars, for those who look into the problem.
    var detail: String {
        switch self {
        case .tooLittleMemory(let found, let needed): "\(found) bytes found, \(needed) needed"
        case .mediumNotFound(let seen): seen.isEmpty ? "no disks seen" : seen.joined(separator: "; ")
        case .severalMedia(let media): media.joined(separator: "; ")
        case .noMemoryForToRAM(let needed, let available): "\(needed) bytes needed, \(available) available"
        case .incomplete(let text), .mediumRemoved(let text), .systemCutShort(let text), .verityMissing(let text),
            .systemDamaged(let text), .root(let text), .firewall(let text), .namespaces(let text), .handover(let text):
            text
        }
    }
}
