// SPDX-License-Identifier: GPL-3.0-or-later
import Linux

/// All sentences that this part has for the user.
enum DiskWords {
    static func detail(_ protection: Protection) -> String {
        switch protection {
        case .medium: "This computer was started from it."
        case .inside: "A disk of this computer. It is read-only, and nothing on it is opened by itself."
        case .present:
            "As far as the system can tell, it was plugged in when the computer was started, so it is read-only. "
                + "To write to it, take it out, wait five seconds and plug it in again."
        case .later: "It was plugged in during the session. It can be written to; nothing on it is opened by itself."
        }
    }

    static let allowed = "You have allowed writing to it, until the end of the session."

    static func failed(_ name: String, because reason: String) -> String {
        "The disk \(ReportText.printable(name)) is switched off for this session, because it could not be made read-only: "
            + "\(ReportText.printable(reason)). Nothing was written to it. If you can, unplug it."
    }

    static let notKept = "the driver did not keep it read-only"
    static let notOpened = "it stays read-only, maybe by a switch on the disk"
    static let noName = "the system did not say which disk it is"
    static let usage = "Usage: disk add | partition | remove | slots. For udev (10-needletail-disk.rules) and systemd."
}
