// SPDX-License-Identifier: GPL-3.0-or-later
import Commands
import Foundation
import SystemPackage

/// Installs packages into a new system and packs it as an archive, with mmdebstrap.
struct Bootstrap: Sendable {
    /// Counts up when the way of installing changes, so that what was cached before is not taken.
    static let recipe = 1

    let suite: String
    /// What files that the installation makes take for the present.
    let epoch: Int
    let without: [PathRule]
    let with: [PathRule]
    let log: FilePath

    /// The options of dpkg that leave paths out, excludes first, as dpkg's last match decides.
    var pathOptions: [String] {
        without.map { "path-exclude=\($0.path.value)" } + with.map { "path-include=\($0.path.value)" }
    }

    /// Installs all packages of an archive; the system goes into a tar file.
    func run(_ packages: [LockedPackage], from archive: LocalArchive, to tar: FilePath, work: FilePath) async throws {
        // Namespaces of its own: no mount and no process of the installation outlives it, however it ends. An ordinary user
        // is root within, with a range of user numbers from /etc/subuid.
        var words = ["--mount", "--pid", "--fork", "--kill-child=SIGKILL", "--mount-proc"]
        if geteuid() != 0 {
            try await Self.checkSubordinateIDs()
            words += ["--user", "--map-root-user", "--map-auto"]
        }
        words += [
            "mmdebstrap", "--mode=root", "--variant=apt", "--format=tar",
            "--include=\(packages.map(\.name).joined(separator: ","))",
            "--aptopt=APT::Install-Recommends \"false\"", "--aptopt=APT::Sandbox::User \"root\"",
        ]
        words += pathOptions.map { "--dpkgopt=\($0)" }
        words += [suite, tar.string, archive.source]
        var command = Command(
            "unshare", words, environment: ["SOURCE_DATE_EPOCH": String(epoch), "TMPDIR": work.string])
        // unshare(1) does not hear SIGTERM while it waits. When it is killed, the kernel ends all that is inside, and what
        // they were writing is removed with the work folder.
        command.gracePeriod = .milliseconds(10)
        try await command.run(log: log)
    }

    private static func checkSubordinateIDs() async throws {
        let name = NSUserName()
        for file in ["/etc/subuid", "/etc/subgid"] {
            let text = (try? String(contentsOfFile: file, encoding: .utf8)) ?? ""
            guard text.split(separator: "\n").contains(where: { $0.hasPrefix("\(name):") }) else {
                throw BootstrapError.noSubordinateIDs(user: name, file: file)
            }
        }
    }
}

/// Why a system cannot be installed on this machine.
enum BootstrapError: Error, CustomStringConvertible {
    case noSubordinateIDs(user: String, file: String)

    var description: String {
        switch self {
        case .noSubordinateIDs(let user, let file):
            """
            The user '\(user)' has no range of subordinate ids in \(file), which installing packages without being root needs.
            Add one as root: usermod --add-subuids 100000-165535 --add-subgids 100000-165535 \(user)
            """
        }
    }
}
