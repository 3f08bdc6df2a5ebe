// SPDX-License-Identifier: GPL-3.0-or-later
import ArgumentParser
import Commands
import Foundation
import Image
import SystemPackage

/// Where the source tree, the mirror and the cache are: what building and locking have in common.
struct PlaceOptions: ParsableArguments {
    @Option(help: "The profile: the name of a file in image/profiles/.")
    var profile = "core"

    @Option(
        help: ArgumentHelp(
            "The mirror of Debian's archive; the machine's own APT says it otherwise.", valueName: "address"))
    var mirror: String?

    @Option(
        help: ArgumentHelp(
            "The mirror of Debian's security archive, when --mirror does not have it beside it.", valueName: "address"))
    var securityMirror: String?

    @Option(help: ArgumentHelp("The folder for what is kept between builds.", valueName: "folder"))
    var cache: String?

    @Flag(help: "Show what the tools write.")
    var verbose = false

    func project() async throws -> Project {
        try await Project.find(at: FilePath(FileManager.default.currentDirectoryPath))
    }

    func mirrorOfDebian() async throws -> Mirror {
        if let mirror { return Mirror(debian: mirror, security: securityMirror) }
        return try await Mirror.fromMachine()
    }

    func openCache() throws -> Cache { try Cache(folder: cache.map(Self.absolute) ?? Cache.usualFolder) }

    static func absolute(_ path: String) -> FilePath {
        let path = FilePath(path)
        return path.isAbsolute
            ? path.lexicallyNormalized()
            : FilePath(FileManager.default.currentDirectoryPath).pushing(path).lexicallyNormalized()
    }
}

struct BuildCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "build",
        abstract: "Build the image of a profile.",
        discussion: """
            Fetches the packages that the profile's lock names, makes a build root of the image's own suite, compiles the \
            boot stage in it, and writes to the output folder an image for sticks (.img), one for DVDs (.iso), a list of what \
            is inside (.spdx.json), and a manifest (.json). The same commit gives the same bits on every machine.
            """)

    @OptionGroup var places: PlaceOptions

    @Option(help: ArgumentHelp("The folder that takes the image.", valueName: "folder"))
    var output = "out"

    func run() async throws {
        let steps = Steps()
        let output = PlaceOptions.absolute(output)
        let project = try await places.project()
        let request = Builder.Request(
            project: project, profile: places.profile, mirror: try await places.mirrorOfDebian(),
            cache: try places.openCache(), output: output)
        let follower = places.verbose ? LogFollower(folder: output.appending("logs"), prefix: places.profile) : nil
        let manifest: Manifest
        do {
            manifest = try await Builder(request, steps: steps).build()
            await follower?.stop()
        } catch {
            await follower?.stop()
            throw error
        }
        print("Needletail \(manifest.version), profile \(manifest.profile), root hash \(manifest.rootHash)")
        for file in manifest.outputs {
            print("  \(output.appending(file.name))  \(file.size / 1_000_000) MB  SHA-256 \(file.sha256)")
        }
    }
}
