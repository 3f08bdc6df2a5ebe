// SPDX-License-Identifier: GPL-3.0-or-later
import Clock
import Linux
import Sockets
import Varlink

do {
    // curl, which talks to strangers, must not be able to set the clock.
    try Program.keepCapabilitiesToItself()
    let built = Moment(clamping: try RealTimeClock.modificationTime(of: ClockService.buildTime))
    let service = ClockService(built: built)
    let server = VarlinkServer(try service.varlink())
    async let answering: Void = server.run(Listener.passed())
    await service.followTor()
    await answering
} catch {
    StandardError.line("The clock is not looked after. \(error)")
    Program.exit(1)
}
