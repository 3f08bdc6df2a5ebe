// SPDX-License-Identifier: GPL-3.0-or-later
import Amnesia
import BootStage
import Linux

let arguments = Array(CommandLine.arguments.dropFirst())
let name = CommandLine.arguments.first?.split(separator: "/").last.map(String.init) ?? ""

guard Program.identifier == 1 else {
    print("needletail-init is the first program that Needletail's kernel starts. It does nothing anywhere else.")
    Program.exit(2)
}
switch name {
// systemd returns to this program, which stayed in memory.
case "shutdown": Shutdown.run(arguments: arguments)
default: BootStage.run(arguments: arguments)
}
