// SPDX-License-Identifier: GPL-3.0-or-later

/// What people read, in one place.
enum AdministrationWords {
    static let choose = """

        Administration password
        It is needed to install programs in this session. It is forgotten when you switch off.
        Press Enter without typing to start without administration.
        What you type is not shown.

        """
    static let first = "Password: "
    static let second = "The same again: "
    static let different = "The two were not the same. Once more.\n"
    static let notUsable = "This password cannot be used. Take 1 to 500 characters.\n"
    static let chosen = "Administration is on. In the session, type: needletail-admin\n"
    static let chosenNone = "Administration is off in this session.\n"
    static let notKept = "The password could not be kept. Administration is off in this session.\n"

    static let usage = """
        needletail-admin: install programs and run tools, apart from the rest of the system

          needletail-admin                    a shell
          needletail-admin COMMAND ARGUMENT…  one command, such as: needletail-admin apt-get update
          needletail-admin -- COMMAND …       the same, for a command that begins with a dash
          needletail-admin --copy FILE…       copies of your files to /root there
          needletail-admin --end              ends it all and forgets what was installed
          needletail-admin --status           says whether administration is on

        What you install and change there is in memory and is gone when you switch off. It cannot change the system
        or the network, and it does not see your files. To bring a result back:
          needletail-admin cat /root/RESULT > RESULT

          --password-stdin                    the first line of the input is the password

        """

    static let password = "Administration password: "
    static let wrong = "This is not the password that you chose at the start. Nothing was changed.\n"
    static func tooMany(_ seconds: Int) -> String {
        "The password was wrong too often. You can try again in \(seconds) second\(seconds == 1 ? "" : "s").\n"
    }
    static let off = """
        Administration is off in this session, because no password was chosen at the start.
        Nothing is wrong, and nothing was changed. If you need it, restart and take the entry
        "with administration" in the boot menu (the key a).

        """
    static let on = "Administration is on. Nothing is installed or runs there.\n"
    static let running = "Administration is on, and has been used: what you installed there is in memory.\n"
    static let ended = "Ended. What was installed and changed there is gone.\n"
    static let endedNothing = "Nothing ran there. Nothing was changed.\n"
    static let noTicket = "It took too long. Try again. Nothing was changed.\n"
    static let failed = """
        Administration could not start. Your session and your files are as they were.
        Try again; if it happens again, restart the computer.

        """
    static let busy = """
        There is no room for more: too much runs there already. This was not started, and nothing was changed.
        End something that runs there and try again.

        """
    static let notYours = "Only the user of this session may ask for administration.\n"
    static let noService = "The administration service does not answer. Your session and your files are as they were.\n"
    static let gone = "The connection to the command has ended. Your session and your files are as they were.\n"
    static let badArguments = "The command is too long, or holds characters that a command cannot have.\n"
    static let noPassword = "No password was typed. Nothing was changed.\n"
    static func unreadable(_ file: String, _ why: String) -> String {
        "\(file) cannot be read: \(why). It was not copied.\n"
    }
}
