// SPDX-License-Identifier: GPL-3.0-or-later
import Commands
import Foundation
import SystemPackage

extension MachineArguments {
    /// Makes the files that the machine needs: its folder, credentials, the firmware's variables, and overlays that take what
    /// its drives are written.
    func prepare(in sandbox: Sandbox) async throws {
        let manager = FileManager.default
        try manager.createDirectory(atPath: files.folder.string, withIntermediateDirectories: true)
        for old in [files.control, files.serial, files.shell, files.serialLog, files.log, files.snapshots] {
            try? manager.removeItem(atPath: old.string)
        }
        for (index, credential) in allCredentials.enumerated() {
            try Data(credential.text.utf8).write(to: URL(fileURLWithPath: files.credential(index).string))
        }
        if let firmware {
            // qcow2, so that snapshots can hold the variables too.
            let words = ["convert", "-f", "raw", "-O", "qcow2", firmware.variables.string, files.variables.string]
            _ = try await sandbox.command("qemu-img", words).output()
        }
        for drive in description.drives { try await prepare(drive, in: sandbox.command) }
    }

    /// Makes a drive's overlay.
    ///
    /// - Parameters:
    ///   - drive: The drive.
    ///   - command: How to run a tool in the sandbox.
    /// - Throws: `MachineFailure` when its image is not there; `CommandFailure`.
    func prepare(
        _ drive: Drive, in command: (String, [String], String?, [String: String]) -> Command
    ) async throws {
        guard let attributes = try? FileManager.default.attributesOfItem(atPath: drive.image.string),
            let size = (attributes[.size] as? NSNumber)?.intValue
        else {
            throw MachineFailure(
                .missingImage, "The image \(drive.image) of the drive '\(drive.name)' is not there. Build it first.")
        }
        guard drive.writes == .discarded else { return }
        var words = [
            "create", "-q", "-f", "qcow2", "-F", drive.format.rawValue, "-b", drive.image.string,
            files.overlay(of: drive).string,
        ]
        // QEMU takes only cards whose size is a power of two, as real ones of up to 2 GB have.
        if drive.attachment == .sdCard, drive.format == .raw { words.append(String(Self.cardSize(size))) }
        _ = try await command("qemu-img", words, nil, [:]).output()
    }

    /// What a window needs to know of the maker's desktop: X11, whose socket is in `/tmp`. The sandbox does not see `/run`,
    /// where a desktop's key may lie, so the machine gets a copy.
    func desktop() throws -> [String: String] {
        let own = ProcessInfo.processInfo.environment
        guard let display = own["DISPLAY"] else {
            throw MachineFailure(
                .badDescription, "There is no desktop for a window (DISPLAY is not set). Do without one.")
        }
        var variables = ["DISPLAY": display, "GDK_BACKEND": "x11"]
        if let key = own["XAUTHORITY"], let content = try? Data(contentsOf: URL(fileURLWithPath: key)) {
            let copy = files.folder.appending("desktop-key")
            try content.write(to: URL(fileURLWithPath: copy.string))
            variables["XAUTHORITY"] = copy.string
        }
        return variables
    }

    /// The size of a card that holds an image.
    static func cardSize(_ size: Int) -> Int {
        var card = 1 << 20
        while card < size { card *= 2 }
        return card
    }

    /// Removes what the drives were written.
    func removeOverlays() {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: files.folder.string)) ?? []
        for name in names where name.hasSuffix(".qcow2") {
            try? FileManager.default.removeItem(atPath: files.folder.appending(name).string)
        }
    }
}
