// SPDX-License-Identifier: GPL-3.0-or-later
import Linux
import Portal

Program.exit(await PortalProgram.run(Array(CommandLine.arguments.dropFirst())))
