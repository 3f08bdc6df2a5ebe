// SPDX-License-Identifier: GPL-3.0-or-later
import Linux

/// Devices made of other devices or of files: encrypted, verified and loop devices, and swap.
public enum ClosingDevices {
    /// Makes every encrypted device forget its key, at once. What was still to be written to it is lost, as in a power cut.
    ///
    /// - Parameter complaints: where it is told which could not.
    public static func wipeKeys(_ complaints: Step.Complaints) {
        complaints.attempt { () throws(SystemCallFailure) in
            // Without the driver there is no such device.
            guard FileTree.exists("/dev/mapper/control"), hasMappedDevices else { return }
            let mapper = try DeviceMapper()
            for name in try mapper.names() {
                complaints.attempt { () throws(SystemCallFailure) in
                    guard try mapper.kind(of: name) == "crypt" else { return }
                    // Stopped already is as good; the message tells.
                    try? mapper.suspend(name)
                    try mapper.wipeKey(name)
                }
            }
        }
    }

    /// Closes all of them: the keys first, then what nobody uses, until nothing goes any more.
    ///
    /// - Parameter complaints: where it is told which stayed.
    public static func run(_ complaints: Step.Complaints) {
        wipeKeys(complaints)
        var failures: [String: String] = [:]
        // Those on top first; each pass frees those beneath.
        for _ in 0..<16 {
            failures = [:]
            let before = count
            close(&failures)
            if failures.isEmpty || count == before { break }
        }
        for name in failures.keys.sorted() { complaints.add(failures[name] ?? name) }
    }

    /// Takes all swap out of use. The kernel reads it back, so it may need time and memory.
    ///
    /// - Parameter complaints: where it is told which stayed.
    public static func removeSwap(_ complaints: Step.Complaints) {
        let lines = ((try? File.text("/proc/swaps")) ?? "").split(separator: "\n").dropFirst()
        for line in lines {
            guard let word = line.split(whereSeparator: { $0 == " " || $0 == "\t" }).first else { continue }
            complaints.attempt { () throws(SystemCallFailure) in try Swap.remove(MountTable.plain(word)) }
        }
    }

    private static var hasMappedDevices: Bool { FileTree.names(in: "/sys/block").contains { $0.hasPrefix("dm-") } }

    private static var usedLoops: [String] {
        FileTree.names(in: "/sys/block").filter {
            $0.hasPrefix("loop") && FileTree.exists("/sys/block/\($0)/loop/backing_file")
        }
    }

    private static var count: Int {
        FileTree.names(in: "/sys/block").count { $0.hasPrefix("dm-") } + usedLoops.count
    }

    private static func close(_ failures: inout [String: String]) {
        if hasMappedDevices {
            do throws(SystemCallFailure) {
                let mapper = try DeviceMapper()
                for name in try mapper.names().reversed() {
                    do throws(SystemCallFailure) { try mapper.remove(name) } catch { failures[name] = "\(error)" }
                }
            } catch {
                failures["device mapper"] = "\(error)"
            }
        }
        for loop in usedLoops {
            do throws(SystemCallFailure) {
                try LoopDevice.clear(try File("/dev/\(loop)"))
                // With users left it would end with the last of them.
                if FileTree.exists("/sys/block/\(loop)/loop/backing_file") { failures[loop] = Words.stillOpen(loop) }
            } catch {
                // Already gone: that is what was wanted.
                if error.number.rawValue != 6 { failures[loop] = "\(error)" }
            }
        }
    }
}
