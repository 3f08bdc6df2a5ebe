// SPDX-License-Identifier: GPL-3.0-or-later
import Disks
import Varlink

/// The service's interface for programs.
enum DisksInterface {
    static let name = "org.needletail.Disks"
    static let socket = "/run/needletail/disks.sock"

    static let text = """
        # The computer's disks: which there are, and who may read and write them
        interface org.needletail.Disks

        # medium: the system runs from it. protected: nobody writes to it. writable: it was plugged in during the session, or
        # writing to it was allowed. failed: it could not be protected, and is off.
        type State (medium, protected, writable, failed)

        # closed: the session cannot read it. reading, writing: it can.
        type Access (closed, reading, writing)

        # `name` is the kernel's. `kind` is the file system's, `label` the name that its owner gave it.
        type Partition (name: string, size: int, kind: ?string, label: ?string, access: Access)

        # `serial` is as printed on the disk, empty when it does not tell. `reason` says why it is what it is. Sizes are in bytes.
        type Disk (
          name: string, model: string, serial: string, bus: string, size: int, state: State,
          reason: ?(medium, inside, present, later), detail: string, kind: ?string, access: Access,
          partitions: []Partition
        )

        # All disks, by name
        method List() -> (disks: []Disk)

        # Lets the session's user read a disk or a partition: a node that cannot write, whoever uses it. What was plugged in during
        # the session can be written to.
        method Open(name: string) -> (path: string)

        # The first half of writing to what is open for reading. Model, serial and size are those that the person was shown and has
        # agreed to. The ticket goes with the administration password to the administration service, see
        # org.needletail.Administration.
        method AskWriting(name: string, model: string, serial: string, size: int) -> (ticket: string)

        # The second half, when the password was right: the node can write, until it is closed.
        method AllowWriting(ticket: string) -> (path: string)

        # Takes back what was given. Done twice, it does nothing.
        method Close(name: string) -> ()

        # Takes everything back.
        method CloseAll() -> ()

        # There is no such disk or partition.
        error NoDisk()

        # The system runs from it.
        error Medium()

        # It could not be protected, and is off.
        error Off()

        # Writing is only allowed to what is open for reading.
        error NotOpen()

        # It is not the disk that the person was shown.
        error OtherDisk()

        # No administration password was chosen when the computer was started.
        error NoPassword()

        # The password was not given, or too long ago.
        error NotConfirmed()

        # The kernel did not do it.
        error Failed(reason: string)

        """

    enum Access: String, Codable, Sendable { case closed, reading, writing }

    struct PartitionEntry: Codable, Sendable, Hashable {
        var name: String
        var size: Int
        var kind: String?
        var label: String?
        var access: Access
    }

    struct DiskEntry: Codable, Sendable, Hashable {
        var name: String
        var model: String
        var serial: String
        var bus: String
        var size: Int
        var state: String
        var reason: String?
        var detail: String
        var kind: String?
        var access: Access
        var partitions: [PartitionEntry]
    }

    struct ListReply: Codable, Sendable { var disks: [DiskEntry] }
    struct Name: Codable, Sendable { var name: String }
    struct Path: Codable, Sendable { var path: String }
    struct Ticket: Codable, Sendable { var ticket: String }
    struct Question: Codable, Sendable, Hashable {
        var name: String
        var model: String
        var serial: String
        var size: Int
    }

    static func error(_ name: String) -> VarlinkError { VarlinkError("\(Self.name).\(name)") }

    static func error(_ refusal: DiskAccess.Refusal) -> VarlinkError {
        switch refusal {
        case .noDisk: error("NoDisk")
        case .isMedium: error("Medium")
        case .isOff: error("Off")
        case .notOpen: error("NotOpen")
        case .otherDisk: error("OtherDisk")
        case .failed(let reason): VarlinkError("\(name).Failed", ["reason": .string(reason)])
        }
    }

    /// Who may ask: root and the session's user.
    static let users: Set<UInt32> = [0, 1000]

    static func service(for keeper: DiskKeeper, users: Set<UInt32> = users) throws -> VarlinkService {
        var service = try VarlinkService(product: "Needletail disks", version: "1")
        try service.add(VarlinkInterface(text)) { methods in
            methods.answer("List") { (_: Nothing, caller) in
                try caller.require(users: users)
                return ListReply(disks: await keeper.list())
            }
            methods.answer("Open") { (parameters: Name, caller) in
                try caller.require(users: users)
                return Path(path: try await keeper.open(parameters.name))
            }
            methods.answer("AskWriting") { (parameters: Question, caller) in
                try caller.require(users: users)
                return Ticket(ticket: try await keeper.askWriting(parameters, user: caller.peer.user))
            }
            methods.answer("AllowWriting") { (parameters: Ticket, caller) in
                try caller.require(users: users)
                return Path(path: try await keeper.allowWriting(parameters.ticket))
            }
            methods.answer("Close") { (parameters: Name, caller) in
                try caller.require(users: users)
                try await keeper.close(parameters.name)
                return Nothing()
            }
            methods.answer("CloseAll") { (_: Nothing, caller) in
                try caller.require(users: users)
                try await keeper.closeAll()
                return Nothing()
            }
        }
        return service
    }
}
