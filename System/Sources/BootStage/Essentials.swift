// SPDX-License-Identifier: GPL-3.0-or-later
import Linux

/// The files without which systemd cannot even report that something is wrong. They are read to the end before it
/// starts: a damaged block among them would kill process 1, and the person would see a kernel panic and not a page that
/// says what to do. Most of it is read again at once, and is then in memory already.
enum Essentials {
    private static let files =
        [Handover.systemd, Firewall.program, "/usr/lib64/ld-linux-x86-64.so.2"]
        + Firewall.all.flatMap { [$0.rules, $0.expectation] }
    /// Libraries by the first part of their names, in the directories where Debian has them.
    private static let libraries = [
        "/usr/lib/x86_64-linux-gnu/systemd": ["libsystemd-core", "libsystemd-shared"],
        "/usr/lib/x86_64-linux-gnu": [
            "libc.so", "libm.so", "libmount.so", "libblkid.so", "libselinux.so", "libpcre2-8.so", "libseccomp.so",
            "libcap.so", "libaudit.so", "libnftables.so", "libnftnl.so", "libmnl.so",
        ],
    ]

    /// Reads them all.
    ///
    /// - Parameter root: the directory that is the root of the tree.
    /// - Throws: ``BootFailure/systemDamaged(_:)`` when one cannot be read. One that is not there is no damage.
    static func check(root: String) throws(BootFailure) {
        var paths = files
        for (directory, prefixes) in libraries {
            paths += FileTree.names(in: root + directory)
                .filter { name in prefixes.contains { name.hasPrefix($0) } }.map { "\(directory)/\($0)" }
        }
        for path in paths {
            do {
                let file = try File(root + path)
                while try !file.read(upTo: 1 << 18).isEmpty {}
            } catch  where error.number != .noEntry {
                throw .systemDamaged("\(error)")
            } catch {}
        }
    }
}
