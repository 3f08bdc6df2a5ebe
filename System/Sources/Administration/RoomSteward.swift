// SPDX-License-Identifier: GPL-3.0-or-later
import Linux

/// The room's first process: it starts what the service asks for and takes the end of everything that ends.
///
/// It has no right that the room's root has not, and the service believes nothing that it says.
enum RoomSteward {
    /// What the service is told when the room is there.
    static let ready = Array("ready".utf8)

    /// Becomes the room's first process.
    ///
    /// - Parameters:
    ///   - permission: where the keeper says that users have their numbers and the system its place.
    ///   - control: the way to the service.
    static func start(waitingFor permission: Int32, control: Int32) -> Never {
        do {
            guard try !PacketSocket.receive(from: permission).bytes.isEmpty else { Program.exit(1) }
            Descriptor.close(permission)
            try ProcessNamespaces.become(user: 0, group: 0)
            try Confinement.dieWithParent()
            // When memory is short, this goes before the session does.
            try? File.write("500", to: "/proc/self/oom_score_adj")
            try ProcessNamespaces.leave(.mounts)
            try RoomTree.enter()
            try Capability.limit(to: Room.capabilities)
            try Confinement.allowNoNewPrivileges()
            try SystemCallFilter(Room.systemCalls).apply()
            // The service's log is not the room's.
            let nothing = try File("/dev/null", .readAndWrite)
            for number: Int32 in [0, 1, 2] where number != control {
                try Descriptor.replace(number, with: nothing.descriptor)
            }
            let signals = try Processes.signals([Processes.Signal.childEnded])
            try PacketSocket.send(ready, to: control)
            try serve(control, signals)
            Program.exit(0)
        } catch {
            try? PacketSocket.send(Array("failed: \(error)".utf8), to: control)
            Program.exit(1)
        }
    }

    private static func serve(_ control: Int32, _ signals: Int32) throws(SystemCallFailure) {
        var commands: Set<Int32> = []
        while true {
            let ready = Polling.wait(reading: [control, signals])
            while Processes.nextSignal(signals) != nil {}
            // Not only its own children: what lost its parent ends here.
            while let ended = Processes.ended() { commands.remove(ended.child) }
            guard ready.reading.contains(control) else { continue }
            let (bytes, connection) = try PacketSocket.receive(from: control)
            if bytes.isEmpty { return }
            guard let connection else { continue }
            defer { Descriptor.close(connection) }
            guard let request = CommandRequest(bytes) else { continue }
            // When what runs in the room has taken every process that there may be, this command is refused and the room stays.
            guard commands.count < Room.commands, let child = try? Processes.fork() else {
                _ = try? UnixSocket.write(Refusal.busy.frame().bytes[...], to: connection)
                continue
            }
            if child == 0 {
                Descriptor.close(control)
                Descriptor.close(signals)
                Program.exit(RoomCommand.run(request, connection: connection))
            }
            commands.insert(child)
        }
    }
}
