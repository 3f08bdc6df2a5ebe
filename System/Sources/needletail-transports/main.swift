// SPDX-License-Identifier: GPL-3.0-or-later
import Linux
import Transports

Program.exit(TransportsProgram.run(Array(CommandLine.arguments.dropFirst())))
