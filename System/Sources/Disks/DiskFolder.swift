// SPDX-License-Identifier: GPL-3.0-or-later
import Linux

/// The folder in which is kept what was decided on each disk, and what the user was given since. Below `/run`, so that whoever
/// locks again after a crash knows what there is.
///
/// Two kinds of locks: ``lock(disk:)`` for what is done to one disk and what is kept of it, as long as the disk takes, and
/// ``prepare()`` for what is kept of all, with no disk asked anything meanwhile: one that is dying holds up no other. Whoever
/// needs both takes the disk's first.
struct DiskFolder: Sendable {
    /// The system's.
    static let system = DiskFolder(path: DiskReport.folder)

    /// Where it is.
    let path: String
    /// The number by which a disk is told from another of its name.
    var sequence: @Sendable (String) -> UInt64? = { DiskSequence.of($0) }

    /// What was there when the computer was started.
    var record: String { "\(path)/.start/record" }
    /// Which devices the user has allowed writing to: a file named for each, with the disk's number; root's.
    var allowed: String { "\(path)/.allowed" }
    /// What the user has been given; root's.
    var opened: String { "\(path)/.open" }

    /// The record; that of a start of which nothing is known when there is none.
    var startRecord: StartRecord { StartRecord((try? File.text(record)) ?? "") }
    /// The devices that the user has allowed writing to.
    var allowedDevices: Set<String> { Set(FileTree.names(in: allowed).filter(isAllowed)) }
    /// All that the user has been given, by name; also what belongs to disks that are gone.
    var grants: [String: Grant] {
        let names = FileTree.names(in: opened).filter { !$0.contains(".") }
        return Dictionary(uniqueKeysWithValues: names.map { ($0, Grant(File.line("\(opened)/\($0)") ?? "")) })
    }

    /// The report on a disk; `nil` when there is none.
    func report(on disk: String) -> DiskReport? { DiskReport.of(disk, in: path) }

    /// Whether the user has allowed writing to a device: to this one, not to one that had its name before.
    func isAllowed(_ device: String) -> Bool {
        guard let current = sequence(device) else { return false }
        return File.line("\(allowed)/\(device)").flatMap { UInt64($0) } == current
    }

    /// Whether a name is that of a disk or of one of its partitions, by the names alone: the disk may be gone.
    static func isPart(_ name: String, of disk: String) -> Bool {
        guard name.hasPrefix(disk), let last = disk.last else { return false }
        var number = name.dropFirst(disk.count)
        if number.isEmpty { return true }
        if last.isNumber, number.popFirst() != "p" { return false }
        return !number.isEmpty && number.allSatisfy(\.isNumber)
    }

    /// Takes back what was given of a disk that is gone, or of one that had its name before: nodes, loop devices, and the
    /// user's word that it may be written to.
    ///
    /// - Parameters:
    ///   - disk: the disk's name.
    ///   - nodes: the folder of the nodes.
    func takeBack(formerly disk: String, nodes: String) {
        let current = sequence(disk)
        let grants = grants
        for name in Set(FileTree.names(in: nodes)).union(grants.keys) where Self.isPart(name, of: disk) {
            if let current, grants[name]?.sequence == current { continue }
            try? FileTree.remove("\(nodes)/\(name)")
            if let loop = grants[name]?.loop { try? ReadOnlyView.clear(loop) }
            try? FileTree.remove("\(opened)/\(name)")
        }
        for name in FileTree.names(in: allowed) where Self.isPart(name, of: disk) && !isAllowed(name) {
            try? FileTree.remove("\(allowed)/\(name)")
        }
    }

    /// Makes the folders. One process at a time changes the record and the reports; the file that is returned is the lock.
    func prepare() throws(SystemCallFailure) -> File {
        if self.path == Self.system.path { try FileTree.makeDirectory("/run/needletail") }
        try FileTree.makeDirectory(path)
        try FileTree.makeDirectory("\(path)/.start", mode: 0o700)
        try FileTree.makeDirectory(allowed, mode: 0o700)
        let lock = try File("\(path)/.start/lock", .create(mode: 0o600))
        try lock.lock()
        return lock
    }

    /// Makes the folders. One process at a time does something to a disk, or changes what the user has been given of it; the
    /// file that is returned is the lock.
    func lock(disk: String) throws(SystemCallFailure) -> File {
        let all = try prepare()
        let lock = try File("\(path)/.start/lock-\(disk)", .create(mode: 0o600))
        _ = consume all
        try lock.lock()
        return lock
    }

    /// Writes beside the place and moves it there, so that a reader never sees half of it. Under the lock of ``prepare()``.
    func write(_ text: String, to file: String, mode: UInt32) throws(SystemCallFailure) {
        let draft = "\(path)/.start/draft"
        try? FileTree.remove(draft)
        try File(draft, .create(mode: mode)).write(Array(text.utf8))
        try FileTree.move(draft, to: file)
    }

    /// Changes the record.
    func change(_ body: (inout StartRecord) -> Void) throws(SystemCallFailure) {
        let lock = try prepare()
        let known = startRecord
        var record = known
        body(&record)
        if record != known { try write(record.text, to: self.record, mode: 0o600) }
        _ = consume lock
    }

    /// Writes the record.
    func write(_ record: StartRecord) throws(SystemCallFailure) {
        let lock = try prepare()
        try write(record.text, to: self.record, mode: 0o600)
        _ = consume lock
    }

    /// Writes a report.
    func write(_ report: DiskReport) throws(SystemCallFailure) {
        let lock = try prepare()
        try write(report.text, to: "\(path)/\(report.name)", mode: 0o644)
        _ = consume lock
    }
}
