// SPDX-License-Identifier: GPL-3.0-or-later
import Dispatch
import Linux
import Sockets
import Varlink

/// The program of the service, in its three modes.
public enum AdministrationProgram {
    /// Runs a mode. Whether there is a second thread depends on the mode, so this is no asynchronous function.
    ///
    /// - Parameter arguments: none for the service, `keep-room` for the process that keeps the room, `ask` for the question for a
    ///   password on this terminal.
    public static func run(_ arguments: [String]) -> Never {
        switch arguments {
        case []: serve()
        case [RoomKeeper.argument]: Program.exit(RoomKeeper.run())
        case ["ask"]: Program.exit(PasswordQuestion(store: PasswordStore(folder: PasswordStore.folder)).ask())
        default: Program.exit(2)
        }
    }

    private static func serve() -> Never {
        Task {
            do {
                try await answer(Listener.passed(), store: PasswordStore(folder: PasswordStore.folder)) {
                    try RoomHandle(control: PacketSocket.connect(to: RoomHandle.socket))
                }
                Program.exit(0)
            } catch {
                StandardError.line("administration cannot start: \(error)")
                Program.exit(1)
            }
        }
        dispatchMain()
    }

    /// Answers until nobody has asked for a minute and there is no room.
    ///
    /// - Parameters:
    ///   - listeners: the Varlink socket, and the one whose name or path has `terminal` in it.
    ///   - store: the password.
    ///   - users: who may ask.
    ///   - makeRoom: makes a room, with a thread.
    /// - Throws: `SystemCallFailure`, `CancellationError`.
    static func answer(
        _ listeners: [Listener], store: PasswordStore, users: Set<UInt32> = AdministrationInterface.users,
        makeRoom: @escaping @Sendable () throws -> RoomHandle
    ) async throws {
        let administrator = Administrator(store: store, makeRoom: makeRoom, log: { StandardError.line($0) })
        let door = TerminalDoor(administrator, users: users)
        let server = VarlinkServer(try AdministrationInterface.service(for: administrator, users: users))
        let doors = listeners.filter { $0.name.contains("terminal") }
        let others = listeners.filter { !$0.name.contains("terminal") }
        guard !others.isEmpty, !doors.isEmpty else {
            throw RoomHandle.Failure(description: "systemd passed no sockets")
        }
        await withTaskGroup { group in
            for listener in doors { group.addTask { await door.run(listener) } }
            while !Task.isCancelled {
                // Everything in the room would end with the connection that this process holds.
                await server.run(others, idle: .seconds(60))
                if await administrator.state != .running, !door.isInUse { break }
            }
            group.cancelAll()
        }
    }
}
