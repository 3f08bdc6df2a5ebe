// SPDX-License-Identifier: GPL-3.0-or-later
import Foundation
import SystemPackage

/// The data files that a build reads.
struct Inputs: Sendable {
    let profile: Profile
    let lock: Lock
    let hardening: Hardening
    let firewall: FirewallData
    let initramfs: InitramfsList
    let disks: DiskTable

    init(_ request: Builder.Request) throws {
        profile = try request.project.profile(request.profile)
        lock = try Lock.read(request.project.lockPath(request.profile))
        hardening = try request.project.hardening()
        firewall = try request.project.firewall()
        initramfs = try request.project.initramfsList()
        disks = try request.project.diskTable()
        let path = request.project.lockPath(request.profile).string
        guard lock.suite == profile.suite else {
            throw DataFileError(
                file: path, line: nil, field: "suite",
                problem: "The lock is for '\(lock.suite)', the profile for '\(profile.suite)'. Run: needletail lock")
        }
        // A package that was added to a list and not locked would be missing in silence.
        let buildRoot = try request.project.buildRootList()
        for (names, locked) in [(profile.packages, lock.system), (buildRoot.packages, lock.buildRoot)] {
            let there = Set(locked.map(\.name))
            for name in names where !there.contains(name.value) {
                throw DataFileError(
                    file: path, line: nil, field: "",
                    problem:
                        "The lock does not have the package '\(name.value)'. Bring it up to date with: needletail lock")
            }
        }
    }
}

/// What only the lock decides, and is therefore kept from build to build: the build root and the installed system.
struct Bases: Sendable {
    let request: Builder.Request
    let inputs: Inputs
    let store: PackageStore
    let work: FilePath
    let logs: BuildLogs

    func buildRoot() async throws -> (BuildRoot, wasThere: Bool) {
        let install = bootstrap(without: [], with: [], log: "buildroot")
        let key = ["buildroot", String(Bootstrap.recipe)] + inputs.lock.buildRoot.map(\.sha256)
        let (folder, wasThere) = try await request.cache.get("buildroot", key: key) { folder in
            let tar = work.appending("buildroot.tar")
            try await self.install(inputs.lock.buildRoot, by: install, to: tar, archive: "buildroot-packages")
            try await BuildRoot.unpack(tar, to: folder, log: install.log)
            try FileManager.default.removeItem(atPath: tar.string)
        }
        return (BuildRoot(root: folder, epoch: request.project.epoch), wasThere)
    }

    func system() async throws -> (FilePath, wasThere: Bool) {
        let profile = inputs.profile
        let install = bootstrap(without: profile.installWithout, with: profile.installWith, log: "install")
        let key = ["system", String(Bootstrap.recipe)] + install.pathOptions + inputs.lock.system.map(\.sha256)
        return try await request.cache.get("base", key: key) { tar in
            try await self.install(inputs.lock.system, by: install, to: tar, archive: "system-packages")
        }
    }

    private func bootstrap(without: [PathRule], with: [PathRule], log: String) -> Bootstrap {
        // The lock's date and not the commit's: a commit must not make the installed packages anew.
        Bootstrap(
            suite: inputs.lock.suite, epoch: inputs.lock.date, without: without, with: with, log: logs.path(log))
    }

    private func install(
        _ packages: [LockedPackage], by bootstrap: Bootstrap, to tar: FilePath, archive name: String
    ) async throws {
        let archive = try await LocalArchive.make(of: packages, from: store, at: work.appending(name))
        // The name's end tells mmdebstrap nothing here: the format is given.
        try await bootstrap.run(packages, from: archive, to: tar, work: work)
        try FileManager.default.removeItem(atPath: archive.folder.string)
    }
}
