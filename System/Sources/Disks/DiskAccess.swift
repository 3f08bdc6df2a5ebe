// SPDX-License-Identifier: GPL-3.0-or-later
import Linux

/// What the user has been given of a disk: to read it, or to write to it. Kept below `/run` so that whoever locks again after a
/// crash knows what there is.
public struct DiskAccess: Sendable {
    /// Why it is not given.
    public enum Refusal: Error, Hashable, Sendable {
        /// There is no such disk or partition.
        case noDisk
        /// The system runs from it.
        case isMedium
        /// It could not be protected, so it is off.
        case isOff
        /// Writing is only allowed to what is open for reading.
        case notOpen
        /// The kernel did not do it.
        case failed(String)
    }

    /// The folder of the nodes. Not below `/run`, where nodes are dead.
    public static let nodes = "/dev/needletail"

    private let user: UInt32
    private let group: UInt32
    private let nodes: String
    private let state: String
    private let isHardware: @Sendable (String) -> Bool

    /// Access for a user.
    ///
    /// - Parameters:
    ///   - user: who gets the nodes.
    ///   - group: and the group.
    public init(user: UInt32 = 1000, group: UInt32 = 1000) {
        self.init(user: user, group: group, nodes: Self.nodes, state: "\(DiskReport.folder)/.open") {
            Disk(sysfs: $0) != nil
        }
    }

    init(
        user: UInt32, group: UInt32, nodes: String, state: String, isHardware: @escaping @Sendable (String) -> Bool
    ) {
        self.user = user
        self.group = group
        self.nodes = nodes
        self.state = state
        self.isHardware = isHardware
    }

