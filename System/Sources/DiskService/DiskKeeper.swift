// SPDX-License-Identifier: GPL-3.0-or-later
import Disks
import Linux
import Varlink

/// Who checks the administration password: its own service, behind a protocol so that it can be rehearsed.
protocol PasswordAuthority: Sendable {
    /// A ticket for a user who is to give the password; `nil` when there is no password in this session.
    func prepare(user: UInt32) async throws -> String?
    /// Whether he gave it, once.
    func isConfirmed(_ ticket: String) async throws -> Bool
}

/// The administration service.
struct AdministrationService: PasswordAuthority {
    private struct User: Codable, Sendable { var user: UInt32 }
    private struct Ticket: Codable, Sendable { var ticket: String }
    private struct Confirmation: Codable, Sendable { var confirmed: Bool }
    private static let name = "org.needletail.Administration"

    private let client = VarlinkClient(path: "/run/needletail/administration.sock")

    func prepare(user: UInt32) async throws -> String? {
        do {
            return try await client.call(
                "\(Self.name).PrepareConfirmation", User(user: user), returning: Ticket.self
            ).ticket
        } catch let error as VarlinkError where error.name == "\(Self.name).Off" {
            return nil
        }
    }

    func isConfirmed(_ ticket: String) async throws -> Bool {
        try await client.call(
            "\(Self.name).TakeConfirmation", Ticket(ticket: ticket), returning: Confirmation.self
        ).confirmed
    }
}

/// Answers for the disks, one thing at a time.
actor DiskKeeper {
    private let access: DiskAccess
    private let authority: any PasswordAuthority
    private let disks: @Sendable () -> [Disk]
    private let log: @Sendable (String) -> Void
    /// What was asked, and the number of the disk that had the name then.
    private var questions: [String: (question: DisksInterface.Question, sequence: UInt64)] = [:]

    init(
        access: DiskAccess = DiskAccess(), authority: any PasswordAuthority = AdministrationService(),
        disks: @escaping @Sendable () -> [Disk] = { Disk.present.compactMap(Disk.init(sysfs:)) },
        log: @escaping @Sendable (String) -> Void
    ) {
        self.access = access
        self.authority = authority
        self.disks = disks
        self.log = log
    }

    /// Whether there is something to take back.
    var isInUse: Bool { access.isInUse }

    func list() -> [DisksInterface.DiskEntry] {
        let opened = access.opened
        func entry(_ name: String) -> DisksInterface.Access {
            guard let grant = opened[name] else { return .closed }
            return grant.isWriting ? .writing : .reading
        }
        return disks().sorted { $0.name < $1.name }.prefix(64).map { disk in
            let report = DiskReport.of(disk.name)
            let isWritable = !disk.isReadOnly
            return DisksInterface.DiskEntry(
                name: disk.name, model: disk.model, serial: disk.serial, bus: disk.bus.rawValue,
                size: Int(clamping: disk.size),
                state: (report?.result ?? (isWritable ? .writable : .protected)).rawValue,
                reason: report?.reason?.rawValue, detail: report?.detail ?? "", kind: disk.kind,
                access: entry(disk.name),
                partitions: disk.partitions.map {
                    DisksInterface.PartitionEntry(
                        name: $0.name, size: Int(clamping: $0.size), kind: $0.kind, label: $0.label,
                        access: entry($0.name))
                })
        }
    }

    func open(_ name: String) throws -> String {
        do {
            let path = try access.open(name)
            log("\(name) can be read by the session")
            return path
        } catch { throw DisksInterface.error(error) }
    }

    func askWriting(_ question: DisksInterface.Question, user: UInt32) async throws -> String {
        let sequence = try check(question)
        guard let ticket = try await authority.prepare(user: user) else { throw DisksInterface.error("NoPassword") }
        if questions.count >= 16 { questions = [:] }
        questions[ticket] = (question, sequence)
        return ticket
    }

    func allowWriting(_ ticket: String) async throws -> String {
        guard let (question, sequence) = questions.removeValue(forKey: ticket), try await authority.isConfirmed(ticket)
        else {
            throw DisksInterface.error("NotConfirmed")
        }
        // Another disk may have taken the name while the person typed, one that says the same about itself too.
        guard try check(question) == sequence else { throw DisksInterface.error("OtherDisk") }
        do {
            let path = try access.allowWriting(question.name, sequence: sequence)
            log("\(question.name) can be written to by the session")
            return path
        } catch { throw DisksInterface.error(error) }
    }

    func close(_ name: String) throws {
        do { try access.close(name) } catch { throw DisksInterface.error(error) }
    }

    func closeAll() throws {
        let problems = access.closeAll()
        for (name, problem) in problems { log("\(name) could not be locked: \(problem)") }
        if let first = problems.first { throw DisksInterface.error(.failed("\(first.key): \(first.value)")) }
    }

    /// Looks whether a question fits the disk; the disk's number.
    private func check(_ question: DisksInterface.Question) throws -> UInt64 {
        guard let sequence = access.sequence(of: question.name) else { throw DisksInterface.error("NoDisk") }
        guard let name = access.disk(of: question.name), let disk = disks().first(where: { $0.name == name }) else {
            throw DisksInterface.error("NoDisk")
        }
        guard disk.model == question.model, disk.serial == question.serial, Int(clamping: disk.size) == question.size
        else { throw DisksInterface.error("OtherDisk") }
        guard access.opened[question.name]?.sequence == sequence else { throw DisksInterface.error("NotOpen") }
        return sequence
    }
}
