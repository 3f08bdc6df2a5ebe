// SPDX-License-Identifier: GPL-3.0-or-later
import Linux

/// What `/usr/lib/needletail/mac` does; the udev rules and NetworkManager's unit call it.
public enum AddressCommand {
    static let networkManagerFile = "/run/NetworkManager/conf.d/95-needletail-mac.conf"

    /// Does what an argument names.
    ///
    /// - Parameters:
    ///   - arguments: `add` or `remove`, for the interface that the environment names as udev's do, or `network-manager`.
    ///   - environment: the value of a variable.
    /// - Returns: the exit status.
    public static func run(_ arguments: [String], environment: (String) -> String?) -> Int32 {
        Program.setFileModeMask(0o022)
        let (policy, doubt) = AddressPolicy.chosen(on: (try? File.text("/proc/cmdline")) ?? "")
        do throws(SystemCallFailure) {
            switch arguments.first {
            case "add": return try add(environment, policy, doubt)
            case "remove": return try remove(environment)
            case "network-manager":
                if let doubt { Program.printError(doubt) }
                return try configureNetworkManager(policy)
            default:
                Program.printError("Usage: mac add | remove | network-manager. udev and NetworkManager's unit call it.")
                return 2
            }
        } catch {
            Program.printError("\(error)")
            return 1
        }
    }

    /// Prepares an interface. What is printed becomes properties of the interface, which NetworkManager reads before it touches
    /// it: see udev(7), `IMPORT{program}`. Anything but success keeps it off, because the rule has set NM_UNMANAGED=1 before.
    private static func add(
        _ environment: (String) -> String?, _ policy: AddressPolicy, _ doubt: String?
    ) throws(SystemCallFailure) -> Int32 {
        guard let name = environment("INTERFACE"), let index = environment("IFINDEX").flatMap({ Int32($0) }), index > 0
        else {
            Program.printError(Messages.noIndex)
            return 1
        }
        let lock = try prepareFolder()
        let driver = FileTree.resolved("/sys/class/net/\(name)/device/driver")?.split(separator: "/").last
        let mark = "\(InterfaceReport.folder)/.prepared/\(index)"
        let interface = NewInterface(
            control: Kernel(), policy: policy, doubt: doubt, wasPrepared: FileTree.exists(mark))
        let report = interface.prepare(index, name: name, driver: driver.map(String.init))
        if report.result == .failed {
            try? FileTree.remove(mark)
            Program.printError(report.detail)
        } else {
            try File(mark, .create(mode: 0o600)).write([])
        }
        try write(report)
        _ = consume lock
        Program.print("NM_UNMANAGED=\(report.result == .failed ? "1" : "0")")
        Program.print("NEEDLETAIL_ADDRESS=\(report.result.rawValue)")
        return 0
    }

    /// Takes an interface that is gone out of the firewall's set.
    private static func remove(_ environment: (String) -> String?) throws(SystemCallFailure) -> Int32 {
        guard let name = environment("INTERFACE"), !name.contains("/"), !name.hasPrefix(".") else { return 1 }
        let lock = try prepareFolder()
        if let index = environment("IFINDEX").flatMap({ Int32($0) }) {
            try? FileTree.remove("\(InterfaceReport.folder)/.prepared/\(index)")
        }
        // A new interface may have taken the name already, and be in the set by right.
        if !FileTree.exists("/sys/class/net/\(name)") {
            try? FileTree.remove("\(InterfaceReport.folder)/\(name)")
            try Kernel().expel(name)
        }
        _ = consume lock
        return 0
    }

    /// Writes what NetworkManager does with the addresses of connections and scans, before it starts.
    private static func configureNetworkManager(_ policy: AddressPolicy) throws(SystemCallFailure) -> Int32 {
        try FileTree.makeDirectory("/run/NetworkManager")
        try FileTree.makeDirectory("/run/NetworkManager/conf.d")
        try File(networkManagerFile, .create(mode: 0o644)).write(Array(policy.networkManagerConfiguration.utf8))
        return 0
    }

    /// Makes the folder of the reports. One process at a time changes what is in it; the file that is returned is the lock.
    private static func prepareFolder() throws(SystemCallFailure) -> File {
        try FileTree.makeDirectory("/run/needletail")
        try FileTree.makeDirectory(InterfaceReport.folder)
        try FileTree.makeDirectory("\(InterfaceReport.folder)/.prepared", mode: 0o700)
        let lock = try File("\(InterfaceReport.folder)/.prepared/lock", .create(mode: 0o600))
        try lock.lock()
        return lock
    }

    /// Writes a report beside its place and moves it there, so that a reader never sees half of it.
    private static func write(_ report: InterfaceReport) throws(SystemCallFailure) {
        let draft = "\(InterfaceReport.folder)/.prepared/draft"
        try File(draft, .create(mode: 0o644)).write(Array(report.text.utf8))
        try FileTree.move(draft, to: "\(InterfaceReport.folder)/\(report.name)")
    }
}
