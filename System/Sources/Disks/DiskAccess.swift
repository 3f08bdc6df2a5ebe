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
        /// Another disk has the name by now.
        case otherDisk
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

    /// What the user has been given of the disks that are there, by name.
    public var opened: [String: Grant] { folder.grants.filter { $0.value.sequence == folder.sequence($0.key) } }
    /// Whether there is something to take back, be it of a disk that is gone.
    public var isInUse: Bool { !folder.grants.isEmpty }
    /// The number of the disk that a name is of, or of a partition of; `nil` when there is none.
    ///
    /// - Parameter name: the kernel's name.
    /// - Returns: the number; another disk of the same name has another one.
    public func sequence(of name: String) -> UInt64? { disk(of: name).flatMap(folder.sequence) }

    /// Lets the user read a disk or a partition, through a loop device that cannot write. What was plugged in during the session
    /// may be written to.
    ///
    /// - Parameter name: the kernel's name.
    /// - Returns: the path of the node.
    /// - Throws: ``Refusal``.
    public func open(_ name: String) throws(Refusal) -> String {
        try alone(name) { () throws(Refusal) in
            try checkMayBeOpened(name)
            guard let disk = disk(of: name), let sequence = folder.sequence(name) else { throw .noDisk }
            folder.takeBack(formerly: disk, nodes: nodes)
            if let grant = folder.grants[name] {
                if FileTree.exists("\(nodes)/\(name)") { return "\(nodes)/\(name)" }
                if let loop = grant.loop { try? ReadOnlyView.clear(loop) }
            }
            do throws(SystemCallFailure) {
                try makeFolders()
                if isLater(name) {
                    try give(name, Grant(loop: nil, sequence: sequence))
                } else {
                    let loop = try ReadOnlyView.make(of: "/dev/\(name)")
                    do throws(SystemCallFailure) {
                        try give(name, Grant(loop: loop, sequence: sequence))
                    } catch {
                        try? FileTree.remove("\(folder.opened)/\(name)")
                        try? ReadOnlyView.clear(loop)
                        throw error
                    }
                }
            } catch { throw .failed("\(error)") }
            try checkIsStill(sequence, name)
            return "\(nodes)/\(name)"
        }
    }

    /// Lets the user write to what is open for reading, until it is closed. Whether he may is not asked here.
    ///
    /// - Parameters:
    ///   - name: the kernel's name.
    ///   - sequence: the number of the disk that he was asked about.
    /// - Returns: the path of the node.
    /// - Throws: ``Refusal``.
    public func allowWriting(_ name: String, sequence: UInt64) throws(Refusal) -> String {
        try alone(name) { () throws(Refusal) in
            try checkMayBeOpened(name)
            guard folder.sequence(name) == sequence else { throw .otherDisk }
            guard let grant = folder.grants[name], grant.sequence == sequence else { throw .notOpen }
            var problem: String?
            do throws(SystemCallFailure) {
                let kernel = KernelDisks()
                // Before anything changes, so that whatever happens it will be locked again.
                try File.replace(
                    "\(folder.opened)/\(name)", mode: 0o600, Array(Grant(loop: nil, sequence: sequence).text.utf8))
                for device in [name] + kernel.partitions(of: name) {
                    try File.replace("\(folder.allowed)/\(device)", mode: 0o600, Array("\(sequence)\n".utf8))
                }
                if let loop = grant.loop { try? ReadOnlyView.clear(loop) }
                problem = protect(name)
                if problem == nil, try kernel.isReadOnly(name) { problem = DiskWords.notOpened }
                if problem == nil { try give(name, Grant(loop: nil, sequence: sequence)) }
                renewReport(name)
            } catch { problem = "\(error)" }
            if let problem {
                try? takeBack(name)
                throw .failed(problem)
            }
            try checkIsStill(sequence, name)
            return "\(nodes)/\(name)"
        }
    }

    /// Takes back what was given. What is still in use of it can be read until its user closes it, and no longer be opened.
    ///
    /// - Parameter name: the kernel's name.
    /// - Throws: ``Refusal`` when something stays as it is.
    public func close(_ name: String) throws(Refusal) {
        // Of a disk that is gone the udev program may be taking the same back, which does no harm.
        if disk(of: name) == nil { return try takeBack(name) }
        try alone(name) { () throws(Refusal) in try takeBack(name) }
    }

    /// Takes everything back.
    ///
    /// - Returns: what did not work, by name.
    public func closeAll() -> [String: String] {
        var problems: [String: String] = [:]
        let names = folder.grants.keys.sorted()
        // First what needs no disk to answer: one that is dying does not keep the others open.
        for name in names { try? FileTree.remove("\(nodes)/\(name)") }
        for name in names {
            do throws(Refusal) { try close(name) } catch { problems[name] = "\(error)" }
        }
        return problems
    }

    /// Under the lock of the disk.
    private func alone<Result>(_ name: String, _ body: () throws(Refusal) -> Result) throws(Refusal) -> Result {
        guard let disk = disk(of: name) else { throw .noDisk }
        let lock: File
        do throws(SystemCallFailure) { lock = try folder.lock(disk: disk) } catch { throw .failed("\(error)") }
        do throws(Refusal) {
            let result = try body()
            _ = consume lock
            return result
        } catch {
            // Not before: what has been undone is a part of it.
            _ = consume lock
            throw error
        }
    }

    private func takeBack(_ name: String) throws(Refusal) {
        guard let grant = folder.grants[name] else { return }
        try? FileTree.remove("\(nodes)/\(name)")
        var problem: String?
        if let loop = grant.loop {
            do throws(SystemCallFailure) { try ReadOnlyView.clear(loop) } catch { problem = "\(error)" }
        } else {
            for device in FileTree.names(in: folder.allowed) where DiskFolder.isPart(device, of: name) {
                try? FileTree.remove("\(folder.allowed)/\(device)")
            }
            if !isLater(name) { problem = protect(name) }
            renewReport(name)
        }
        // A disk that is gone needs no lock.
        if let problem, disk(of: name) != nil { throw .failed(problem) }
        try? FileTree.remove("\(folder.opened)/\(name)")
    }

    /// A name can pass to another disk at any moment; what was given then is taken back.
    private func checkIsStill(_ sequence: UInt64, _ name: String) throws(Refusal) {
        guard folder.sequence(name) != sequence else { return }
        try? takeBack(name)
        throw .otherDisk
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

    /// Whether it was plugged in during the session: this disk, not the one that the report is about.
    private func isLater(_ name: String) -> Bool {
        guard let disk = disk(of: name), let report = folder.report(on: disk), let sequence = report.sequence else {
            return false
        }
        return report.reason == .later && sequence == folder.sequence(disk)
    }

    /// Makes the disk of a device as it has to be by what is allowed; what does not hold.
    private func protect(_ name: String) -> String? {
        disk(of: name).flatMap {
            DiskGuard(control: KernelDisks()).protect(disk: $0, except: folder.allowedDevices)
        }
    }

    private func renewReport(_ name: String) {
        guard let disk = Disk(sysfs: name), let old = folder.report(on: name), let reason = old.reason,
            let sequence = old.sequence, sequence == folder.sequence(name)
        else { return }
        try? folder.write(
            DiskReport(disk, reason, sequence: sequence, isAllowed: folder.isAllowed(name), failure: nil))
    }

    private func makeFolders() throws(SystemCallFailure) {
        try FileTree.makeDirectory(folder.opened, mode: 0o700)
        try FileTree.makeDirectory(nodes)
    }

    /// Notes what is given, and gives it.
    private func give(_ name: String, _ grant: Grant) throws(SystemCallFailure) {
        let status = try FileTree.status("/dev/\(grant.loop ?? name)")
        try File.replace("\(folder.opened)/\(name)", mode: 0o600, Array(grant.text.utf8))
        try? FileTree.remove("\(nodes)/\(name)")
        try FileTree.makeBlockNode(
            "\(nodes)/\(name)", status.node, mode: grant.isWriting ? 0o660 : 0o440, user: user, group: group)
    }
}
