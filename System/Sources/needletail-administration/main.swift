// SPDX-License-Identifier: GPL-3.0-or-later
import Administration
import Linux

AdministrationProgram.run(Array(CommandLine.arguments.dropFirst()))
