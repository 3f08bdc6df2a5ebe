// SPDX-License-Identifier: GPL-3.0-or-later
import Foundation
import Testbed
import Testing

extension SystemTests {
    @Suite("A session", .serialized, .turn, .sharedSession)
    struct Session {
        func output(_ script: String) async throws -> String {
            try await session().machine.shell.output(script).trimmingCharacters(in: .whitespacesAndNewlines)
        }

        func asUser(_ script: String, timeout: Duration = .seconds(90)) async throws -> GuestShell.Answer {
            let quoted = script.replacing("'", with: "'\\''")
            return try await session().machine.shell.run("\(Trial.asUser) sh -c '\(quoted)'", timeout: timeout)
        }

        // MARK: Tor

        @Test("a page comes through Tor without any setting, from the address of an exit")
        func page() async throws {
            let trial = try session()
            let seen = try await trial.fetchPage()
            #expect(trial.tor.exitAddresses.contains(seen), "The web server saw \(seen).")
            let visits = try trial.network.web.visits().filter { $0.path != nil }
            #expect(!visits.isEmpty && visits.allSatisfy { trial.tor.exitAddresses.contains($0.address) })
        }

        @Test("names are resolved through Tor, and the router's name server is never asked")
        func names() async throws {
            let trial = try session()
            let seen = try await trial.fetchPage("http://\(Address.webName)/")
            #expect(trial.tor.exitAddresses.contains(seen))
            #expect(try trial.network.router.questions().isEmpty)
        }

        @Test("what Tor cannot carry is refused at once, so that no program hangs")
        func refused() async throws {
            for (what, script) in [
                (
                    "UDP",
                    "echo x | timeout 20 bash -c 'cat > /dev/udp/\(Address.web)/9999; sleep 0.2; echo y > /dev/udp/\(Address.web)/9999'"
                ),
                ("IPv6", "curl -6 -sS --max-time 20 http://[2001:db8::80]/"),
            ] {
                let start = ContinuousClock.now
                let answer = try await asUser(script)
                #expect(answer.status != 0, "\(what) was not refused: \(answer)")
                #expect(ContinuousClock.now - start < .seconds(15), "\(what) hung")
            }
        }

        @Test("keys for SSH and OpenPGP wait for their first user, without a program at the start and at the end")
        func agents() async throws {
            let manager = "XDG_RUNTIME_DIR=/run/user/1000 systemctl --user"
            for name in ["ssh-agent.socket", "gpg-agent.socket"] {
                let state = try await asUser("\(manager) show \(name) -p ActiveState,ExecStartPost,ExecStopPre").output
                #expect(state.trimmingCharacters(in: .whitespacesAndNewlines) == "ActiveState=active", "\(name)")
            }
            #expect(try await asUser("\(manager) is-active gpg-agent-ssh.socket").status != 0)
            let environment = try await asUser("\(manager) show-environment").output
            #expect(environment.split(separator: "\n").contains("SSH_AUTH_SOCK=/run/user/1000/openssh_agent"))
        }

