// SPDX-License-Identifier: GPL-3.0-or-later
import Connection
import Linux

Program.exit(await ConnectionService.run())
