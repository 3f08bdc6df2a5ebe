// SPDX-License-Identifier: GPL-3.0-or-later
import Linux

/// The room's file tree, put together by its own root: whatever is wrong in it is wrong with nobody's rights.
enum RoomTree {
    private static let root = "/room"

    /// Mounts everything and makes it the root. Needs `/system`, `/proc`, `/dev` and `/space` of the keeper's workbench.
    static func enter() throws(SystemCallFailure) {
        try Mount.makePrivate()
        try Mount.attach(
            "tmpfs", from: "administration", at: "/space", [.noSetUser, .noDevices],
            options: "mode=700,size=\(Room.space)")
        try FileTree.makeDirectory("/space/upper")
        try FileTree.makeDirectory("/space/work")
        // `userxattr`: what the overlay notes about files is not trusted, so it needs no rights outside.
        try Mount.attach(
            "overlay", from: "administration", at: root, [.noSetUser, .noDevices],
            options: "lowerdir=/system,upperdir=/space/upper,workdir=/space/work,userxattr")
        try devices()
        try processes()
        try Mount.attach(
            "tmpfs", from: "run", at: "\(root)/run", [.noSetUser, .noDevices, .noExecution],
            options: "mode=755,size=16m")
        try FileTree.makeDirectory("\(root)/run/lock", mode: 0o1777)
        // Packages start nothing when they are installed; see deb-systemd-invoke(1p), invoke-rc.d(8).
        try File.replace("\(root)/usr/sbin/policy-rc.d", mode: 0o755, Array("#!/bin/sh\nexit 101\n".utf8))
        try Mount.enterRoot(root)
    }

    private static func devices() throws(SystemCallFailure) {
        let dev = "\(root)/dev"
        try Mount.attach("tmpfs", from: "dev", at: dev, [.noSetUser, .noExecution], options: "mode=755,size=64k")
        for name in Room.devices {
            try File.make("\(dev)/\(name)", mode: 0o644)
            try Mount.bind("/dev/\(name)", at: "\(dev)/\(name)")
        }
        for (name, target) in [
            ("fd", "/proc/self/fd"), ("stdin", "/proc/self/fd/0"), ("stdout", "/proc/self/fd/1"),
            ("stderr", "/proc/self/fd/2"), ("ptmx", "pts/ptmx"),
        ] { try FileTree.makeLink("\(dev)/\(name)", to: target) }
        try FileTree.makeDirectory("\(dev)/pts")
        // Terminals of its own: group 5 is tty.
        try Mount.attach(
            "devpts", from: "devpts", at: "\(dev)/pts", [.noSetUser, .noExecution],
            options: "newinstance,mode=620,ptmxmode=666,gid=5")
        try FileTree.makeDirectory("\(dev)/shm", mode: 0o1777)
        try Mount.attach(
            "tmpfs", from: "shm", at: "\(dev)/shm", [.noSetUser, .noDevices, .noExecution],
            options: "mode=1777,size=10%")
    }

    private static func processes() throws(SystemCallFailure) {
        let proc = "\(root)/proc"
        try Mount.attach("proc", from: "proc", at: proc, [.noSetUser, .noDevices, .noExecution])
        for name in Room.coveredFiles where FileTree.exists("\(proc)/\(name)") {
            try Mount.bind("/dev/null", at: "\(proc)/\(name)")
        }
        for name in Room.coveredFolders where FileTree.exists("\(proc)/\(name)") {
            try Mount.attach(
                "tmpfs", from: "empty", at: "\(proc)/\(name)", [.readOnly, .noSetUser, .noDevices, .noExecution],
                options: "size=4k")
        }
        for name in Room.readOnly where FileTree.exists("\(proc)/\(name)") {
            try Mount.bind(
                "\(proc)/\(name)", at: "\(proc)/\(name)", [.readOnly, .noSetUser, .noDevices, .noExecution])
        }
    }
}
