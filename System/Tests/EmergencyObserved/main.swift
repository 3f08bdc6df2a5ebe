// SPDX-License-Identifier: GPL-3.0-or-later
import Emergency
import Linux

// Where memory would be overwritten, says what is left of the world. Only for the test that runs it in namespaces of its own.
if Program.executedName == "systemd-shutdown" { Processes.buryForEver() }
EmergencyProgram.run { _ in
    LastCalls.say("seen: programs that live", Int64(LastCalls.living()))
    let dead = FileTree.names(in: "/proc").filter { Int32($0) != nil }.compactMap { try? File.text("/proc/\($0)/stat") }
    LastCalls.say("seen: dead that are not buried", Int64(dead.filter { $0.contains(") Z ") }.count))
    let flags = File.line("/sys/class/net/cable0/flags").flatMap { Int64($0.dropFirst(2), radix: 16) } ?? -1
    LastCalls.say("seen: interface is up", flags & 1)
    let mounts = ((try? File.text("/proc/self/mounts")) ?? "").split(separator: "\n")
    LastCalls.say(
        "seen: file systems in memory at /tmp or /home", Int64(mounts.filter { $0.hasPrefix("secret ") }.count))
    LastCalls.say("seen: files in /run", Int64(FileTree.names(in: "/run").filter { $0 != "initramfs" }.count))
    let state = File.line("/sys/fs/cgroup/init.scope/cgroup.events") ?? ""
    let events = (try? File.text("/sys/fs/cgroup/init.scope/cgroup.events")) ?? state
    LastCalls.say("seen: process 1 is frozen", events.contains("frozen 1") ? 1 : 0)
    LastCalls.say("seen: process 1 is another program", File.line("/proc/1/comm") == "systemd-shutdow" ? 1 : 0)
}
