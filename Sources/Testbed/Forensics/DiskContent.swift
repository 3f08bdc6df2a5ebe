// SPDX-License-Identifier: GPL-3.0-or-later
import Commands
import Foundation
import SystemPackage

/// What stands in a partition of somebody's computer, each a temptation to write to it.
public enum DiskContent: String, Sendable, Hashable, CaseIterable {
    /// A file system whose journal waits to be replayed: even mounting it read-only writes.
    case ext4DirtyJournal = "ext4-dirty"
    /// A file system that writes its superblock whenever it is mounted.
    case btrfs
    /// A file system with a log.
    case xfs
    /// Windows, asleep: mounting it would ruin what it remembers.
    case ntfsHibernated = "ntfs-hibernated"
    /// A file system that marks itself as in use when it is mounted.
    case fat
    /// Space to swap to.
    case swap
    /// Space to swap to that holds a sleeping system.
    case swapHibernated = "swap-hibernated"
    /// A physical volume of LVM.
    case lvm
    /// One half of a mirror whose other half is away: assembling it writes to its superblock.
    case raidDegraded = "raid-degraded"
    /// An encrypted disk.
    case luks
    /// The partition that the firmware starts from.
    case efiSystem = "efi-system"

    /// Bytes that its partition has.
    public var size: Int {
        switch self {
        // The least that mkfs.xfs(8) and mkfs.btrfs(8) take.
        case .xfs: 300 << 20
        case .btrfs: 128 << 20
        case .efiSystem: 48 << 20
        case .luks: 32 << 20
        default: 16 << 20
        }
    }

    /// The partition's type, by which systemd and others know what it is for. See: the Discoverable Partitions Specification.
    var type: String {
        switch self {
        case .swap, .swapHibernated: "0657FD6D-A4AB-43C4-84E5-0933C84B4F4F"
        case .lvm: "E6D6D379-F507-44C2-A23C-238F2A3DF928"
        case .raidDegraded: "A19D880F-05FC-4D3B-A006-743F0F84911E"
        case .efiSystem: "C12A7328-F81F-11D2-BA4B-00A0C93EC93B"
        case .ntfsHibernated, .fat: "EBD0A0A2-B9E5-4433-87C0-68B6B72699C7"
        // Would be mounted as /home, and as the root, by what looks for such.
        case .xfs: "933AC7E1-2EB4-4F13-B844-0E14E2AEF915"
        case .ext4DirtyJournal: "4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709"
        case .btrfs, .luks: "0FC63DAF-8483-4772-8E79-3D69D8477DE4"
        }
    }

    /// Makes it.
    ///
    /// - Parameters:
    ///   - path: The file, which becomes as large as the partition.
    ///   - work: A folder for files in between.
    /// - Throws: `CommandFailure` with a tool's words, also when it is not there: `scripts/set-up` installs them.
    func make(at path: FilePath, work: FilePath) async throws {
        let file = try FileDescriptor.open(
            path, .readWrite, options: [.create, .truncate, .closeOnExec], permissions: .ownerReadWrite)
        defer { try? file.close() }
        try file.resize(to: Int64(size))
        func run(_ words: String..., input: String = "") async throws {
            _ = try await Command(words[0], Array(words.dropFirst())).output(input: input)
        }
        switch self {
        case .ext4DirtyJournal:
            try await run("mkfs.ext4", "-q", "-F", "-b", "4096", path.string)
            let block = work.appending("journal-block")
            try Data((0..<4096).map { UInt8(truncatingIfNeeded: $0 &* 7) }).write(
                to: URL(fileURLWithPath: block.string))
            // A transaction that was never written to its place: what a power cut leaves. See: 'man 8 debugfs'.
            try await run(
                "debugfs", "-w", "-f", "-", path.string,
                input: "journal_open\njournal_write -b 2000 \(block.string)\njournal_close\n")
        case .btrfs: try await run("mkfs.btrfs", "-q", path.string)
        case .xfs: try await run("mkfs.xfs", "-q", path.string)
        case .ntfsHibernated:
            try await run("mkntfs", "-q", "-F", "-Q", path.string)
            // Windows writes 'hibr' at the beginning of the file while it sleeps.
            let image = work.appending("hiberfil.sys")
            try Data(Array("hibr".utf8) + [UInt8](repeating: 0, count: 4092)).write(
                to: URL(fileURLWithPath: image.string))
            try await run("ntfscp", path.string, image.string, "hiberfil.sys")
        case .fat: try await run("mformat", "-i", path.string, "-T", "\(size / 512)", "-h", "64", "-s", "32", "::")
        case .swap: try await run("mkswap", "-q", path.string)
        case .swapHibernated:
            try await run("mkswap", "-q", path.string)
            // As the kernel leaves it, with the old signature beside. See: 'struct swsusp_header' in kernel/power/swap.c.
            try file.writeAll(toAbsoluteOffset: 4076, Array("SWAPSPACE2S1SUSPEND".utf8) + [0])
        case .lvm: try PhysicalVolume(size: size).write(to: file)
        case .raidDegraded: try MirrorHalf(size: size).write(to: file)
        case .luks:
            let words = ["luksFormat", "-q", "--type", "luks2", "--pbkdf", "pbkdf2"]
            _ = try await Command(
                "cryptsetup", words + ["--pbkdf-force-iterations", "1000", "--key-file", "-", path.string]
            ).output(input: "a passphrase")
        case .efiSystem:
            try await run(
                "mformat", "-i", path.string, "-F", "-c", "1", "-T", "\(size / 512)", "-h", "64", "-s", "32", "::")
            try await run("mmd", "-i", path.string, "::EFI", "::EFI/BOOT", "::EFI/Microsoft")
        }
    }
}
