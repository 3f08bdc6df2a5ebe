// SPDX-License-Identifier: GPL-3.0-or-later
import SystemPackage

/// Where a machine keeps its files: sockets, logs, what its drives were written.
struct MachineFiles: Sendable, Hashable {
    let folder: FilePath

    var control: FilePath { folder.appending("qmp") }
    var serial: FilePath { folder.appending("serial") }
    var serialLog: FilePath { folder.appending("serial.log") }
    var shell: FilePath { folder.appending("shell") }
    var log: FilePath { folder.appending("qemu.log") }
    var variables: FilePath { folder.appending("firmware-variables.qcow2") }
    var snapshots: FilePath { folder.appending("snapshots.qcow2") }

    func overlay(of drive: Drive) -> FilePath { folder.appending("\(drive.name).qcow2") }
    func credential(_ index: Int) -> FilePath { folder.appending("credential-\(index)") }

    /// See: 'man 7 unix'; the path of a socket has 107 bytes.
    func validate() throws {
        let length = control.string.utf8.count + "shell".utf8.count
        guard length <= 107 else {
            throw MachineFailure(
                .badFolder, "The folder \(folder) has a path too long for sockets. Give the sandbox a shorter one.")
        }
    }
}

/// The firmware's files on the maker's machine.
struct FirmwareFiles: Sendable, Hashable {
    /// The program.
    let code: FilePath
    /// The settings, with the keys: copied for each machine.
    let variables: FilePath

    /// Finds what a firmware needs, in Debian's package `ovmf`; `nil` for SeaBIOS, which QEMU brings along.
    static func find(_ firmware: MachineDescription.Firmware, in folder: FilePath = "/usr/share/OVMF") throws
        -> FirmwareFiles?
    {
        let names: (String, String)
        switch firmware {
        case .bios: return nil
        case .uefi: names = ("OVMF_CODE_4M.fd", "OVMF_VARS_4M.fd")
        case .uefiSecureBoot: names = ("OVMF_CODE_4M.secboot.fd", "OVMF_VARS_4M.ms.fd")
        }
        let files = FirmwareFiles(code: folder.appending(names.0), variables: folder.appending(names.1))
        for file in [files.code, files.variables] {
            guard (try? FileDescriptor.open(file, .readOnly).close()) != nil else {
                throw MachineFailure(
                    .missingFirmware, "The firmware \(file) is missing. Install Debian's package 'ovmf'.")
            }
        }
        return files
    }
}
