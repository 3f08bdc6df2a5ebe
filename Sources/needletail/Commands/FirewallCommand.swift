// SPDX-License-Identifier: GPL-3.0-or-later
import ArgumentParser
import Foundation
import Image
import SystemPackage

struct FirewallCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "firewall", abstract: "Show the firewall's rules, or write the document about them.",
        discussion: "The rules are made from image/firewall.yaml; each build puts them into the image.")

    @Option(help: "The namespace: root, session or portal.")
    var namespace = Namespace.root

    @Flag(help: "Write docs/network/firewall.md instead.")
    var document = false

    enum Namespace: String, ExpressibleByArgument, CaseIterable { case root, session, portal }

    func run() async throws {
        let project = try await Project.find(at: FilePath(FileManager.default.currentDirectoryPath))
        let data = try project.firewall()
        guard document else {
            let name = FirewallException.Namespace(rawValue: namespace.rawValue) ?? .root
            print(data.table(of: name).text, terminator: "")
            return
        }
        let path = project.root.appending(FirewallData.documentPath)
        try FileManager.default.createDirectory(
            atPath: path.removingLastComponent().string, withIntermediateDirectories: true)
        try Data(data.document.utf8).write(to: URL(filePath: path.string))
        print("Wrote \(path).")
    }
}