        @Test("at the end systemd leaves the file systems to the boot stage, which takes them away in one go")
        func mountsAtTheEnd() async throws {
            let units = try await output("systemctl show -p ConflictedBy --value umount.target").split(separator: " ")
            // The user's own folder goes with the user's last session, whenever that is; so the list is one.
            #expect(units.contains("run-user-1000.mount"))
            let left = [
                "etc", "home", "media", "mnt", "root", "run-lock", "run-netns", "run-netns-portal", "run-netns-session",
                "tmp",
                "var",
            ]
            for name in left { #expect(!units.contains("\(name).mount"), "\(name)") }
        }

        @Test("a unit that does not stop holds the end up for a minute at most")
        func limitsOfTheEnd() async throws {
            for target in ["poweroff", "reboot", "halt"] {
                let text = try await output("systemctl show -p JobTimeoutUSec -p JobTimeoutAction \(target).target")
                #expect(text.contains("JobTimeoutUSec=1min\n"), "\(text)")
                #expect(text.contains("JobTimeoutAction=\(target)-force"), "\(text)")
            }
        }

        @Test("packets that are bound to the network card do not go round Tor")
        func bound() async throws {
            let card = try await output("ls /sys/class/net | grep -v -e lo -e to- | head -n 1")
            _ = try await asUser("curl --interface \(card) -sS --max-time 5 http://\(Address.web)/")
            _ = try await asUser("curl --interface 192.0.2.100 -sS --max-time 5 http://\(Address.web)/")
            // And as if the user had got out of the session's namespace.
            for place in [card, "192.0.2.100", "lo", "10.77.0.1"] {
                _ = try await session().machine.shell.run(
                    "runuser -u user -- curl -q --interface \(place) -sS --max-time 5 http://\(Address.web)/")
            }
            // The judge, at the end of the suite, says whether something left.
            let exits = try session().tor.exitAddresses
            let visits = try session().network.web.visits()
            #expect(visits.allSatisfy { exits.contains($0.address) }, "\(visits)")
        }

        // MARK: The system

        @Test("everybody is 'user' on 'host', in UTC")
        func identity() async throws {
            #expect(try await output("cat /etc/hostname; cat /proc/sys/kernel/hostname") == "host\nhost")
            #expect(try await output("id -un 1000; id -gn 1000") == "user\nuser")
            #expect(try await output("date +%Z%z") == "UTC+0000")
            #expect(try await output("loginctl list-sessions --no-legend | grep -c 'user .*tty1'") == "1")
            #expect(try await output(". /etc/os-release; echo $PRETTY_NAME").hasPrefix("Needletail"))
        }

        @Test("nobody has a password, and there is no sudo")
        func noPasswords() async throws {
            let open = try await output("awk -F: '$2 !~ /^[!*]/ {print $1}' /etc/shadow")
            #expect(open.isEmpty, "These accounts have a password or none at all: \(open)")
            #expect(try await output("command -v sudo su | grep -c sudo || true") == "0")
        }

        @Test("the system is the verified file system itself, and what is writable cannot be executed")
        func mounts() async throws {
            let text = try await output("findmnt -rno TARGET,FSTYPE,OPTIONS")
            let mounts = text.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
            let root = try #require(mounts.first { $0[0] == "/" })
            #expect(root[2].split(separator: ",").contains("ro"))
            #expect(!mounts.contains { $0[0] == "/usr" })
            let kinds: Set = ["tmpfs", "overlay", "devtmpfs", "ext4", "vfat", "btrfs", "xfs"]
            for mount in mounts where kinds.contains(mount[1]) {
                let options = Set(mount[2].split(separator: ",").map(String.init))
                if options.contains("ro") { continue }
                // Devices live in /dev.
                let needed: Set = mount[1] == "devtmpfs" ? ["noexec", "nosuid"] : ["noexec", "nosuid", "nodev"]
                #expect(options.isSuperset(of: needed), "\(mount.joined(separator: " "))")
            }
            let write = try await session().machine.shell.run("touch /usr/x")
            #expect(write.status != 0)
            let run = try await asUser("cp /bin/true ~/t && ~/t")
            #expect(run.status == 126, "A program in the home was executed: \(run)")
        }

        @Test("no swap, no journal on a disk, no core dumps, no other disk's file systems")
        func amnesia() async throws {
            #expect(try await output("tail -n +2 /proc/swaps | wc -l") == "0")
            #expect(try await output("ls /var/log/journal 2>/dev/null | wc -l") == "0")
            #expect(try await output("cat /proc/sys/kernel/core_pattern") == "|/bin/false")
            #expect(try await output("findmnt -rno SOURCE | grep -c '^/dev/[svn]' || true") == "0")
        }

        @Test("the firewall is the image's, with everything dropped by default")
        func firewall() async throws {
            let text = try await output("nft list table inet needletail")
            for hook in ["input", "forward", "output"] {
                #expect(text.contains("hook \(hook) priority filter; policy drop;"), "\(hook)")
            }
            #expect(try await output("nft list tables") == "table inet needletail")
            // The boot stage loaded it before systemd was there to start anything.
            let log = try await output(
                "dmesg | grep -n -e 'needletail: phase firewall' -e 'systemd\\[1\\]: systemd ' | head -n 2")
            #expect(log.split(separator: "\n").first?.contains("firewall") == true, "\(log)")
        }

        @Test("each sysctl of the list is in force")
        func sysctls() async throws {
            let text = try await output("cat /usr/lib/sysctl.d/60-needletail.conf")
            var checked = 0
            for line in text.split(separator: "\n") where !line.hasPrefix("#") {
                let parts = line.components(separatedBy: " = ")
                let value = try await output("sysctl -n \(parts[0])")
                #expect(value == parts[1], "\(parts[0]) is \(value)")
                checked += 1
            }
            #expect(checked > 20)
        }

        @Test("each word of the hardening list is on the kernel's command line")
        func commandLine() async throws {
            let hardening = try DataFileReading.hardening()
            let words = Set(try await output("cat /proc/cmdline").split(separator: " ").map(String.init))
            for word in hardening { #expect(words.contains(word), "\(word) is missing") }
        }

        @Test("no service failed, and nothing listens but Tor on its link to the session")
        func services() async throws {
            #expect(try await output("systemctl --failed --no-legend --plain") == "")
            let listeners = try await output("ss -Hltun | awk '{print $5}' | sort -u")
            for listener in listeners.split(separator: "\n") {
                #expect(listener.hasPrefix("10.77.0.1:"), "Something listens on \(listener)")
            }
            #expect(!listeners.isEmpty)
        }

        @Test("there is no way in for a login over the network and no interpreter among what root starts")
        func noInterpreters() async throws {
            #expect(try await output("ls /usr/sbin/sshd /usr/bin/python3 2>/dev/null | wc -l") == "0")
            let shells = try await output(
                "grep -lE '^Exec[A-Za-z]*=[-@:+!|]*(/usr)?/bin/(sh|bash|dash|perl|python3?)' $(systemctl list-units --type=service --state=active --no-legend --plain | awk '{print \"/usr/lib/systemd/system/\"$1}') 2>/dev/null || true"
            )
            #expect(shells.isEmpty, "Services that start a shell: \(shells)")
        }
    }
}
