// SPDX-License-Identifier: GPL-3.0-or-later

/// What is said, to the log and to the user.
enum Words {
    static let armed = "Ready: the boot medium, the panic key and needletail-panic are watched."
    static let armedWithoutMedium = "Ready: panic key and needletail-panic are watched, the boot medium is not."
    static let inMemory = "The system runs from memory: the boot medium may be taken out."
    static let standardKeys =
        "There is no list of panic keys that can be understood; both Shift keys with Escape it is."
    static let noSocket = "No socket was given: needletail-panic does not work."

    static func notWatched(_ reason: String) -> String {
        "The boot medium is not watched, because it is not known: \(reason)."
    }
    static let notPinned =
        "In an emergency programs that have ended may leave traces: the files of process 1 are not known."
    static func incomplete(_ count: Int) -> String {
        "\(count) of the kernel's files that an emergency needs are missing; it will do what it can."
    }
    static func notArmed(_ reason: String) -> String { "An emergency cannot be prepared: \(reason)." }

    static let help = """
        needletail-panic: switches this computer off at once and leaves nothing in its memory.

        The screen goes dark, the network is cut, the Persistent Storage is locked, all programs are ended, memory is
        overwritten. Nothing is saved: what you have not saved is lost. It takes up to 20 seconds until the computer is off.

        The same happens when you hold both Shift keys and press Escape, and when you pull out the USB stick.

          --yes      do not ask
          --status   say whether the computer is watching, and do nothing
          --help     this text

        """
    static let question = """
        This switches the computer off at once. What you have not saved is lost.
        Type YES and press Enter to do it, anything else to go on:

        """
    static let begun = "Switching off.\n"
    static let notBegun = "Nothing was done.\n"
    static let watching = """
        Watching. Pull out the USB stick, or hold both Shift keys and press Escape, and this computer goes off at once.

        """
    static let watchingKeysOnly = """
        Watching the keys: hold both Shift keys and press Escape, and this computer goes off at once.
        Pulling out the USB stick does not switch it off.

        """
    static let unreachable = """
        The emergency service does not answer, so it cannot switch the computer off.
        Hold the computer's power button until it is off. What is in memory fades within minutes.

        """
    static func unknownOption(_ word: String) -> String {
        "needletail-panic does not know \"\(word)\". needletail-panic --help says what it knows.\n"
    }
}
