// SPDX-License-Identifier: GPL-3.0-or-later
import ArgumentParser
import Commands
import Foundation
import Image

struct LockCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lock",
        abstract: "Pin the packages of a profile and of the build root to what the mirror holds now.",
        discussion: """
            Resolves the package lists with APT, writes each package's exact version and SHA-256 to image/locks/, and prints \
            what changed. Look at the change and commit it with the profile.
            """)

    @OptionGroup var places: PlaceOptions

    @Flag(help: "Print what would change and write nothing.")
    var dryRun = false

    func run() async throws {
        let steps = Steps()
        let maker = LockMaker(
            project: try await places.project(), profile: places.profile, mirror: try await places.mirrorOfDebian(),
            cache: try places.openCache(), steps: steps)
        let (old, new) = try await maker.make()
        for (title, before, after) in [
            ("image", old?.system ?? [], new.system), ("build root", old?.buildRoot ?? [], new.buildRoot),
        ] {
            let changes = Lock.changes(from: before, to: after)
            if changes.isEmpty {
                print("The \(title)'s \(after.count) packages are as they were.")
            } else {
                print("The \(title): \(after.count) packages, \(changes.count) changed.\n\n\(Lock.table(changes))\n")
            }
        }
        if dryRun {
            print("Nothing was written.")
        } else {
            try maker.write(new)
        }
    }
}
