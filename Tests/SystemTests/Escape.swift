// SPDX-License-Identifier: GPL-3.0-or-later

/// One attempt to get out of the session, or to change what is outside of it.
///
/// It succeeds when its script ends with 0. Whoever is to fail must fail; where the real root is to succeed with the very same
/// words, the attempt is known not to be simply broken.
struct Escape: Sendable {
    enum Who: Sendable, CaseIterable {
        /// The user of the session.
        case user
        /// Root of the administration's room.
        case room
    }

    let what: String
    let script: String
    let who: Set<Who>
    /// What takes back what the real root has done; `nil` where the real root does not try.
    let undo: String?

    init(_ what: String, _ script: String, by who: Set<Who> = [.user, .room], root undo: String? = nil) {
        self.what = what
        self.script = script
        self.who = who
        self.undo = undo
    }

    private static func quoted(_ text: String) -> String { "'\(text.replacing("'", with: "'\\''"))'" }

    /// A script that makes all attempts and prints `status name` for each.
    static func script(_ attempts: [Escape], undoing: Bool = false) -> String {
        attempts.map { attempt in
            let undo = undoing ? "\n\(attempt.undo ?? "true")" : ""
            return """
                timeout -k 1 20 sh -c \(quoted(attempt.script)) < /dev/null > /dev/null 2>&1; echo "$? \(attempt.what)"\(undo)
                """
        }.joined(separator: "\n") + "\n"
    }

    /// The names of those attempts that succeeded, and how many were made.
    static func results(in text: String) -> (succeeded: [String], made: Set<String>) {
        var succeeded: [String] = []
        var made: Set<String> = []
        for line in text.split(separator: "\n") {
            let parts = line.split(separator: " ", maxSplits: 1).map(String.init)
            guard parts.count == 2, let status = Int(parts[0]) else { continue }
            made.insert(parts[1])
            if status == 0 { succeeded.append(parts[1]) }
        }
        return (succeeded, made)
    }

    /// What must be the same before and after, as the real root sees it.
    static let evidence = """
        cat /proc/sys/kernel/core_pattern /proc/sys/kernel/modprobe /proc/sys/kernel/hostname /proc/sys/kernel/sysrq
        cut -d' ' -f1 /proc/modules | sort
        ip -br link | cut -d' ' -f1; ip route; ip -n session -br link | cut -d' ' -f1; ip -n session route
        nft -s list ruleset; ls /run/netns
        ls -R /etc/systemd /run/systemd/system /run/systemd/generator /etc/udev /run/udev/rules.d 2>&1
        ls /etc/cron.d /var/spool/cron 2>&1; ls /run/escaped* 2>&1; find /sys/fs/cgroup -maxdepth 1 -type d | sort
        cut -d' ' -f2,3 /proc/1/mounts | grep -v '/run/user/' | sort
        cat /etc/passwd /etc/shadow /etc/NetworkManager/NetworkManager.conf 2>/dev/null | sha256sum
        nmcli -g NAME connection show; nmcli networking; systemctl is-active tor@default.service; systemctl show-environment
        find / -xdev -perm /6000 -type f; find /dev -type b -o -type c | grep -v -e /dev/pts -e /dev/vcs | sort
        """
}
