// SPDX-License-Identifier: GPL-3.0-or-later
import Image

/// What the project's data files say, for comparison with what the running system says.
enum DataFileReading {
    /// The words of the kernel's command line.
    static func hardening() throws -> [String] {
        try DataFile.decode(Hardening.self, from: ShippedImage.project.appending("image/hardening.yaml"))
            .kernelCommandLine.map(\.word)
    }
}
