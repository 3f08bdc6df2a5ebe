// SPDX-License-Identifier: GPL-3.0-or-later
import HardwareAddress
import Linux

Program.exit(AddressCommand.run(Array(CommandLine.arguments.dropFirst()), environment: Program.environment))
