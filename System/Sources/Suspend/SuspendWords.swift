// SPDX-License-Identifier: GPL-3.0-or-later

/// Every sentence that a person reads, in one place.
enum SuspendWords {
    static let usage = """
        needletail-suspend: lets the computer sleep. It says what that means, and asks.
        Shutting down is safer: it wipes the memory.

        """
    static let lockUsage = """
        needletail-lock: locks the screen until the administration password is typed.

        """

    static let warning = """

        LETTING THE COMPUTER SLEEP

        While it sleeps, everything stays in its memory: what you have opened and
        typed, passwords, the keys of your Persistent Storage when it is open, and
        what Tor knows of your connections. Whoever gets the computer in this state
        can get at it, also without your password. Nothing of it is written to a disk.

        The screen will be locked. Do not pull out the stick while the computer
        sleeps; if you must, it is switched off when it wakes up.

        Shutting down instead wipes the memory. When you are not sure, shut down.


        """
    static let word = "sleep"
    static let question = "To let it sleep, type  sleep  and press Enter; to stay awake, only Enter: "
    static let stopped = "The computer stays awake.\n"
    static let notLocked = "The screen could not be locked, so the computer stays awake.\nShut down instead.\n"
    static let notPossible = "This computer cannot sleep now. The screen is locked. Shut down instead.\n"
    static let noService = "The service for sleeping does not answer. The computer stays awake.\n"

    // The lock, for 80 columns, with the line ends of a raw terminal.
    static let locked =
        "\r\n\r\n  THE SCREEN IS LOCKED\r\n\r\n"
        + "  Type the administration password that you chose at the start, and press Enter.\r\n"
        + "  What you type is not shown. The power button switches off and wipes the memory.\r\n"
    static let lockedWithoutPassword =
        "\r\n\r\n  THE SCREEN IS HIDDEN\r\n\r\n"
        + "  No administration password was chosen at the start, so there is no real lock:\r\n"
        + "  whoever presses Enter sees your session. To have a lock the next time, take the\r\n"
        + "  entry \"with administration\" in the boot menu. The power button switches off and\r\n"
        + "  wipes the memory.\r\n\r\n  Press Enter."
    static let password = "Password: "
    static let wrong = "That was not the password."
    static func wait(_ seconds: Int) -> String { "Wrong too often. Wait \(seconds) second\(seconds == 1 ? "" : "s")." }
    static let unavailable = "The password cannot be checked at the moment. Try again, or switch off."
}
