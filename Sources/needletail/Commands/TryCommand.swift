// SPDX-License-Identifier: GPL-3.0-or-later
import ArgumentParser
import Commands
import Foundation
import Image
import SystemPackage
import Testbed

struct TryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "try",
        abstract: "Start the image on a private Tor network and fetch a page.",
        discussion: """
            Everything happens in namespaces that have no way to the real network: a Tor network of its own, a web server, and \
            a virtual machine that starts the image. What the machine sends is captured from power-on and judged.
            """)

    @Option(help: "The profile whose image is started.")
    var profile = "core"

    @Option(help: ArgumentHelp("The folder with the image.", valueName: "folder"))
    var output = "out"

    @Option(help: "What the machine starts with: bios, uefi or secure-boot.")
    var firmware = Firmware.uefi

    @Option(help: "The machine's memory in MiB.")
    var memory = 1024

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("How far the machine's hardware clock is ahead; behind with a minus.", valueName: "seconds"))
    var clockOffset = 0

    @Flag(help: "Show the machine's screen in a window, and leave it running until Ctrl-C.")
    var display = false

    @Flag(help: "Start the entry for troublesome hardware and show its serial console until Ctrl-C.")
    var console = false

    @Option(
        name: .customLong("run"),
        help: ArgumentHelp(
            "Run this file's shell commands as root in the started system and print what they print.", valueName: "file"
        ))
    var script: String?

    enum Firmware: String, ExpressibleByArgument, CaseIterable {
        case bios, uefi
        case secureBoot = "secure-boot"

        var description: MachineDescription.Firmware {
            switch self {
            case .bios: .bios
            case .uefi: .uefi
            case .secureBoot: .uefiSecureBoot
            }
        }
    }

    func validate() throws {
        guard (64...65536).contains(memory) else { throw ValidationError("--memory takes 64 to 65536 MiB.") }
    }

    func run() async throws {
        let folder = PlaceOptions.absolute(output)
        let image = folder.appending(Builder.outputNames(of: profile)[0])
        guard FileManager.default.fileExists(atPath: image.string) else {
            throw ValidationError("There is no \(image). Build it with: needletail build --profile \(profile)")
        }
        // Short: the path of a UNIX socket has 107 bytes at the most.
        let work = FilePath("/tmp/needletail-try-\(ProcessInfo.processInfo.processIdentifier)")
        defer { try? FileManager.default.removeItem(atPath: work.string) }
        var plan = Trial.Plan(image: image, firmware: firmware.description, memory: memory)
        plan.clockOffset = clockOffset
        plan.display = display ? .window : .none
        let steps = Steps()
        if console {
            _ = try await Trial.with(plan, work: work, steps: steps) { try await showConsole(of: $0) }
            return
        }
        if let script {
            try await runCommands(in: script, plan: plan, work: work, steps: steps)
            return
        }
        let (report, verdict) = try await Trial.with(plan, work: work, steps: steps) { trial in
            let report = try await rehearse(trial, steps: steps, screenshot: folder.appending("try-\(profile).png"))
            if display {
                print(report.text)
                print("The machine runs on. Ctrl-C ends it.")
                while !Task.isCancelled { try? await Task.sleep(for: .seconds(1)) }
            }
            return report
        }
        print(report.text)
        print("Frames that left the machine:\n\(verdict)")
        guard report.seen.isThroughTor, verdict.isClean else { throw ExitCode(1) }
    }

    /// Runs commands in the guest's root shell as soon as there is one, without waiting for Tor.
    private func runCommands(in file: String, plan: Trial.Plan, work: FilePath, steps: Steps) async throws {
        let script = try String(contentsOfFile: file, encoding: .utf8)
        let (answer, verdict) = try await Trial.with(plan, work: work, steps: steps) { trial in
            try await steps.step("Start the machine") {
                try await trial.machine.shell.waitUntilReady(within: .seconds(240))
            }
            return try await trial.machine.shell.run(script, timeout: .seconds(1800))
        }
        print(answer.output)
        print("Frames that left the machine:\n\(verdict)")
        guard answer.status == 0, verdict.isClean else { throw ExitCode(1) }
    }

    private func rehearse(_ trial: Trial, steps: Steps, screenshot: FilePath) async throws -> TrialReport {
        try await steps.step("Start the machine") {
            try await trial.machine.shell.waitUntilReady(within: .seconds(240))
        }
        let connected = try await steps.step("Wait for Tor") { try await trial.waitForTor(within: .seconds(240)) }
        let seen = try await steps.step("Fetch \(WebServer.page)") { try await trial.fetchPage() }
        let times = try await BootTimes(of: trial.machine)
        try await trial.machine.screenshot(to: screenshot)
        return TrialReport(
            times: times, torConnected: connected, seen: .init(address: seen, exits: trial.tor.exitAddresses),
            screenshot: screenshot)
    }

    /// Shows what comes from the serial port, and sends it what is typed, a line at a time.
    private func showConsole(of trial: Trial) async throws {
        let machine = trial.machine
        FileHandle.standardError.write(Data("Waiting for the boot menu; Ctrl-C ends the machine.\n".utf8))
        let typed = Task.detached {
            while let line = readLine(strippingNewline: false), !Task.isCancelled { try machine.console.send(line) }
        }
        defer { typed.cancel() }
        var shown = 0
        while !Task.isCancelled, machine.exitReason == nil {
            let text = machine.console.text
            if text.utf8.count > shown {
                FileHandle.standardOutput.write(Data(text.utf8.dropFirst(shown)))
                shown = text.utf8.count
            } else if shown == 0 {
                // The menu's hot key for the entry with a serial console; before and after the menu it does nothing.
                try? await machine.sendKeys(["s"])
            }
            try? await Task.sleep(for: .milliseconds(300))
        }
    }
}
