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
    private let folder: DiskFolder
    private let isHardware: @Sendable (String) -> Bool

    /// Access for a user.
    ///
    /// - Parameters:
    ///   - user: who gets the nodes.
    ///   - group: and the group.
    public init(user: UInt32 = 1000, group: UInt32 = 1000) {
        self.init(user: user, group: group, nodes: Self.nodes, folder: .system) { Disk(sysfs: $0) != nil }
    }

    init(
        user: UInt32, group: UInt32, nodes: String, folder: DiskFolder,
        isHardware: @escaping @Sendable (String) -> Bool
    ) {
        self.user = user
        self.group = group
        self.nodes = nodes
        self.folder = folder
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
        for name in FileTree.names(in: folder.opened) {
            let line = File.line("\(folder.opened)/\(name)") ?? ""
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
                try File.replace("\(folder.opened)/\(name)", mode: 0o600, Array("writable\n".utf8))
                try makeNode(name, leadingTo: name, mode: 0o660)
                return "\(nodes)/\(name)"
            }
            let loop = try ReadOnlyView.make(of: "/dev/\(name)")
            do throws(SystemCallFailure) {
                try File.replace("\(folder.opened)/\(name)", mode: 0o600, Array("\(loop)\n".utf8))
                try makeNode(name, leadingTo: loop, mode: 0o440)
            } catch {
                try? FileTree.remove("\(folder.opened)/\(name)")
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
        var problem: String?
        do throws(SystemCallFailure) {
            let kernel = KernelDisks()
            // Before anything changes, so that whatever happens it will be locked again.
            let lock = try folder.prepare()
            for device in [name] + kernel.partitions(of: name) {
                try File.replace("\(folder.allowed)/\(device)", mode: 0o600, [])
            }
            _ = consume lock
            try File.replace("\(folder.opened)/\(name)", mode: 0o600, Array("writable\n".utf8))
            if let loop { try? ReadOnlyView.clear(loop) }
            problem = protect(name)
            if problem == nil, try kernel.isReadOnly(name) { problem = DiskWords.notOpened }
            if problem == nil { try makeNode(name, leadingTo: name, mode: 0o660) }
            renewReport(name)
        } catch { problem = "\(error)" }
        guard let problem else { return "\(nodes)/\(name)" }
        try? close(name)
        throw .failed(problem)
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
            for device in [name] + KernelDisks().partitions(of: name) {
                try? FileTree.remove("\(folder.allowed)/\(device)")
            }
            if !isLater(name) { problem = protect(name) }
            renewReport(name)
        }
        // A disk that is gone needs no lock.
        if let problem, disk(of: name) != nil { throw .failed(problem) }
        try? FileTree.remove("\(folder.opened)/\(name)")
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
        switch folder.report(on: disk)?.result {
        case .medium: throw .isMedium
        case .failed: throw .isOff
        default: break
        }
        if let medium = folder.startRecord.medium,
            FileTree.resolved("/sys/class/block/\(disk)") == medium, folder.report(on: disk)?.reason != .later
        {
            throw .isMedium
        }
    }

    private func isLater(_ name: String) -> Bool {
        disk(of: name).flatMap { folder.report(on: $0)?.reason } == .later
    }

    /// Makes the disk of a device as it has to be by what is allowed; what does not hold.
    private func protect(_ name: String) -> String? {
        disk(of: name).flatMap {
            DiskGuard(control: KernelDisks()).protect(disk: $0, except: folder.allowedDevices)
        }
    }

    private func renewReport(_ name: String) {
        guard let disk = Disk(sysfs: name), let old = folder.report(on: name), let reason = old.reason else { return }
        let report = DiskReport(disk, reason, isAllowed: folder.isAllowed(name), failure: nil)
        guard let lock = try? folder.prepare() else { return }
        try? folder.write(report)
        _ = consume lock
    }

    private func makeFolders() throws(SystemCallFailure) {
        let lock = try folder.prepare()
        _ = consume lock
        try FileTree.makeDirectory(folder.opened, mode: 0o700)
        try FileTree.makeDirectory(nodes)
    }

    private func makeNode(_ name: String, leadingTo device: String, mode: UInt32) throws(SystemCallFailure) {
        let status = try FileTree.status("/dev/\(device)")
        try? FileTree.remove("\(nodes)/\(name)")
        try FileTree.makeBlockNode("\(nodes)/\(name)", status.node, mode: mode, user: user, group: group)
    }
}
