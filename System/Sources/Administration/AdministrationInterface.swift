// SPDX-License-Identifier: GPL-3.0-or-later
import Linux
import Varlink

/// The service's interface for programs.
enum AdministrationInterface {
    static let name = "org.needletail.Administration"
    static let socket = "/run/needletail/administration.sock"
    static let terminalSocket = "/run/needletail/administration-terminal.sock"

    static let text = """
        # Administration: a system of its own in which root may install packages and run tools, without any right outside of it.
        interface org.needletail.Administration

        # off: no password was chosen when the computer was started. running: something is installed or runs.
        type State (off, ready, running)

        # A terminal: its kind by the name in the terminal database, such as xterm, and its size in characters.
        type Terminal (kind: string, rows: int, columns: int)

        method GetState() -> (state: State)

        # Chooses the password of this session. For root only, and only once.
        method SetPassword(password: string) -> ()

        # Prepares a command; no argument for a shell, no terminal for input and output that are none. The ticket is good for one
        # try in the next two minutes. It goes with the password to the socket administration-terminal.sock beside this one: 32 bytes
        # of ticket, two bytes of length (the higher first), the password. So the password is in no message of this interface.
        # From there on the connection carries the command's input and output.
        method Prepare(arguments: []string, terminal: ?Terminal) -> (ticket: string)

        # Prepares the password as an answer to another service's question, for the user whom it names. For root only. The ticket
        # goes with the password to administration-terminal.sock as above; the answer is that of a command that
        # has ended with status 0 when it was right.
        method PrepareConfirmation(user: int) -> (ticket: string)

        # Whether that has happened: at most once for each ticket, and in the next minute only. For root only.
        method TakeConfirmation(ticket: string) -> (confirmed: bool)

        # Ends all commands, and forgets what was installed and changed.
        method End() -> (wasRunning: bool)

        # No password was chosen when the computer was started.
        error Off()

        # The password of this session was chosen before.
        error AlreadySet()

        # Too short, too long, or with a character that passwords cannot have.
        error NotUsable()

        # Too many commands of this user wait for their password.
        error TooManyTickets()

        """

    struct StateReply: Codable, Sendable {
        var state: Administrator.State
    }

    struct PasswordParameters: Codable, Sendable {
        var password: String
    }

    struct PrepareParameters: Codable, Sendable {
        struct Window: Codable, Sendable {
            var kind: String
            var rows: Int
            var columns: Int
        }
        var arguments: [String]
        var terminal: Window?
    }

    struct Ticket: Codable, Sendable {
        var ticket: String
    }

    struct ConfirmationParameters: Codable, Sendable {
        var user: UInt32
    }

    struct ConfirmationReply: Codable, Sendable {
        var confirmed: Bool
    }

    struct EndReply: Codable, Sendable {
        var wasRunning: Bool
    }

    static func error(_ name: String) -> VarlinkError { VarlinkError("\(Self.name).\(name)") }

    /// Who may ask: root and the session's user.
    static let users: Set<UInt32> = [0, 1000]

    static func service(for administrator: Administrator, users: Set<UInt32> = users) throws -> VarlinkService {
        var service = try VarlinkService(product: "Needletail administration", version: "1")
        try service.add(VarlinkInterface(text)) { methods in
            methods.answer("GetState") { (_: Nothing, caller) in
                try caller.require(users: users)
                return StateReply(state: await administrator.state)
            }
            methods.answer("SetPassword") { (parameters: PasswordParameters, caller) in
                try caller.require(users: [0])
                var bytes = Array(parameters.password.utf8)
                let password = SecretBytes(capacity: PasswordStore.longest)
                guard password.take(&bytes) else { throw error("NotUsable") }
                do {
                    try await administrator.setPassword(password)
                } catch PasswordStore.Failure.alreadySet {
                    throw error("AlreadySet")
                } catch PasswordStore.Failure.notUsable {
                    throw error("NotUsable")
                }
                return Nothing()
            }
            methods.answer("Prepare") { (parameters: PrepareParameters, caller) in
                try caller.require(users: users)
                guard await administrator.state != .off else { throw error("Off") }
                let terminal = parameters.terminal.map {
                    CommandRequest.TerminalRequest(
                        kind: $0.kind, window: Terminal.Window(rows: $0.rows, columns: $0.columns))
                }
                guard let request = CommandRequest(arguments: parameters.arguments, terminal: terminal) else {
                    throw VarlinkError.invalidParameter("arguments")
                }
                guard let ticket = try await administrator.prepare(request, user: caller.peer.user) else {
                    throw error("TooManyTickets")
                }
                return Ticket(ticket: ticket)
            }
            methods.answer("PrepareConfirmation") { (parameters: ConfirmationParameters, caller) in
                try caller.require(users: [0])
                guard await administrator.state != .off else { throw error("Off") }
                guard let ticket = try await administrator.prepare(nil, user: parameters.user) else {
                    throw error("TooManyTickets")
                }
                return Ticket(ticket: ticket)
            }
            methods.answer("TakeConfirmation") { (parameters: Ticket, caller) in
                try caller.require(users: [0])
                return ConfirmationReply(confirmed: await administrator.takeConfirmation(parameters.ticket))
            }
            methods.answer("End") { (_: Nothing, caller) in
                try caller.require(users: users)
                return EndReply(wasRunning: await administrator.end())
            }
        }
        return service
    }
}
