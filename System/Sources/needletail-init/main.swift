// SPDX-License-Identifier: GPL-3.0-or-later
import BootStage
import Linux

guard Program.identifier == 1 else {
    print("needletail-init is the first program that Needletail's kernel starts. It does nothing anywhere else.")
    Program.exit(2)
}
BootStage.run(arguments: Array(CommandLine.arguments.dropFirst()))
