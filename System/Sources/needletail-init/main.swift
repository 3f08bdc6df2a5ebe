// SPDX-License-Identifier: GPL-3.0-or-later
import Amnesia
import BootStage
import Emergency
import Linux

let arguments = Array(CommandLine.arguments.dropFirst())
let name = Program.executedName

if name == "emergency" {
    EmergencyProgram.run { until in
        // Steps are processes of their own: what crashes in one is not the end of this program.
        let end = Double(until) / 1000
        let steps = [
            Step("keys", "", seconds: 2, action: KernelMemory.clearKeys),
            Step("consoles", "", seconds: 1, action: Screen.clearConsoles),
            Step("pictures", "", seconds: 2, action: Screen.clearPictures),
            Step("log", "", seconds: 2, action: KernelMemory.overwriteLog),
        ]
        for step in steps { _ = step.perform() }
        _ = Step("memory", "", seconds: max(0.5, end - Machine.uptime)) { _ in MemoryWipe.run(until: end) }.perform()
    }
}
guard Program.identifier == 1 else {
    print("needletail-init is the first program that Needletail's kernel starts. It does nothing anywhere else.")
    Program.exit(2)
}
switch name {
// In an emergency systemd gives way to this program, which does nothing but bury the dead.
case "systemd-shutdown": Processes.buryForEver()
// systemd returns to this program, which stayed in memory.
case "shutdown": Shutdown.run(arguments: Array(Program.arguments.dropFirst()))
default: BootStage.run(arguments: arguments)
}
