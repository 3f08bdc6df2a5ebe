// SPDX-License-Identifier: GPL-3.0-or-later
import Linux
import Suspend

Program.exit(await SuspendProgram.run(Array(CommandLine.arguments.dropFirst())))
