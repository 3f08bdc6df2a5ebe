// SPDX-License-Identifier: GPL-3.0-or-later
import ArgumentParser
import Commands
import Dispatch
import Foundation

@main
struct Needletail: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "needletail",
        abstract: "Builds, tries and inspects Needletail, the amnesic incognito live system.",
        subcommands: [
            BuildCommand.self, LockCommand.self, FirewallCommand.self, TryCommand.self, BenchCommand.self,
            SoakCommand.self, ForensicsCommand.self,
        ])

    static func main() async {
        // Everything happens in one task, so that Ctrl-C and a request to end can cancel it and it cleans up behind itself.
        let work = Task {
            var command = try parseAsRoot()
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
        }
        let sources = [SIGINT, SIGTERM, SIGHUP].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler { @Sendable in work.cancel() }
            source.resume()
            return source
        }
        let result = await work.result
        sources.forEach { $0.cancel() }
        switch result {
        case .success: break
        case .failure(is CancellationError):
            FileHandle.standardError.write(Data("Cancelled. Nothing was left half-written.\n".utf8))
            exit(withError: ExitCode(130))
        case .failure(let error): exit(withError: error)
        }
    }
}
