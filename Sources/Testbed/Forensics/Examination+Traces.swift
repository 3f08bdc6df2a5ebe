// SPDX-License-Identifier: GPL-3.0-or-later
import Commands
import Foundation
import SystemPackage

/// What a session does before its end.
extension Examination {
    /// What would change the computer's disks if it could, with all rights: writes to each disk and partition, and mounts those of one
    /// disk, whose journal would be replayed. That nothing came of it is not taken from here but from the disks themselves.
    ///
    /// - Returns: How far it got, in a sentence.
    /// - Throws: `ShellFailure`; `ForensicsFailure` when there was nothing to try it with.
    func tempt(_ shell: GuestShell) async throws -> String {
        let counts = try await shell.output(
            """
            mkdir -p /run/tempted; head -c 512 /dev/zero | tr '\\0' D > /run/sector; udevadm settle
            parts=0 read=0 written=0
            for report in $(grep -L reason=medium /run/needletail/disks/*); do disk=${report##*/}
            for part in /sys/class/block/$disk/$disk* /sys/class/block/$disk; do node=/dev/${part##*/}
            [ -b "$node" ] || continue; parts=$((parts+1))
            dd if=/run/sector of=$node bs=512 count=1 conv=notrunc,nocreat,fsync 2>/dev/null && written=$((written+1))
            case $node in /dev/nvme*p*)
            if timeout 20 mount $node /run/tempted >/dev/null 2>&1; then read=$((read+1))
            touch /run/tempted/mark 2>/dev/null && written=$((written+1)); umount /run/tempted; fi;; esac
            done; done; udevadm settle; echo $parts $read $written
            """, timeout: .seconds(180)
        ).split(whereSeparator: \.isWhitespace).suffix(3).compactMap { Int($0) }
        guard counts.count == 3, counts[0] > 0 else {
            throw ForensicsFailure(.noPlanting, "The session sees none of the computer's disks: \(counts)")
        }
        return "Of \(counts[0]) disks and partitions \(counts[2]) took what was written; \(counts[1]) could be mounted"
    }

    /// What a session does, with names by chance in it.
    func leaveTraces(in shell: GuestShell, trial: Trial?) async throws -> [Artefact] {
        var artefacts: [Artefact] = []
        let name = "planted-name-\(Crop.makeMarker().prefix(20))"
        try await shell.output("echo text > /home/user/\(name).txt; ls -l /home/user > /dev/null")
        artefacts.append(.text("file name", name))
        artefacts.append(.text("label of a stick", label))
        let passphrase = String(Crop.makeMarker().prefix(24))
        try await shell.output(
            """
            systemctl start NetworkManager && \
            nmcli connection add type wifi ifname '*' con-name planted ssid planted autoconnect no \
            wifi-sec.key-mgmt wpa-psk wifi-sec.psk \(passphrase)
            """)
        artefacts.append(.text("Wi-Fi passphrase", passphrase))
        guard let trial else { return artefacts }
        let page = "visited-\(Crop.makeMarker().prefix(20))"
        _ = try await shell.run(
            "\(Trial.asUser) curl -s --max-time 60 -o /tmp/page http://\(Address.web)/\(page)", timeout: .seconds(90))
        artefacts.append(.text("URL", page))
        let cookie = try await shell.output("od -An -tx1 -v /run/tor/control.authcookie | tr -d ' \\n'")
        guard let key = Artefact.bytes(hexadecimal: cookie), !key.isEmpty else {
            throw ForensicsFailure(.noPlanting, "The key to Tor's control port cannot be read: '\(cookie)'.")
        }
        artefacts.append(.secret("key to Tor's control port", key))
        // Those of the authorities came into the machine by its firmware tables, which are not of the session.
        artefacts += trial.tor.relays.filter { $0.role == .exit }.flatMap { Artefact.relay($0.fingerprint) }
        // Tor is busy to the end, and the address in use.
        try await shell.output(
            """
            (while :; do \(Trial.asUser) curl -s -o /dev/null http://\(Address.web)/\(page); done) \
            </dev/null >/dev/null 2>&1 &
            """)
        return artefacts
    }

    /// Plugs a stick in, with an ordinary file system and an encrypted one.
    func mountStick(on machine: Machine) async throws -> (stick: String?, vault: String?, key: [UInt8]) {
        var generator = SystemRandomNumberGenerator()
        let key = (0..<32).map { _ in UInt8.random(in: 0...255, using: &generator) }
        try await machine.plug(Drive("planted", image: stick, as: .usb(.xhci), serial: "PLANTED"))
        let shell = machine.shell
        let found = try await shell.output(
            """
            n=0; while [ $n -lt 100 ]; do for d in /sys/block/sd*; do
            [ "$(cat $d/size)" = \(Self.stickSectors) ] && [ -e /dev/${d##*/}2 ] && { echo ${d##*/}; exit 0; }
            done; sleep 0.1; n=$((n+1)); done; exit 1
            """)
        let disk = "/dev/\(found.split(separator: "\n").last ?? "")"
        let mounted = try await shell.run(
            "modprobe -q ext4; mkdir -p /run/planted/stick /run/planted/vault && mount -t ext4 \(disk)1 /run/planted/stick"
        )
        guard mounted.status == 0 else {
            throw ForensicsFailure(.noPlanting, "The guest cannot mount a stick that is plugged in: \(mounted.output)")
        }
        let clear = try await planter.openEncrypted("\(disk)2", key: key, in: shell)
        try await shell.output(
            """
            n=0; while [ ! -e \(clear) ] && [ $n -lt 50 ]; do sleep 0.1; n=$((n+1)); done
            cat /run/planted/stick/empty > \(clear) && mount -t ext4 \(clear) /run/planted/vault
            """, timeout: .seconds(90))
        return ("/run/planted/stick", "/run/planted/vault", key)
    }

    private static let partSectors = 65_536
    private static let stickSectors = 2048 + 2 * partSectors + 2048

    /// A stick of two partitions: a file system, in which the image of another lies, and space for that.
    ///
    /// - Parameters:
    ///   - path: Its image.
    ///   - label: What its owner calls it; at most 16 bytes.
    /// - Throws: `CommandFailure` when a tool is missing or fails.
    static func makeStick(at path: FilePath, label: String) async throws {
        let inner = path.string + ".inner"
        let outer = path.string + ".outer"
        let tree = path.string + ".tree"
        defer { for name in [inner, outer, tree] { try? FileManager.default.removeItem(atPath: name) } }
        try FileManager.default.createDirectory(atPath: tree, withIntermediateDirectories: true)
        _ = try await Command("mkfs.ext4", ["-q", "-F", "-m", "0", inner, "14M"]).output()
        _ = try await Command("cp", ["--sparse=always", inner, tree + "/empty"]).output()
        _ = try await Command("mkfs.ext4", ["-q", "-F", "-m", "0", "-L", label, "-d", tree, outer, "32M"]).output()
        _ = try await Command("truncate", ["-s", "\(stickSectors * 512)", path.string]).output()
        let table = "label: gpt\nstart=2048, size=\(partSectors)\nstart=\(2048 + partSectors), size=\(partSectors)\n"
        _ = try await Command("sfdisk", ["--quiet", "--no-reread", path.string]).output(input: table)
        _ = try await Command(
            "dd", ["if=\(outer)", "of=\(path.string)", "bs=1M", "seek=1", "conv=notrunc,sparse", "status=none"]
        ).output()
    }
}
