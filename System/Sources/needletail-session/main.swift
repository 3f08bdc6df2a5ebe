// SPDX-License-Identifier: GPL-3.0-or-later
import Administration
import Connection
import DiskService
import Emergency
import Linux
import Portal
import Status
import Suspend

// One program under the names of the session's commands.
let words = Array(CommandLine.arguments.dropFirst())
switch CommandLine.arguments.first?.split(separator: "/").last {
case "needletail-connect": Program.exit(await ConnectCommand.run(words))
case "needletail-admin": Program.exit(await AdministrationCommand.run(words))
case "needletail-disks": Program.exit(await DisksCommand.run(words))
case "needletail-login-page": Program.exit(await LoginPageCommand.run(words))
case "needletail-lock": Program.exit(await SuspendCommand.run(words, onlyLock: true))
case "needletail-panic": Program.exit(PanicCommand.run(words))
case "needletail-suspend": Program.exit(await SuspendCommand.run(words))
case "needletail-status": Program.exit(await StatusCommand.run(words))
default: Program.exit(2)
}
