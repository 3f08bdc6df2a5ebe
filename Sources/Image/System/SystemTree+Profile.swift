// SPDX-License-Identifier: GPL-3.0-or-later
import Foundation
import SystemPackage

extension SystemTree {
    /// Makes the image's files out of the installed packages: what the profile leaves out, lays over, adds and changes.
    ///
    /// - Parameters:
    ///   - profile: What to do.
    ///   - hardening: The sysctl settings.
    ///   - firewall: The rules of the firewalls.
    ///   - programs: The folder with the compiled programs.
    ///   - trees: The folder `image/files/`.
    ///   - source: The archive of the installed packages.
    ///   - version: The image's version.
    /// - Returns: The rules of the profile that matched nothing, for a warning.
    /// - Throws: `SystemTreeError` when the profile names what is not there.
    mutating func apply(
        _ profile: Profile, hardening: Hardening, firewall: FirewallData, programs: FilePath, trees: FilePath,
        source: Data, version: String
    ) throws -> [PathRule] {
        let unused = exclude(profile.exclude)
        // The kernel fills these; what the installation left in them is of no use.
        remove { path in
            ["dev/", "proc/", "sys/", "run/", "tmp/"].contains { path.hasPrefix($0) }
                // It names the folder on the maker's machine from which the packages came.
                || path == "etc/apt/sources.list"
        }
        for program in profile.programs {
            let file = programs.appending(program.name)
            guard let content = FileManager.default.contents(atPath: file.string) else {
                throw SystemTreeError.missing(file.string, wantedBy: "'programs' of the profile")
            }
            put(String(program.path.value.dropFirst()), .file(Array(content), mode: 0o755, time: epoch))
        }
        for name in profile.files {
            try overlay(trees.appending(name.value))
        }
        put("usr/lib/sysctl.d/60-needletail.conf", .file(Array(hardening.sysctlFile.utf8), time: epoch))
        for (name, namespace) in FirewallData.files {
            let table = firewall.table(of: namespace)
            put("usr/lib/needletail/\(name).nft", .file(Array(table.text.utf8), time: epoch))
            put("usr/lib/needletail/\(name).expected", .file(Array(table.expectation.utf8), time: epoch))
        }
        nameRelease(version: version, profile: profile, source: source)
        let accounts = try addUsers(profile, source: source)
        for unit in profile.enable {
            try enable(unit)
        }
        for unit in profile.mask {
            put("etc/systemd/system/\(unit.unit)", .link("/dev/null", time: epoch))
        }
        put("etc/systemd/system/default.target", .link("/usr/lib/systemd/system/\(profile.defaultTarget)", time: epoch))
        for link in profile.links {
            put(link.path.value, .link(link.target, time: epoch))
        }
        for mode in profile.modes {
            try set(mode, accounts)
        }
        return unused
    }

    private mutating func addUsers(_ profile: Profile, source: Data) throws -> Accounts {
        func text(_ name: String) -> String {
            String(decoding: bytes(of: "etc/\(name)", in: source) ?? [], as: UTF8.self)
        }
        var accounts = Accounts(
            passwd: text("passwd"), group: text("group"), shadow: text("shadow"), gshadow: text("gshadow"))
        accounts.forgetDates()
        for user in profile.users {
            if let group = accounts.add(user) {
                throw SystemTreeError.unknownAccount(group, wantedBy: "The user '\(user.name)' of the profile")
            }
            // Debian's way to say that an account of a service has no home (Debian Policy 9.2.3).
            if user.home.value != "/nonexistent" { makeHome(of: user, source: source) }
        }
        for (name, text) in accounts.files {
            let isSecret = name.hasSuffix("shadow")
            var entry = TarEntry.file(Array(text.utf8), mode: isSecret ? 0o640 : 0o644, time: epoch)
            entry.gid = isSecret ? accounts.gid("shadow") ?? 0 : 0
            put("etc/\(name)", entry)
        }
        return accounts
    }

    /// A home folder with what `/etc/skel` has.
    private mutating func makeHome(of user: User, source: Data) {
        let home = String(user.home.value.dropFirst())
        var folder = TarEntry.folder(mode: 0o700, time: epoch)
        folder.uid = user.uid
        folder.gid = user.gid
        put(home, folder)
        for (path, entry) in entries where path.hasPrefix("etc/skel/") {
            var copy = entry
            copy.uid = user.uid
            copy.gid = user.gid
            copy.time = epoch
            // A copy of its own, not another name of the same file.
            if copy.kind == .file { copy.content = .bytes(bytes(of: path, in: source) ?? []) }
            put(home + "/" + path.dropFirst("etc/skel/".count), copy)
        }
        // Files of the profile that lie in the home are the user's too.
        for path in entries.keys where path.hasPrefix(home + "/") {
            _ = change(path) { entry in
                entry.uid = user.uid
                entry.gid = user.gid
            }
        }
    }

    private mutating func enable(_ unit: EnabledUnit) throws {
        // An instance is made from its template: getty@tty1.service from getty@.service.
        let template = unit.unit.replacing(/@[^.]*\./, with: "@.")
        let folders = ["etc/systemd/system", "usr/lib/systemd/system"]
        guard let file = folders.map({ "\($0)/\(template)" }).first(where: { entries[$0] != nil }) else {
            throw SystemTreeError.missing("the unit \(template)", wantedBy: "'enable' of the profile")
        }
        put("etc/systemd/system/\(unit.wantedBy).wants/\(unit.unit)", .link("/" + file, time: epoch))
    }

    private mutating func set(_ mode: Mode, _ accounts: Accounts) throws {
        var uid: UInt32?
        var gid: UInt32?
        if let owner = mode.owner {
            guard let number = accounts.uid(owner) else {
                throw SystemTreeError.unknownAccount(owner, wantedBy: "'modes' of the profile")
            }
            uid = number
        }
        if let group = mode.group {
            guard let number = accounts.gid(group) else {
                throw SystemTreeError.unknownAccount(group, wantedBy: "'modes' of the profile")
            }
            gid = number
        }
        let isThere = change(mode.path.value) { entry in
            entry.mode = mode.mode ?? entry.mode
            entry.uid = uid ?? entry.uid
            entry.gid = gid ?? entry.gid
        }
        guard isThere else { throw SystemTreeError.missing(mode.path.value, wantedBy: "'modes' of the profile") }
    }

    /// Adds to `os-release(5)`, which the profile's files bring, what only the build knows.
    private mutating func nameRelease(version: String, profile: Profile, source: Data) {
        let path = "usr/lib/os-release"
        let lines = [
            "VERSION=\"\(version)\"", "VERSION_ID=\(version)", "IMAGE_VERSION=\(version)", "VARIANT_ID=\(profile.name)",
        ]
        let text = (bytes(of: path, in: source) ?? []) + Array(lines.map { "\($0)\n" }.joined().utf8)
        put(path, .file(text, time: epoch))
    }
}