    /// The disk that a name is, or is a partition of; `nil` when there is none.
    public func disk(of name: String) -> String? {
        let isName = name.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x7a).contains($0) }
        guard isName, (1...32).contains(name.utf8.count),
            let path = FileTree.resolved("/sys/class/block/\(name)")
        else { return nil }
        let parts = path.split(separator: "/").map(String.init)
        let disk = FileTree.exists("\(path)/partition") ? parts.dropLast().last : parts.last
        return disk.flatMap { isHardware($0) ? $0 : nil }
    }

    /// The names that are open for reading or writing, with the loop device between; `nil` for those open for writing.
    public var opened: [String: String?] {
        var result: [String: String?] = [:]
        for name in FileTree.names(in: state) {
            let line = File.line("\(state)/\(name)") ?? ""
            result[name] = line.hasPrefix("loop") ? .some(line) : .some(nil)
        }
        return result
    }

    /// Lets the user read a disk or a partition, through a loop device that cannot write. What was plugged in during the session
    /// may be written to.
    ///
    /// - Parameter name: the kernel's name.
    /// - Returns: the path of the node.
    /// - Throws: ``Refusal``.
    public func open(_ name: String) throws(Refusal) -> String {
        try checkMayBeOpened(name)
        if opened[name] != nil { return "\(nodes)/\(name)" }
        do throws(SystemCallFailure) {
            try makeFolders()
            if isLater(name) {
                try File.replace("\(state)/\(name)", mode: 0o600, Array("writable\n".utf8))
                try makeNode(name, leadingTo: name, mode: 0o660)
                return "\(nodes)/\(name)"
            }
            let loop = try ReadOnlyView.make(of: "/dev/\(name)")
            do throws(SystemCallFailure) {
                try File.replace("\(state)/\(name)", mode: 0o600, Array("\(loop)\n".utf8))
                try makeNode(name, leadingTo: loop, mode: 0o440)
            } catch {
                try? FileTree.remove("\(state)/\(name)")
                try? ReadOnlyView.clear(loop)
                throw error
            }
            return "\(nodes)/\(name)"
        } catch { throw .failed("\(error)") }
    }

    /// Lets the user write to what is open for reading, until it is closed. Whether he may is not asked here.
    ///
    /// - Parameter name: the kernel's name.
    /// - Returns: the path of the node.
    /// - Throws: ``Refusal``.
    public func allowWriting(_ name: String) throws(Refusal) -> String {
        try checkMayBeOpened(name)
        guard let loop = opened[name] else { throw .notOpen }
        do throws(SystemCallFailure) {
            let devices = [name] + KernelDisks().partitions(of: name)
            // Before anything changes, so that whatever happens it will be locked again.
            let lock = try DiskCommand.prepareFolder()
            for device in devices { try File.replace("\(DiskReport.allowedFolder)/\(device)", mode: 0o600, []) }
            _ = consume lock
            try File.replace("\(state)/\(name)", mode: 0o600, Array("writable\n".utf8))
            for device in devices { try KernelDisks().setReadOnly(false, device) }
            try makeNode(name, leadingTo: name, mode: 0o660)
            if let loop { try? ReadOnlyView.clear(loop) }
            renewReport(name)
            return "\(nodes)/\(name)"
        } catch { throw .failed("\(error)") }
    }

    /// Takes back what was given. What is still in use of it can be read until its user closes it, and no longer be opened.
    ///
    /// - Parameter name: the kernel's name.
    /// - Throws: ``Refusal`` when something stays as it is.
    public func close(_ name: String) throws(Refusal) {
        guard let loop = opened[name] else { return }
        try? FileTree.remove("\(nodes)/\(name)")
        var problem: String?
        if let loop {
            do throws(SystemCallFailure) { try ReadOnlyView.clear(loop) } catch { problem = "\(error)" }
        } else {
            let devices = [name] + KernelDisks().partitions(of: name)
            for device in devices where !isLater(name) {
                problem = DiskGuard(control: KernelDisks()).set(true, device: device) ?? problem
            }
            if problem == nil {
                for device in devices { try? FileTree.remove("\(DiskReport.allowedFolder)/\(device)") }
                renewReport(name)
            }
        }
        // A disk that is gone needs no lock.
        if let problem, disk(of: name) != nil { throw .failed(problem) }
        try? FileTree.remove("\(state)/\(name)")
    }

    /// Takes everything back.
    ///
    /// - Returns: what did not work, by name.
    public func closeAll() -> [String: String] {
        var problems: [String: String] = [:]
        for name in opened.keys.sorted() {
            do throws(Refusal) { try close(name) } catch { problems[name] = "\(error)" }
        }
        return problems
    }

    private func checkMayBeOpened(_ name: String) throws(Refusal) {
        guard let disk = disk(of: name) else { throw .noDisk }
        switch DiskReport.of(disk)?.result {
        case .medium: throw .isMedium
        case .failed: throw .isOff
        default: break
        }
        if let medium = StartRecord((try? File.text(StartRecord.file)) ?? "").medium,
            FileTree.resolved("/sys/class/block/\(disk)") == medium, DiskReport.of(disk)?.reason != .later
        {
            throw .isMedium
        }
    }

    private func isLater(_ name: String) -> Bool {
        disk(of: name).flatMap { DiskReport.of($0)?.reason } == .later
    }

    private func renewReport(_ name: String) {
        guard let disk = Disk(sysfs: name), let old = DiskReport.of(name), let reason = old.reason else { return }
        let isAllowed = FileTree.exists("\(DiskReport.allowedFolder)/\(name)")
        let report = DiskReport(disk, reason, isAllowed: isAllowed, failure: nil)
        guard let lock = try? DiskCommand.prepareFolder() else { return }
        try? DiskCommand.write(report.text, to: "\(DiskReport.folder)/\(name)", mode: 0o644)
        _ = consume lock
    }

    private func makeFolders() throws(SystemCallFailure) {
        let lock = try DiskCommand.prepareFolder()
        _ = consume lock
        try FileTree.makeDirectory(state, mode: 0o700)
        try FileTree.makeDirectory(nodes)
    }

    private func makeNode(_ name: String, leadingTo device: String, mode: UInt32) throws(SystemCallFailure) {
        let status = try FileTree.status("/dev/\(device)")
        try? FileTree.remove("\(nodes)/\(name)")
        try FileTree.makeBlockNode("\(nodes)/\(name)", status.node, mode: mode, user: user, group: group)
    }
}
