// SPDX-License-Identifier: GPL-3.0-or-later
import Linux

/// The folder in which is kept what was decided on each disk, and what the user was given since. Below `/run`, so that whoever
/// locks again after a crash knows what there is.
struct DiskFolder: Sendable {
    /// The system's.
    static let system = DiskFolder(path: DiskReport.folder)

    /// Where it is.
    let path: String

    /// What was there when the computer was started.
    var record: String { "\(path)/.start/record" }
    /// Which devices the user has allowed writing to: an empty file named for each; root's.
    var allowed: String { "\(path)/.allowed" }
    /// What the user has been given; root's.
    var opened: String { "\(path)/.open" }

    /// The record; that of a start of which nothing is known when there is none.
    var startRecord: StartRecord { StartRecord((try? File.text(record)) ?? "") }
    /// The devices that the user has allowed writing to.
    var allowedDevices: Set<String> { Set(FileTree.names(in: allowed)) }
    /// Whether the user has allowed writing to a device.
    func isAllowed(_ device: String) -> Bool { FileTree.exists("\(allowed)/\(device)") }
    /// The report on a disk; `nil` when there is none.
    func report(on disk: String) -> DiskReport? { DiskReport.of(disk, in: path) }

    /// Makes the folders. One process at a time changes what is in them; the file that is returned is the lock.
    func prepare() throws(SystemCallFailure) -> File {
        if self.path == Self.system.path { try FileTree.makeDirectory("/run/needletail") }
        try FileTree.makeDirectory(path)
        try FileTree.makeDirectory("\(path)/.start", mode: 0o700)
        try FileTree.makeDirectory(allowed, mode: 0o700)
        let lock = try File("\(path)/.start/lock", .create(mode: 0o600))
        try lock.lock()
        return lock
    }

    /// Writes beside the place and moves it there, so that a reader never sees half of it.
    func write(_ text: String, to file: String, mode: UInt32) throws(SystemCallFailure) {
        let draft = "\(path)/.start/draft"
        try? FileTree.remove(draft)
        try File(draft, .create(mode: mode)).write(Array(text.utf8))
        try FileTree.move(draft, to: file)
    }

    /// Writes the record.
    func write(_ record: StartRecord) throws(SystemCallFailure) {
        try write(record.text, to: self.record, mode: 0o600)
    }

    /// Writes a report.
    func write(_ report: DiskReport) throws(SystemCallFailure) {
        try write(report.text, to: "\(path)/\(report.name)", mode: 0o644)
    }
}
