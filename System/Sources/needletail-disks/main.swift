// SPDX-License-Identifier: GPL-3.0-or-later
import DiskService
import Linux

Program.exit(await DisksProgram.run(Array(CommandLine.arguments.dropFirst())))
