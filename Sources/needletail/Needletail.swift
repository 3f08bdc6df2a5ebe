// SPDX-License-Identifier: GPL-3.0-or-later
import ArgumentParser

@main
struct Needletail: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "needletail",
        abstract: "Builds, tries and inspects Needletail, the amnesic incognito live system.",
        subcommands: [])
}
