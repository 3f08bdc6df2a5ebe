// SPDX-License-Identifier: GPL-3.0-or-later
import Linux

/// The process between the service and the room: it makes the room, waits, and ends it. The only one with capabilities.
///
/// It has a single thread, because only such a process may enter a user namespace, and reads nothing: what the service sends goes
/// to the room's steward. When the service closes the connection, or ends, all ends.
enum RoomKeeper {
    /// The argument that makes this program the keeper.
    static let argument = "keep-room"
    /// Where the few things are put together that the room is made from. Any folder would do.
    private static let workbench = "/mnt"

    /// Makes the room and waits for its end.
    ///
    /// - Returns: an exit status.
    static func run() -> Int32 {
        guard let control = try? connection() else { return 1 }
        do {
            let child = try make(control)
            let ended = try Processes.descriptor(of: child)
            while Polling.wait(reading: [ended], ending: [control]).reading.isEmpty {}
            // The first process of a process namespace takes all others with it.
            Processes.kill(child)
            _ = Polling.wait(reading: [ended], seconds: 10)
            return 0
        } catch {
            try? PacketSocket.send(Array("failed: \(error)".utf8), to: control)
            return 1
        }
    }

    /// Takes the service's connection. There is one room, so the listener is closed.
    private static func connection() throws(SystemCallFailure) -> Int32? {
        guard let listener = UnixSocket.passed().first?.descriptor else { return 0 }
        defer { Descriptor.close(listener) }
        _ = Polling.wait(reading: [listener], seconds: 10)
        guard let connection = try UnixSocket.accept(listener) else { return nil }
        try Descriptor.makeBlocking(connection)
        return connection
    }

    private static func make(_ control: Int32) throws(SystemCallFailure) -> Int32 {
        Program.setFileModeMask(0o022)
        try ProcessNamespaces.leave(.mounts)
        try Mount.makePrivate()
        // Without what is mounted in them: the verified system as it is in the image, and all of /proc.
        let system = try DetachedMount(of: "/")
        let processes = try DetachedMount(of: "/proc")
        try Mount.attach(
            "tmpfs", from: "room", at: workbench, [.noSetUser, .noDevices, .noExecution], options: "mode=755,size=1m")
        for name in ["system", "proc", "dev", "space", "room"] { try FileTree.makeDirectory("\(workbench)/\(name)") }
        for name in Room.devices {
            try File.make("\(workbench)/dev/\(name)", mode: 0o644)
            try Mount.bind("/dev/\(name)", at: "\(workbench)/dev/\(name)", [.noSetUser, .noExecution])
        }
        try processes.attach(at: "\(workbench)/proc")
        // From here on nothing of the session can be seen, neither by this process nor by the room.
        try Mount.enterRoot(workbench)

        let (ours, theirs) = try PacketSocket.pair()
        let child = try ProcessNamespaces.fork(into: [.users, .processes, .interprocess, .hostName, .controlGroups])
        if child == 0 {
            Descriptor.close(ours)
            RoomSteward.start(waitingFor: theirs, control: control)
        }
        Descriptor.close(theirs)
        try ProcessNamespaces.map(process: child, first: Room.firstUser, count: Room.users)
        try system.protect(mappingTo: File("/proc/\(child)/ns/user"))
        try system.attach(at: "/system")
        try PacketSocket.send([1], to: ours)
        Descriptor.close(ours)
        return child
    }
}
