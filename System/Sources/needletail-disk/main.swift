// SPDX-License-Identifier: GPL-3.0-or-later
import Disks
import Linux

Program.exit(DiskCommand.run(Array(CommandLine.arguments.dropFirst()), environment: Program.environment))
