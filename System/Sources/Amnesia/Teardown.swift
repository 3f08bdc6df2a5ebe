// SPDX-License-Identifier: GPL-3.0-or-later
import Linux

/// The end of a session in its order, but for the memory. Each step has a time limit, and a step that fails does not keep the
/// next from being done.
public enum Teardown {
    /// All steps that come before the memory is erased, for a program that is process 1 and alone.
    ///
    /// - Parameter kept: processes that belong to it.
    /// - Returns: the steps in their order.
    public static func steps(keeping kept: Set<Int32> = []) -> [Step] {
        [
            Step("network", Words.network, seconds: 5, action: KernelMemory.closeNetwork),
            Step("processes", Words.processes, seconds: 10) { complaints in
                // systemd has asked them already.
                for process in RunningProcesses.end(polite: 0.5, patience: 5, except: kept).prefix(10) {
                    complaints.add(Words.stillRunning(process))
                }
            },
            Step("shared", Words.shared, seconds: 5, action: KernelMemory.removeSharedObjects),
            Step("swap", Words.swap, seconds: 20, action: ClosingDevices.removeSwap),
            // Before the keys of encrypted devices: what is to be written to them is written now.
            Step("mounts", Words.fileSystems, seconds: 90) { Unmounting.run($0) },
            Step("devices", Words.devices, seconds: 10, action: ClosingDevices.run),
            Step("names", Words.names, seconds: 5, action: KernelMemory.removeDeviceNames),
            Step("keys", Words.keys, seconds: 5, action: KernelMemory.clearKeys),
            Step("consoles", Words.consoles, seconds: 5, action: Screen.clearConsoles),
            Step("pictures", Words.pictures, seconds: 8, action: Screen.clearPictures),
            Step("log", Words.log, seconds: 5, action: KernelMemory.overwriteLog),
            Step("caches", Words.caches, seconds: 10, action: KernelMemory.dropCaches),
        ]
    }

    /// Does steps one after the other.
    ///
    /// - Parameters:
    ///   - steps: what is to be done.
    ///   - before: called before each.
    ///   - after: called after each.
    /// - Returns: what came of each.
    @discardableResult
    public static func perform(
        _ steps: [Step], before: (Step) -> Void = { _ in }, after: (Step, Step.Outcome) -> Void = { _, _ in }
    ) -> [Step.Outcome] {
        steps.map { step in
            before(step)
            let outcome = step.perform()
            after(step, outcome)
            return outcome
        }
    }
}
