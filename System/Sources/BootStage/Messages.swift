// SPDX-License-Identifier: GPL-3.0-or-later

/// What the screen says when the system cannot be started. All words for people are in this file, so that they can be
/// translated in one place. ASCII only: the text console of a BIOS has few other letters.
struct Message: Hashable {
    /// One line.
    let title: String
    /// What happened, whether data is safe, what to do: one paragraph each.
    let paragraphs: [String]

    private static let safe = "Nothing was changed on this computer or on the stick."
    private static let writeAgain = """
        Write Needletail to the stick again, or use another stick: cheap sticks wear out. If this happens with several \
        sticks, check the downloaded file first.
        """

    /// The words for a failure.
    ///
    /// - Parameter failure: what happened.
    init(_ failure: BootFailure) {
        switch failure {
        case .incomplete:
            title = "This copy of Needletail is not complete"
            paragraphs = [
                "A part that is needed for starting is missing or does not fit the rest.", Self.safe, Self.writeAgain,
            ]
        case .tooLittleMemory(let found, let needed):
            title = "This computer has too little memory"
            paragraphs = [
                "Needletail needs \(Self.megabytes(needed)) of memory (RAM), and only \(Self.megabytes(found)) can be used here.",
                Self.safe, "Use a computer with more memory, or give the virtual machine more.",
            ]
        case .mediumNotFound(let seen):
            title = "The Needletail stick was not found"
            paragraphs =
                [
                    "The start began, but the stick or DVD that it began from cannot be found any more.",
                    seen.isEmpty ? "No disks were found at all." : "These disks were found:",
                ]
                + seen.prefix(4).map { "  - \($0)" }
                + [
                    Self.safe,
                    """
                    Switch off, plug the stick directly into the computer (not into a hub), best into another port, and \
                    start again. If it happens again, choose "Troubleshooting" in the start menu and send us a photo of the \
                    screen.
                    """,
                ]
        case .severalMedia(let media):
            title = "Two Needletail sticks are plugged in"
            paragraphs =
                [
                    "The same version of Needletail is on more than one disk, and nothing tells which one was started:"
                ]
                + media.prefix(4).map { "  - \($0)" }
                + [Self.safe, "Switch off, remove the one that you did not start from, and start again."]
        case .mediumRemoved:
            title = "The Needletail stick was removed"
            paragraphs = [
                "The stick or DVD was taken out, or lost its contact, while Needletail was starting.", Self.safe,
                "Switch off, plug the stick in firmly, and start again. Leave it in until the computer is off.",
            ]
        case .systemCutShort:
            title = "Needletail on this stick is cut short"
            paragraphs = [
                """
                The end of the system is missing. Writing the stick was probably interrupted, or the \
                stick is smaller than it claims.
                """, Self.safe, Self.writeAgain,
            ]
        case .verityMissing:
            title = "Needletail on this stick cannot be checked"
            paragraphs = [
                """
                The verity data, with which every part of the system is checked, is missing. Writing the \
                stick was probably interrupted, or it was changed.
                """, Self.safe, Self.writeAgain,
            ]
        case .systemDamaged:
            title = "Needletail on this stick is damaged"
            paragraphs = [
                """
                A part of the system is not as it was made, or cannot be read. The stick may be worn \
                out, or somebody may have changed it. Needletail does not start from it, because it \
                could do harm.
                """, Self.safe,
                Self.writeAgain,
                "If the stick was out of your hands, do not use it again.",
            ]
        case .noMemoryForToRAM(let needed, let available):
            title = "Too little memory for running from memory"
            paragraphs = [
                "Copying Needletail into memory needs \(Self.megabytes(needed)), and \(Self.megabytes(available)) are free.",
                Self.safe, "Start again and choose the ordinary entry of the menu: it needs much less memory.",
            ]
        case .root:
            title = "Needletail could not be set up"
            paragraphs = [
                "The stick was found and is fine so far, but the system on it could not be made ready.", Self.safe,
                "Start again. If it happens again, write Needletail to the stick again.",
            ]
        case .firewall:
            title = "Needletail could not close its firewall"
            paragraphs = [
                """
                Without it, something could reach the network without Tor. So Needletail stops here, and \
                the network was never switched on.
                """, Self.safe,
                "Start again. If it happens again, write Needletail to the stick again.",
            ]
        case .namespaces:
            title = "Needletail could not separate your session from the network"
            paragraphs = [
                """
                Your session must reach nothing but Tor, and the walls for that could not be built. So Needletail stops \
                here, and the network was never switched on.
                """, Self.safe,
                "Start again. If it happens again, write Needletail to the stick again.",
            ]
        case .handover:
            title = "Needletail could not be started"
            paragraphs = [
                "Everything was made ready, but the first program of the system did not start.", Self.safe,
                Self.writeAgain,
            ]
        }
    }

    /// The last line of every screen.
    static let switchOff = "Press Enter, or the power button, to switch the computer off."

    /// Before the particulars.
    static let details = "For those who want to help"

    /// While the system is copied into memory.
    static func copying(percent: Int) -> String { "Copying Needletail into memory: \(percent) %" }

    /// When that is done.
    static let copied = "Needletail is in memory: the stick or DVD can be taken out once the system is running."

    private static func megabytes(_ bytes: UInt64) -> String { "\((bytes + 1_048_575) / 1_048_576) MB" }
}
